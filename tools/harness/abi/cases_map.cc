// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: MAP_DMA.
#include "abi/case.hh"
#include "abi/faults.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

Result<> map(Bench &b, std::uint64_t iova, std::uint64_t vaddr, std::uint64_t size, Access access = Access::both)
{
	return b.container().map(iova, vaddr, size, access);
}
Result<> map_free(Bench &b, std::uint64_t iova, std::uint64_t size)
{
	return map(b, iova, b.vaddr(Bench::free_unit), size);
}

Result<> unmap_free(Bench &b) { return b.container().unmap(b.iova(Bench::free_page), 4 * 4096); }

std::uint64_t end_of_memory(Bench &b) { return b.memory().address() + b.memory().size(); }

// Page 1 of a range of two cannot be mapped, page 0 is mapped already, to another unit.
Result<> map_old(Bench &b) { return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit + 1), 4096); }
Result<> map_half_unregistered(Bench &b) { return map(b, b.iova(Bench::free_page), end_of_memory(b) - 4096, 2 * 4096); }
std::string old_is_there(Bench &b)
{
	return b.reaches(b.iova(Bench::free_page) + 3, Bench::free_unit + 1) ? ""
									     : "what was mapped there before is gone";
}

Result<> map_over(Bench &b) { return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit + 2), 4096); }
std::string new_is_there(Bench &b)
{
	return b.reaches(b.iova(Bench::free_page) + 3, Bench::free_unit + 2) ? ""
									     : "device does not reach the new memory";
}

template <Access access>
std::string may_only(Bench &b)
{
	auto write = access == Access::read ? Reach::nothing : Reach::arrived;
	auto read = access == Access::read || write_implies_read() ? Reach::arrived : Reach::nothing;
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

// Pages of a DDW that are larger than the processor's, over memory of base pages only.
unsigned larger_shift(Bench &b)
{
	auto larger = b.info().ddw.pgsizes & ~(2 * page_size() - 1);
	return larger ? static_cast<unsigned>(__builtin_ctzll(larger)) : 0;
}
const char *needs_larger_pages(Bench &b)
{
	auto shift = larger_shift(b);
	if (shift == 0)
		return "no IOMMU page size above the kernel's";
	return shift > 24 ? "needs too much memory" : nullptr;
}
Result<> register_for_larger(Bench &b)
{
	auto shift = larger_shift(b);
	auto own = Buffer::anonymous(2ull << shift, 1ull << shift);
	if (!own)
		return std::unexpected{own.error()};
	b.own.emplace(std::move(*own));
	if (auto done = b.container().register_memory(b.own->address(), b.own->size()); !done)
		return done;
	auto window = Window::create(b.container(), shift, 16ull << shift);
	if (!window)
		return std::unexpected{window.error()};
	b.ddw.emplace(std::move(*window));
	return {};
}
Result<> undo_larger(Bench &b)
{
	if (auto done = b.ddw->remove(); !done)
		return done;
	b.ddw.reset();
	return b.container().unregister_memory(b.own->address(), b.own->size());
}

constexpr const char *end_row = "MAP: past the window's end: EINVAL (defects: the range is checked in full)";
constexpr const char *align_row = "MAP: unaligned: EINVAL";

const Case cases[] = {
	{.name = "map/nothing-registered",
	 .row = "MAP: nothing registered: EPERM",
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = as_it_should_be<Call::map>},
	{.name = "map/no-direction",
	 .row = "MAP: no direction: EINVAL",
	 .expected = EINVAL,
	 .call = with<Call::map, &Map::flags, 0u>},
	{.name = "map/size-zero",
	 .row = "MAP: size 0: EINVAL",
	 .expected = EINVAL,
	 .call = with<Call::map, &Map::size, 0u>},
	{.name = "map/iova-unaligned",
	 .row = align_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return map_free(b, b.iova(Bench::free_page) + 1, 4096); }},
	{.name = "map/iova-unaligned-512",
	 .row = align_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return map_free(b, b.iova(Bench::free_page) + 512, 4096); }},
	{.name = "map/vaddr-unaligned",
	 .row = align_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit) + 8, 4096); }},
	{.name = "map/size-unaligned",
	 .row = align_row,
	 .expected = EINVAL,
	 .call = with<Call::map, &Map::size, 4097u>},
	{.name = "map/size-under-a-page",
	 .row = align_row,
	 .expected = EINVAL,
	 .call = with<Call::map, &Map::size, 1u>},
	{.name = "map/page-of-kernel-in-larger-iommu-page",
	 .row = align_row,
	 .expected = EINVAL,
	 .prepare = register_for_larger,
	 .call = [](Bench &b) { return map(b, b.ddw->start() + page_size(), b.own->address(), page_size()); },
	 .finish = undo_larger,
	 .inapplicable = needs_larger_pages},
	{.name = "map/above-default",
	 .row = "MAP: no window there: ENXIO",
	 .expected = ENXIO,
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
	{.name = "map/over-end-of-default",
	 .row = end_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return map_free(b, b.window_end() - 4096, 2 * 4096); }},
	{.name = "map/over-end-of-ddw",
	 .row = end_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return map_free(b, b.ddw->end() - b.ddw->page(), 2 * b.ddw->page()); }},
	{.name = "map/size-huge", .row = end_row, .expected = EINVAL, .call = with<Call::map, &Map::size, 1ull << 40>},
	{.name = "map/size-overflow",
	 .row = end_row,
	 .expected = EINVAL,
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
	{.name = "map/rollback-keeps-older",
	 .row = "defects: rollback of a failed MAP: earlier mappings stay",
	 .expected = EINVAL,
	 .prepare = map_old,
	 .call = map_half_unregistered,
	 .verify = old_is_there,
	 .finish = unmap_free},
	{.name = "map/iommu-page-too-large",
	 .row = "MAP: IOMMU page larger than the memory behind it: EPERM",
	 .expected = {EPERM, EINVAL},
	 .prepare = register_for_larger,
	 .call = [](Bench &b) { return map(b, b.ddw->start(), b.own->address(), b.ddw->page()); },
	 .finish = undo_larger,
	 .inapplicable = needs_larger_pages},
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
	 .prepare = map_old,
	 .call = map_over,
	 .verify = new_is_there,
	 .finish = unmap_free},
	{.name = "map/read-only",
	 .row = "MAP: READ as the device sees it",
	 .call =
		 [](Bench &b) {
			 return map(b, b.iova(Bench::free_page), b.vaddr(Bench::free_unit), 4096, Access::read);
		 },
	 .verify = may_only<Access::read>,
	 .finish = unmap_free},
	{.name = "map/write-only",
	 .row = "MAP: WRITE as the device sees it",
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
