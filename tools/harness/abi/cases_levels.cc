// SPDX-License-Identifier: GPL-2.0-only
// ABI.md on bare metal: tables in our memory. They have levels, which are made where something is mapped and charged to
// the user, and they end where the window does, though their memory goes on.
#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

constexpr std::uint64_t large = 1ull << 36;
constexpr std::uint64_t small_pages = 16; // far less than the TCEs in a page of the kernel's

constexpr const char *levels_row = "PowerNV: levels 1 to 5: at least as many as asked for, more where it needs them";
constexpr const char *end_row = "defects: a window whose table is rounded up: the end that was asked for counts";

Result<> make(Bench &b, std::uint64_t size, std::uint32_t levels)
{
	auto window = Window::create(b.container(), page_shift(), size, levels);
	if (!window)
		return std::unexpected{window.error()};
	b.ddw.emplace(std::move(*window));
	return {};
}
Result<> unmake(Bench &b)
{
	b.limit.reset();
	auto removed = b.ddw ? b.ddw->remove() : Result<>{};
	b.ddw.reset();
	return removed;
}

template <std::uint32_t levels>
Result<> make_large(Bench &b)
{
	return make(b, large, levels);
}

std::uint64_t last_page(Bench &b) { return b.ddw->end() - page_size(); }
Result<> map_page(Bench &b, std::uint64_t iova, std::size_t unit) { return map(b, iova, b.vaddr(unit), page_size()); }

// First page, last page, and between them no level at all.
std::string ends_work(Bench &b)
{
	if (!b.ddw)
		return "";
	if (auto done = map_page(b, b.ddw->start(), Bench::free_unit); !done)
		return "MAP_DMA of the first page: " + done.error().name();
	if (auto done = map_page(b, last_page(b), Bench::free_unit + 1); !done)
		return "MAP_DMA of the last page: " + done.error().name();
	if (!b.reaches(b.ddw->start() + 5, Bench::free_unit) || !b.reaches(last_page(b) + 6, Bench::free_unit + 1))
		return "device does not reach them";
	if (b.writes(b.ddw->start() + large / 2 + 5, {b.at(Bench::free_unit + 2, 0, 64)}) != Reach::nothing)
		return "device writes somewhere from an address between them";
	if (auto done = b.container().unmap(b.ddw->start(), large); !done)
		return "UNMAP_DMA of all of it: " + done.error().name();
	bool reached =
		b.reaches(b.ddw->start() + 5, Bench::free_unit) || b.reaches(last_page(b) + 6, Bench::free_unit + 1);
	return reached ? "device reaches what is unmapped" : "";
}

// A page is mapped at the beginning; what the next level would cost may not be locked.
Result<> at_the_limit(Bench &b)
{
	if (auto done = make_large<2>(b); !done)
		return done;
	if (auto done = map_page(b, b.ddw->start(), Bench::free_unit); !done)
		return done;
	if (auto done = limit_to_nothing(b); !done)
		return done;
	return count(b);
}
std::string undone_and_possible(Bench &b)
{
	if (auto wrong = b.counted(0, 0); !wrong.empty())
		return wrong;
	if (!b.reaches(b.ddw->start() + 5, Bench::free_unit))
		return "device does not reach what was mapped before";
	if (b.writes(last_page(b), {b.at(Bench::free_unit + 1, 0, 64)}) != Reach::nothing)
		return "device writes where the failed MAP would be";
	b.limit.reset();
	if (auto done = map_page(b, last_page(b), Bench::free_unit + 1); !done)
		return "MAP_DMA without the limit: " + done.error().name();
	return b.reaches(last_page(b) + 6, Bench::free_unit + 1) ? "" : "device does not reach it";
}

Result<> make_small(Bench &b) { return make(b, small_pages * page_size(), 1); }

const Case cases[] = {
	{.name = "powernv/levels-1",
	 .row = levels_row,
	 .expected = of_levels(1),
	 .call = make_large<1>,
	 .verify = ends_work,
	 .finish = unmake},
	{.name = "powernv/levels-2",
	 .row = levels_row,
	 .expected = of_levels(2),
	 .call = make_large<2>,
	 .verify = ends_work,
	 .finish = unmake},
	{.name = "powernv/levels-3",
	 .row = levels_row,
	 .expected = of_levels(3),
	 .call = make_large<3>,
	 .verify = ends_work,
	 .finish = unmake},
	{.name = "powernv/levels-4",
	 .row = levels_row,
	 .expected = of_levels(4),
	 .call = make_large<4>,
	 .verify = ends_work,
	 .finish = unmake},
	{.name = "powernv/levels-5",
	 .row = levels_row,
	 .expected = of_levels(5),
	 .call = make_large<5>,
	 .verify = ends_work,
	 .finish = unmake},
	{.name = "powernv/unmap-missing-levels",
	 .row = "UNMAP: holes are fine",
	 .prepare = make_large<2>,
	 .call = [](Bench &b) { return b.container().unmap(b.ddw->start(), large); },
	 .finish = unmake},
	{.name = "powernv/level-over-limit",
	 .row = "defects: a table level cannot be allocated in mid-map: ENOMEM, undone",
	 .expected = ENOMEM,
	 .prepare = at_the_limit,
	 .call = [](Bench &b) { return map_page(b, last_page(b), Bench::free_unit + 1); },
	 .verify = undone_and_possible,
	 .finish = unmake},
	{.name = "powernv/map-over-small-window",
	 .row = end_row,
	 .expected = EINVAL,
	 .prepare = make_small,
	 .call = [](Bench &b) { return map_free(b, last_page(b), 2 * page_size()); },
	 .finish = unmake},
	{.name = "powernv/map-above-small-window",
	 .row = end_row,
	 .expected = ENXIO,
	 .prepare = make_small,
	 .call = [](Bench &b) { return map_free(b, b.ddw->end(), page_size()); },
	 .finish = unmake},
	{.name = "powernv/unmap-over-small-window",
	 .row = end_row,
	 .expected = EINVAL,
	 .prepare = make_small,
	 .call = [](Bench &b) { return b.container().unmap(last_page(b), 2 * page_size()); },
	 .finish = unmake},
	{.name = "powernv/last-page-of-small-window",
	 .row = end_row,
	 .prepare = make_small,
	 .call = [](Bench &b) { return map_page(b, last_page(b), Bench::free_unit); },
	 .verify = [](Bench &b) -> std::string {
		 return b.reaches(last_page(b) + 6, Bench::free_unit) ? "" : "device does not reach it";
	 },
	 .finish = unmake},
};

} // namespace

// As the platform has it: all levels are alike, of a page of the kernel's or more, and 55 bits is what they translate.
Expected of_levels(unsigned count)
{
	if (count == 0)
		return platform().tables_in_memory ? Expected{EINVAL} : Expected{0};
	bool too_many = (page_shift() - 3) * count + page_shift() >= 55;
	return platform().tables_in_memory && too_many ? Expected{0, EINVAL} : Expected{0};
}

std::span<const Case> level_cases() { return cases; }

} // namespace harness::abi
