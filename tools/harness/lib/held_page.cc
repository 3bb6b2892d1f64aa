// SPDX-License-Identifier: GPL-2.0-only
#include "lib/held_page.hh"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>

#include "lib/platform.hh"

namespace harness
{

Result<Held_page> Held_page::make()
{
	auto page = Buffer::anonymous(page_size());
	if (!page)
		return std::unexpected{page.error()};
	Fd faults{static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK))};
	uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
	uffdio_register range{.range = {.start = page->address(), .len = page->size()},
			      .mode = UFFDIO_REGISTER_MODE_MISSING,
			      .ioctls = 0};
	if (faults.get() < 0 || ::ioctl(faults.get(), UFFDIO_API, &api) != 0 ||
	    ::ioctl(faults.get(), UFFDIO_REGISTER, &range) != 0 ||
	    ::madvise(page->bytes().data(), page->size(), MADV_DONTNEED) != 0)
		return fail_errno();
	return Held_page{std::move(*page), std::move(faults)};
}

bool Held_page::wanted(std::chrono::milliseconds patience) const
{
	pollfd faults{.fd = faults_.get(), .events = POLLIN, .revents = 0};
	return ::poll(&faults, 1, static_cast<int>(patience.count())) == 1 && (faults.revents & POLLIN);
}

Result<> Held_page::give(std::span<const std::byte> content) const
{
	auto source = Buffer::anonymous(page_.size());
	if (!source)
		return std::unexpected{source.error()};
	std::ranges::copy(content, source->bytes().begin());
	uffdio_copy copy{.dst = page_.address(), .src = source->address(), .len = page_.size(), .mode = 0, .copy = 0};
	if (::ioctl(faults_.get(), UFFDIO_COPY, &copy) != 0)
		return fail_errno();
	return {};
}

} // namespace harness
