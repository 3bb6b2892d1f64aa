// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: UNMAP_DMA in a v1 container as far as it differs: it unpins what it unmaps.
#include "abi/case.hh"
#include "abi/maps.hh"

namespace harness::abi
{

namespace
{

constexpr const char *unpins_row = "UNMAP: unmaps whatever is mapped in the range; v1: and unpins that";
constexpr auto at = Stage::v1_ready;

Result<> unmap(Bench &b, std::uint64_t page, std::uint64_t pages)
{
	return b.container().unmap(b.iova(page), pages * 4096);
}
Result<> unmap_all(Bench &b) { return unmap(b, Bench::free_page, 64); }

// Each of the pages, both ways; a letter for each: 'y' device reaches it, '-' it does not.
std::string reached(Bench &b)
{
	std::string seen;
	for (std::uint64_t page = 0; page < many; ++page) {
		Pieces there{b.at(Bench::free_unit, page * 4096 + 30, 100)};
		auto iova = b.iova(Bench::free_page + page) + 30;
		auto write = b.writes(iova, there), read = b.reads(iova, there);
		seen += write == Reach::arrived && read == Reach::arrived   ? 'y'
			: write == Reach::nothing && read == Reach::nothing ? '-'
									    : '?';
	}
	return seen;
}

std::string left(Bench &b, std::string_view wanted, std::int64_t pinned)
{
	if (auto wrong = b.counted(0, pinned); !wrong.empty())
		return wrong;
	auto seen = reached(b);
	return seen == wanted ? "" : fmt::format("device reaches {}, not {}", seen, wanted);
}

// With the last translation goes the memory for the window's bookkeeping, which counts as locked.
std::string all_unpinned(Bench &b)
{
	auto wanted = b.counts->pinned - many - 2; // scratch and witness, too
	auto seen = settled({.locked = Counts::now().locked, .pinned = wanted}, std::chrono::seconds{10});
	return seen.pinned == wanted && seen.locked <= b.counts->locked ? "" : difference(*b.counts, seen);
}

// Two mappings with a hole between them, and the second reaches into the next unit.
Result<> map_two(Bench &b)
{
	auto done =
		b.container().map(b.iova(Bench::free_page + 16), b.vaddr(Bench::free_unit + 1), 3 * 4096, Access::both);
	return done ? map_many_and_count(b) : done;
}

const Case cases[] = {

	{.name = "v1-unmap/all",
	 .row = unpins_row,
	 .stage = at,
	 .prepare = map_many_and_count,
	 .call = [](Bench &b) { return unmap(b, Bench::free_page, many); },
	 .verify = [](Bench &b) { return left(b, "----", -4); }},
	{.name = "v1-unmap/head",
	 .row = unpins_row,
	 .stage = at,
	 .prepare = map_many_and_count,
	 .call = [](Bench &b) { return unmap(b, Bench::free_page, 1); },
	 .verify = [](Bench &b) { return left(b, "-yyy", -1); },
	 .finish = unmap_all},
	{.name = "v1-unmap/middle",
	 .row = unpins_row,
	 .stage = at,
	 .prepare = map_many_and_count,
	 .call = [](Bench &b) { return unmap(b, Bench::free_page + 1, 2); },
	 .verify = [](Bench &b) { return left(b, "y--y", -2); },
	 .finish = unmap_all},
	{.name = "v1-unmap/tail",
	 .row = unpins_row,
	 .stage = at,
	 .prepare = map_many_and_count,
	 .call = [](Bench &b) { return unmap(b, Bench::free_page + 3, 8); },
	 .verify = [](Bench &b) { return left(b, "yyy-", -1); },
	 .finish = unmap_all},
	{.name = "v1-unmap/page-by-page",
	 .row = unpins_row,
	 .stage = at,
	 .prepare = map_many_and_count,
	 .call =
		 [](Bench &b) {
			 for (std::uint64_t page : {2, 0, 3, 1})
				 if (auto done = unmap(b, Bench::free_page + page, 1); !done)
					 return done;
			 return Result<>{};
		 },
	 .verify = [](Bench &b) { return left(b, "----", -4); }},
	{.name = "v1-unmap/over-many-unpins",
	 .row = "UNMAP: a range over many maps, holes between",
	 .stage = at,
	 .prepare = map_two,
	 .call = unmap_all,
	 .verify = [](Bench &b) { return left(b, "----", -7); }},
	{.name = "v1-unmap/whole-window",
	 .row = unpins_row,
	 .stage = at,
	 .prepare = map_many_and_count,
	 .call = [](Bench &b) { return b.container().unmap(b.iova(0), b.info().dma32_window_size); },
	 .verify = all_unpinned,
	 .finish = [](Bench &b) { return b.map_pair(); }},

};

} // namespace

std::span<const Case> v1_unmap_cases() { return cases; }

} // namespace harness::abi
