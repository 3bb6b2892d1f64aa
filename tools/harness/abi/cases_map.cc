// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: MAP_DMA, in containers of both types where a row says so, and with registered memory.
#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

std::uint64_t end_of_memory(Bench &b) { return b.memory().address() + b.memory().size(); }

// Page 1 of a range of two cannot be mapped.
Result<> map_half_unregistered(Bench &b) { return map(b, b.iova(Bench::free_page), end_of_memory(b) - 4096, 2 * 4096); }
Result<> map_over(Bench &b) { return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit + 2), 4096); }
std::string new_is_there(Bench &b)
{
	return b.reaches(b.iova(Bench::free_page) + 3, Bench::free_unit + 2) ? b.counted(0, 0)
									     : "device does not reach the new memory";
}

// Pages 1 and 2 of four go to another unit.
Result<> map_over_middle(Bench &b)
{
	return map(b, b.iova(Bench::free_page + 1), b.vaddr(Bench::free_unit + 2), 2 * 4096);
}
std::string middle_is_replaced(Bench &b)
{
	Pieces across{b.at(Bench::free_unit, 4096 - 50, 50), b.at(Bench::free_unit + 2, 0, 2 * 4096).first(50)};
	if (b.writes(b.iova(Bench::free_page + 1) - 50, across) != Reach::arrived)
		return "device does not reach old and new side by side";
	if (!b.reaches(b.iova(Bench::free_page + 3) + 8, Bench::free_unit) &&
	    b.writes(b.iova(Bench::free_page + 3), {b.at(Bench::free_unit, 3 * 4096, 64)}) != Reach::arrived)
		return "device does not reach the old page behind the new ones";
	return b.counted(0, 0);
}

template <Access access>
std::string may_only(Bench &b)
{
	auto write = access == Access::read ? Reach::nothing : Reach::arrived;
	auto read = access == Access::read || platform().write_implies_read ? Reach::arrived : Reach::nothing;
	auto iova = b.iova(Bench::free_page) + 40;
	Pieces there{b.at(Bench::free_unit, 40, 200)};
	if (auto seen = b.writes(iova, there); seen != write)
		return fmt::format("device's write: {}", seen ? name_of(*seen) : "?");
	if (auto seen = b.reads(iova, there); seen != read)
		return fmt::format("device's read: {}", seen ? name_of(*seen) : "?");
	return "";
}

// Two registered regions, neighbours in memory; the range mapped begins in one and ends in the other.
Result<> register_extra_in_two(Bench &b)
{
	auto half = b.extra().size() / 2;
	if (auto done = b.container().register_memory(b.extra().address(), half); !done)
		return done;
	return b.container().register_memory(b.extra().address() + half, half);
}
Result<> map_over_both(Bench &b)
{
	return map(b, b.iova(Bench::free_page), b.extra().address() + b.extra().size() / 2 - 4096, 2 * 4096);
}
std::string both_are_reached(Bench &b)
{
	auto middle = b.extra().size() / 2;
	Pieces pieces{b.extra().bytes(middle - 100, 200)};
	return b.writes(b.iova(Bench::free_page + 1) - 100, pieces) == Reach::arrived ? ""
										      : "device does not reach both";
}
Result<> unregister_both(Bench &b)
{
	auto half = b.extra().size() / 2;
	if (auto done = unmap_free(b); !done)
		return done;
	if (auto done = b.container().unregister_memory(b.extra().address(), half); !done)
		return done;
	return b.container().unregister_memory(b.extra().address() + half, half);
}

// What a failed MAP wrote over still counts for its region, and what it wrote no longer for the other.
Result<> register_and_map_extra(Bench &b)
{
	auto done = register_extra(b);
	return done ? map(b, b.iova(Bench::free_page), b.extra().address(), 2 * 4096) : done;
}
std::string extra_counts(Bench &b)
{
	auto gone = unregister_extra(b);
	if (gone || gone.error() != Errno{EBUSY})
		return "UNREGISTER_MEMORY of what was mapped before: " + outcome(gone);
	if (auto done = b.container().unmap(b.iova(Bench::free_page + 1), 4096); !done)
		return "UNMAP_DMA: " + done.error().name();
	gone = unregister_extra(b);
	return gone || gone.error() != Errno{EBUSY} ? "UNREGISTER_MEMORY with one page left: " + outcome(gone) : "";
}
Result<> unmap_and_unregister_extra(Bench &b)
{
	auto done = unmap_free(b);
	return done ? unregister_extra(b) : done;
}

constexpr const char *end_row = "MAP: past the window's end: EINVAL (defects: the range is checked in full)";
constexpr const char *align_row = "MAP: unaligned: EINVAL";

constexpr auto both = Kinds::both;

const Case cases[] = {
	{.name = "map/not-ready",
	 .row = "MAP: not enabled (v1) or nothing registered (v2): EPERM",
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .kinds = both,
	 .call = as_it_should_be<Call::map>},
	{.name = "map/no-direction",
	 .row = "MAP: no direction: EINVAL",
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::flags, 0u>},
	{.name = "defect/map-zero",
	 .row = "MAP: size 0: EINVAL",
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::size, 0u>},
	{.name = "defect/map-unaligned",
	 .row = align_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = [](Bench &b) { return map_free(b, b.iova(Bench::free_page) + 1, 4096); }},
	{.name = "map/iova-unaligned-512",
	 .row = align_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = [](Bench &b) { return map_free(b, b.iova(Bench::free_page) + 512, 4096); }},
	{.name = "map/vaddr-unaligned",
	 .row = align_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = [](Bench &b) { return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit) + 8, 4096); }},
	{.name = "map/size-unaligned",
	 .row = align_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::size, 4097u>},
	{.name = "map/size-under-a-page",
	 .row = align_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::size, 1u>},
	{.name = "map/above-default",
	 .row = "MAP: no window there: ENXIO",
	 .expected = ENXIO,
	 .kinds = both,
	 .call = [](Bench &b) { return map_free(b, b.window_end(), 4096); }},
	{.name = "map/above-ddw",
	 .row = "MAP: no window there: ENXIO",
	 .expected = ENXIO,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return map_free(b, b.ddw->end(), b.ddw->page()); }},
	{.name = "map/below-ddw",
	 .row = "MAP: no window there: ENXIO",
	 .expected = ENXIO,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return map_free(b, b.ddw->start() - b.ddw->page(), b.ddw->page()); }},
	{.name = "map/last-address",
	 .row = "MAP: no window there: ENXIO",
	 .expected = {ENXIO, EINVAL},
	 .call = [](Bench &b) { return map_free(b, ~0ull - 4095, 4096); }},
	{.name = "defect/map-over-end",
	 .row = end_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = [](Bench &b) { return map_free(b, b.window_end() - 4096, 2 * 4096); }},
	{.name = "defect/map-over-end-of-ddw",
	 .row = end_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return map_free(b, b.ddw->end() - b.ddw->page(), 2 * b.ddw->page()); }},
	{.name = "defect/map-huge",
	 .row = end_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::size, 1ull << 40>},
	{.name = "defect/map-overflow",
	 .row = end_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::size, 0xfffffffffffff000u>},
	{.name = "map/vaddr-overflow",
	 .row = "MAP: memory not registered: EINVAL",
	 .expected = EINVAL,
	 .call = [](Bench &b) { return map(b, b.iova(Bench::free_page), ~0ull - 4095, 2 * 4096); }},
	{.name = "map/vaddr-null",
	 .row = "MAP: memory not registered: EINVAL",
	 .expected = EINVAL,
	 .call = with<Call::map, &Map::vaddr, 0u>},
	{.name = "map/unregistered",
	 .row = "MAP: memory not registered: EINVAL",
	 .expected = EINVAL,
	 .call = [](Bench &b) { return map(b, b.iova(Bench::free_page), b.extra().address(), 4096); }},
	{.name = "map/partly-unregistered",
	 .row = "MAP: memory not registered: EINVAL",
	 .expected = EINVAL,
	 .call = map_half_unregistered},
	{.name = "defect/rollback-keeps-earlier",
	 .row = "defects: rollback of a failed MAP: earlier mappings stay",
	 .expected = EINVAL,
	 .prepare = map_old,
	 .call = map_half_unregistered,
	 .verify = old_is_there,
	 .finish = unmap_free},
	{.name = "defect/failed-map-counts",
	 .row = "defects: failed exchange in v2: counts exact",
	 .expected = EINVAL,
	 .prepare = register_and_map_extra,
	 .call = map_half_unregistered,
	 .verify = extra_counts,
	 .finish = unmap_and_unregister_extra},
	{.name = "map/removed-default",
	 .row = "MAP: no window there: ENXIO",
	 .expected = ENXIO,
	 .prepare = [](Bench &b) { return b.container().tce_remove(b.info().dma32_window_start); },
	 .call = as_it_should_be<Call::map>,
	 .finish = [](Bench &b) { return b.restore_default(); }},
	{.name = "map/over-two-regions",
	 .row = "clients: must not notice the change of driver; in tree this works",
	 .prepare = register_extra_in_two,
	 .call = map_over_both,
	 .verify = both_are_reached,
	 .finish = unregister_both},
	{.name = "map/replaces",
	 .row = "MAP: over an existing mapping it replaces it",
	 .kinds = both,
	 .prepare = map_old,
	 .call = map_over,
	 .verify = new_is_there,
	 .finish = unmap_free},
	{.name = "map/replaces-itself",
	 .row = "MAP: over an existing mapping it replaces it",
	 .kinds = both,
	 .prepare = map_many_and_count,
	 .call = map_many,
	 .verify = [](Bench &b) -> std::string {
		 auto wrong = b.counted(0, 0);
		 return !wrong.empty() || b.reaches(b.iova(Bench::free_page) + 5, Bench::free_unit)
				? wrong
				: "device does not reach it";
	 },
	 .finish = unmap_free},
	{.name = "map/replaces-middle",
	 .row = "MAP: over an existing mapping it replaces it",
	 .kinds = both,
	 .prepare = map_many_and_count,
	 .call = map_over_middle,
	 .verify = middle_is_replaced,
	 .finish = unmap_free},
	{.name = "map/read-only",
	 .row = "MAP: READ as the device sees it",
	 .kinds = both,
	 .call =
		 [](Bench &b) {
			 return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit), 4096, Access::read);
		 },
	 .verify = may_only<Access::read>,
	 .finish = unmap_free},
	{.name = "map/write-only",
	 .row = "MAP: WRITE as the device sees it",
	 .kinds = both,
	 .call =
		 [](Bench &b) {
			 return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit), 4096, Access::write);
		 },
	 .verify = may_only<Access::write>,
	 .finish = unmap_free},
};

} // namespace

std::span<const Case> map_cases() { return cases; }

} // namespace harness::abi
