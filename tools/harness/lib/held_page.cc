// SPDX-License-Identifier: GPL-2.0-only
#include "lib/held_page.hh"

#include <poll.h>
#include <sys/mman.h>

#include <algorithm>

namespace harness
{

Result<Held_page> Held_page::make()
{
	auto page = Buffer::anonymous(page_size());
	if (!page)
		return std::unexpected{page.error()};
	auto faults = Userfaults::open();
	if (!faults)
		return std::unexpected{faults.error()};
	if (auto watched = faults->watch(page->address(), page->size()); !watched)
		return std::unexpected{watched.error()};
	if (::madvise(page->bytes().data(), page->size(), MADV_DONTNEED) != 0)
		return fail_errno();
	return Held_page{std::move(*page), std::move(*faults)};
}

bool Held_page::wanted(std::chrono::milliseconds patience) const
{
	pollfd faults{.fd = faults_.fd(), .events = POLLIN, .revents = 0};
	return ::poll(&faults, 1, static_cast<int>(patience.count())) == 1 && (faults.revents & POLLIN);
}

Result<> Held_page::give(std::span<const std::byte> content) const
{
	auto source = Buffer::anonymous(page_.size());
	if (!source)
		return std::unexpected{source.error()};
	std::ranges::copy(content, source->bytes().begin());
	return faults_.give(page_.address(), source->bytes().data());
}

} // namespace harness
