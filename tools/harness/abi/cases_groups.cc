// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: two PEs in one container. The machine has to have three with an edu: the second like the first, the third
// with other page sizes.
#include "abi/case.hh"

#include <algorithm>

#include "abi/join.hh"
#include "abi/maps.hh"
#include "lib/bare.hh"

namespace harness::abi
{

namespace
{

constexpr const char *two_row = "defects: second group on pSeries: works, windows mirrored";
constexpr const char *leaves_row = "defects: one of two groups leaves a container: the other's mappings stay";

Result<> leave(Bench &b)
{
	auto left = b.neighbour ? b.neighbour->leave() : Result<>{};
	b.neighbour.reset();
	return left;
}

// A device's write there arrives; the scratch lies in the default window.
bool neighbour_reaches(Bench &b, const Edu &edu, std::uint64_t ioba, std::size_t unit)
{
	Probe probe{edu, b.at(Bench::scratch_unit, 0, 4096), b.iova(Bench::scratch_page), b.memory().bytes()};
	return probe.write(ioba, {b.at(unit, ioba & 4095, 64)}) == Reach::arrived;
}
std::string both_reach(Bench &b, std::uint64_t ioba, std::size_t unit)
{
	if (!b.reaches(ioba, unit))
		return "the first device does not reach it";
	return neighbour_reaches(b, b.neighbour->edu(), ioba, unit) ? "" : "the second device does not reach it";
}

std::string new_map_in_both(Bench &b, std::uint64_t ioba, std::uint64_t page)
{
	if (auto done = map_free(b, ioba, page); !done)
		return "MAP_DMA with two groups: " + done.error().name();
	if (auto wrong = both_reach(b, ioba + 6, Bench::free_unit); !wrong.empty())
		return wrong;
	auto done = b.container().unmap(ioba, page);
	if (!done)
		return "UNMAP_DMA with two groups: " + done.error().name();
	bool reached = b.reaches(ioba + 6, Bench::free_unit) ||
		       neighbour_reaches(b, b.neighbour->edu(), ioba + 6, Bench::free_unit);
	return reached ? "a device reaches what is unmapped" : "";
}

std::string default_is_mirrored(Bench &b)
{
	if (!b.neighbour)
		return "";
	if (auto wrong = both_reach(b, b.iova(Bench::witness_page) + 3, Bench::witness_unit); !wrong.empty())
		return "what was mapped before: " + wrong;
	return new_map_in_both(b, b.iova(Bench::free_page), 4096);
}
std::string ddw_is_mirrored(Bench &b)
{
	if (!b.neighbour)
		return "";
	if (auto wrong = both_reach(b, b.ddw->start() + 3, Bench::ddw_unit); !wrong.empty())
		return "what was mapped before in the DDW: " + wrong;
	return new_map_in_both(b, b.ddw->start() + 5 * b.ddw->page(), b.ddw->page());
}

// A DDW made while both are there, and taken from both.
Result<> join_and_create(Bench &b)
{
	if (auto done = join<1>(b); !done)
		return done;
	auto window = Window::create(b.container(), page_shift(), Bench::ddw_size);
	if (!window)
		return std::unexpected{window.error()};
	b.ddw.emplace(std::move(*window));
	return b.container().map(b.ddw->start(), b.vaddr(Bench::ddw_unit), b.ddw->page(), Access::both);
}
std::string taken_from_both(Bench &b)
{
	if (!b.neighbour)
		return "";
	if (auto wrong = ddw_is_mirrored(b); !wrong.empty())
		return wrong;
	auto start = b.ddw->start();
	if (auto done = b.ddw->remove(); !done)
		return "TCE_REMOVE: " + done.error().name();
	b.ddw.reset();
	bool reached = b.reaches(start + 3, Bench::ddw_unit) ||
		       neighbour_reaches(b, b.neighbour->edu(), start + 3, Bench::ddw_unit);
	return reached ? "a device reaches a window that was removed" : "";
}

// The group that made the container leaves it, and comes back.
Result<> first_leaves(Bench &b)
{
	b.rig().close_device();
	return b.group().unset_container();
}
std::string second_has_all(Bench &b)
{
	return neighbour_reaches(b, b.neighbour->edu(), b.iova(Bench::witness_page) + 3, Bench::witness_unit)
		       ? ""
		       : "the second device has lost what was mapped";
}
Result<> first_comes_back(Bench &b)
{
	if (auto done = b.group().set_container(b.container()); !done)
		return done;
	if (auto done = b.rig().open_device(); !done)
		return done;
	return leave(b);
}

// What is left works as before, and the device that left reaches nothing by the default window's addresses.
std::string first_goes_on(Bench &b)
{
	for (auto [ioba, page] : {std::pair{b.iova(Bench::free_page), std::uint64_t{4096}},
				  std::pair{b.ddw->start() + 5 * b.ddw->page(), b.ddw->page()}}) {
		if (auto done = map_free(b, ioba, page); !done)
			return "MAP_DMA: " + done.error().name();
		if (!b.reaches(ioba + 6, Bench::free_unit))
			return "the first device does not reach a new mapping";
		if (auto done = b.container().unmap(ioba, page); !done)
			return "UNMAP_DMA: " + done.error().name();
	}
	auto function = other_pe(b.function());
	auto edu = function ? bare_edu(*function) : Result<Edu>{std::unexpected{function.error()}};
	if (!edu)
		return "the device that left: " + edu.error().name();
	auto there = b.at(Bench::witness_unit, 3, 64);
	std::vector<std::byte> before(there.begin(), there.end());
	if (auto moved = edu->to_ram(100, b.iova(Bench::witness_page) + 3, 64); !moved)
		return "the device that left: " + moved.error().name();
	return std::ranges::equal(there, before) ? "" : "the device that left still reaches what is mapped";
}

const Case cases[] = {
	{.name = "defect/two-groups", .row = two_row, .call = join<1>, .verify = default_is_mirrored, .finish = leave},
	{.name = "defect/two-groups-with-ddw",
	 .row = two_row,
	 .stage = Stage::with_ddw,
	 .call = join<1>,
	 .verify = ddw_is_mirrored,
	 .finish = leave},
	{.name = "defect/two-groups-create",
	 .row = "CREATE: in every group; REMOVE: takes it from every group",
	 .call = join_and_create,
	 .verify = taken_from_both,
	 .finish = leave},
	{.name = "defect/one-of-two-groups-leaves",
	 .row = leaves_row,
	 .stage = Stage::with_ddw,
	 .prepare = join<1>,
	 .call = leave,
	 .verify = [](Bench &b) -> std::string {
		 return b.reaches(b.iova(Bench::witness_page) + 3, Bench::witness_unit) &&
					b.reaches(b.ddw->start() + 3, Bench::ddw_unit)
				? ""
				: "the first device has lost what was mapped";
	 }},
	{.name = "defect/first-of-two-groups-leaves",
	 .row = leaves_row,
	 .prepare = join<1>,
	 .call = first_leaves,
	 .verify = second_has_all,
	 .finish = first_comes_back},
	{.name = "powernv/two-groups-share",
	 .row = "PowerNV: several groups share one table: a further one is charged nothing",
	 .stage = Stage::with_ddw,
	 .prepare = count,
	 .call = join<1>,
	 .verify = [](Bench &b) -> std::string {
		 auto wrong = b.counted(0, 0);
		 return wrong.empty() ? ddw_is_mirrored(b) : wrong;
	 },
	 .finish = leave},
	{.name = "powernv/one-leaves-and-the-other-goes-on",
	 .row = leaves_row,
	 .stage = Stage::with_ddw,
	 .prepare = join<1>,
	 .call = leave,
	 .verify = first_goes_on},
	{.name = "set-container/incompatible-group",
	 .row = "SET_IOMMU 7: several groups, if their windows are compatible",
	 .expected = Expected::any_error(),
	 .prepare = [](Bench &b) { return other_pe(b.function(), 2) ? Result<>{} : Result<>{fail(ENODEV)}; },
	 .call = join<2>},
};

} // namespace

std::span<const Case> group_cases() { return cases; }

} // namespace harness::abi
