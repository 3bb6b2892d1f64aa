// SPDX-License-Identifier: GPL-2.0-only
// MAP_DMA as the tables of several files use it: where a case has its free pages, and what was there before.
#pragma once

#include "abi/faults.hh"

namespace harness::abi
{

inline Result<> map(Bench &b, std::uint64_t iova, std::uint64_t vaddr, std::uint64_t size, Access access = Access::both)
{
	return b.container().map(iova, vaddr, size, access);
}
inline Result<> map_free(Bench &b, std::uint64_t iova, std::uint64_t size)
{
	return map(b, iova, b.vaddr(Bench::free_unit), size);
}
inline Result<> unmap_free(Bench &b) { return b.container().unmap(b.iova(Bench::free_page), 64 * 4096); }

inline Result<> count(Bench &b)
{
	b.counts = Counts::rested();
	return {};
}

constexpr std::uint64_t many = 4; // pages of a mapping in one piece, of free_unit

inline Result<> map_many(Bench &b) { return map_free(b, b.iova(Bench::free_page), many * 4096); }
inline Result<> map_many_and_count(Bench &b)
{
	auto done = map_many(b);
	return done ? count(b) : done;
}

// One page, which a later call is to replace or to leave alone.
inline Result<> map_old(Bench &b)
{
	if (auto done = map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit + 1), 4096); !done)
		return done;
	return count(b);
}
inline std::string old_is_there(Bench &b)
{
	return b.reaches(b.iova(Bench::free_page) + 3, Bench::free_unit + 1) ? b.counted(0, 0)
									     : "what was mapped there before is gone";
}

} // namespace harness::abi
