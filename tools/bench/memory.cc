// SPDX-License-Identifier: GPL-2.0-only
// Memory whose physical shape is known.
#include <sys/mman.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "bench.hh"

namespace bench
{

Buffer contiguous(const Means &means, std::uint64_t size)
{
	auto shift = huge_page_shift(21);
	if (!shift)
		return must("contiguous memory", means.floor.contiguous(size));
	const std::uint64_t whole = (1ull << *shift) - 1;
	const std::uint64_t piece = (std::min(size, means.memory) + whole) & ~whole;
	return must("huge pages", Buffer::echo(std::max(size, piece), piece, *shift));
}

// The kernel hands out pages in order, so they are touched in disorder.
Buffer scattered(std::uint64_t size)
{
	auto buffer = must("addresses", Buffer::reserved(size, 16 * mib));
	must("memory", buffer.protect(PROT_READ | PROT_WRITE));
	(void)::madvise(buffer.bytes().data(), size, MADV_NOHUGEPAGE);
	std::vector<std::uint32_t> order(size / page_size());
	std::iota(order.begin(), order.end(), 0u);
	std::ranges::shuffle(order, std::mt19937{1});
	for (auto page : order)
		buffer.bytes()[page * page_size()] = std::byte{1};
	return buffer;
}

} // namespace bench
