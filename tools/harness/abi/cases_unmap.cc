// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: UNMAP_DMA, in containers of both types where a row says so.
#include "abi/case.hh"
#include "abi/faults.hh"

namespace harness::abi
{

namespace
{

constexpr const char *as_map_row = "UNMAP: errors as MAP_DMA";
constexpr const char *end_row = "UNMAP: past the window's end: EINVAL (defects: the range is checked in full)";
constexpr std::uint64_t holes = 9; // pages of a range of which the first, the fifth and the last are mapped

Result<> unmap(Bench &b, std::uint64_t iova, std::uint64_t size) { return b.container().unmap(iova, size); }

Result<> map_every_fourth(Bench &b)
{
	for (std::uint64_t page = 0; page < holes; page += 4) {
		auto unit = Bench::free_unit + page / 4;
		if (auto done = b.container().map(b.iova(Bench::free_page + page), b.vaddr(unit), 4096, Access::both);
		    !done)
			return done;
	}
	return {};
}

Result<> unmap_all(Bench &b) { return unmap(b, b.iova(Bench::free_page), holes * 4096); }

std::string none_is_left(Bench &b)
{
	for (std::uint64_t page = 0; page < holes; page += 4)
		if (b.writes(b.iova(Bench::free_page + page), {b.at(Bench::free_unit + page / 4, 0, 64)}) !=
		    Reach::nothing)
			return fmt::format("device reaches page {}", page);
	return "";
}

std::string all_are_left(Bench &b)
{
	for (std::uint64_t page = 0; page < holes; page += 4)
		if (!b.reaches(b.iova(Bench::free_page + page), Bench::free_unit + page / 4))
			return fmt::format("device does not reach page {}", page);
	return "";
}

constexpr auto both = Kinds::both;

const Case cases[] = {
	{.name = "unmap/not-ready",
	 .row = as_map_row,
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .kinds = both,
	 .call = as_it_should_be<Call::unmap>},
	{.name = "defect/unmap-zero",
	 .row = "UNMAP: size 0: EINVAL",
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::unmap, &Unmap::size, 0u>},
	{.name = "defect/unmap-unaligned",
	 .row = as_map_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = [](Bench &b) { return unmap(b, b.iova(Bench::free_page) + 16, 4096); }},
	{.name = "unmap/size-unaligned",
	 .row = as_map_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::unmap, &Unmap::size, 4095u>},
	{.name = "unmap/above-default",
	 .row = as_map_row,
	 .expected = ENXIO,
	 .kinds = both,
	 .call = [](Bench &b) { return unmap(b, b.window_end(), 4096); }},
	{.name = "unmap/above-ddw",
	 .row = as_map_row,
	 .expected = ENXIO,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return unmap(b, b.ddw->end(), b.ddw->page()); }},
	{.name = "defect/unmap-over-end",
	 .row = end_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .prepare = map_every_fourth,
	 .call = [](Bench &b) { return unmap(b, b.iova(0), std::uint64_t{b.info().dma32_window_size} + 4096); },
	 .verify = all_are_left,
	 .finish = unmap_all},
	{.name = "defect/unmap-over-end-of-ddw",
	 .row = end_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return unmap(b, b.ddw->end() - b.ddw->page(), 2 * b.ddw->page()); }},
	{.name = "unmap/nothing-there",
	 .row = "UNMAP: holes are fine",
	 .kinds = both,
	 .call = as_it_should_be<Call::unmap>},
	{.name = "unmap/pending-default",
	 .row = "UNMAP: holes are fine; the default window counts as present",
	 .stage = Stage::fresh,
	 .prepare = register_extra,
	 .call = as_it_should_be<Call::unmap>,
	 .finish = unregister_extra,
	 .afterwards = Afterwards::changed},
	{.name = "unmap/removed-default",
	 .row = as_map_row,
	 .expected = ENXIO,
	 .prepare = [](Bench &b) { return b.container().tce_remove(b.info().dma32_window_start); },
	 .call = as_it_should_be<Call::unmap>,
	 .finish = [](Bench &b) { return b.restore_default(); }},
	{.name = "unmap/over-many",
	 .row = "UNMAP: whatever is mapped in the range, over many maps, holes between",
	 .kinds = both,
	 .prepare = map_every_fourth,
	 .call = unmap_all,
	 .verify = none_is_left},
	{.name = "unmap/whole-ddw",
	 .row = "UNMAP: whatever is mapped in the range",
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return unmap(b, b.ddw->start(), b.ddw->size()); },
	 .verify = [](Bench &b) -> std::string {
		 auto reach = b.writes(b.ddw->start(), {b.at(Bench::ddw_unit, 0, 64)});
		 return reach == Reach::nothing ? "" : "device still reaches it";
	 },
	 .finish =
		 [](Bench &b) {
			 return b.container().map(b.ddw->start(), b.vaddr(Bench::ddw_unit), b.ddw->page(),
						  Access::both);
		 }},
	// Last, because a driver that counts through it is lost in it, and the device with it.
	{.name = "defect/unmap-huge",
	 .row = end_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::unmap, &Unmap::size, 1ull << 40>},
	{.name = "defect/unmap-overflow",
	 .row = end_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::unmap, &Unmap::size, 0xfffffffffffff000u>},
};

} // namespace

std::span<const Case> unmap_cases() { return cases; }

} // namespace harness::abi
