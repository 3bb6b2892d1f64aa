// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: a v2 container on a PE without DDW, which the module parameter v2_without_ddw allows: the default window,
// which can go and come back, and no other.
#include "abi/case.hh"
#include "abi/maps.hh"

namespace harness::abi
{

namespace
{

constexpr const char *other_row = "SET_IOMMU: without DDW any CREATE but that of the default window is EINVAL";
constexpr const char *default_row = "SET_IOMMU: without DDW REMOVE and CREATE of exactly the default window work";

Result<> remove_default(Bench &b) { return b.container().tce_remove(b.info().dma32_window_start); }

template <std::uint32_t shift, int size_shift, std::uint32_t levels>
Result<> create(Bench &b)
{
	std::uint64_t size = b.info().dma32_window_size;
	auto start = b.container().tce_create(shift, size_shift < 0 ? size >> -size_shift : size << size_shift, levels);
	if (!start)
		return std::unexpected{start.error()};
	b.created = *start;
	return {};
}

std::string default_is_gone(Bench &b)
{
	auto mapped = map_free(b, b.iova(Bench::free_page), 4096);
	if (mapped || mapped.error() != Errno{ENXIO})
		return "MAP_DMA there: " + outcome(mapped);
	auto reach = b.writes(b.iova(Bench::witness_page), {b.at(Bench::witness_unit, 0, 64)});
	return reach == Reach::nothing ? "" : "device reaches what was mapped in it";
}
Result<> restore(Bench &b) { return b.restore_default(); }

// Where it was, and empty.
std::string default_is_new(Bench &b)
{
	if (b.created != b.info().dma32_window_start)
		return fmt::format("it starts at {:#x}", *b.created);
	if (auto done = map(b, b.iova(Bench::scratch_page), b.vaddr(Bench::scratch_unit), 4096); !done)
		return "MAP_DMA of the scratch: " + done.error().name();
	auto reach = b.writes(b.iova(Bench::witness_page), {b.at(Bench::witness_unit, 0, 64)});
	return reach == Reach::nothing ? "" : "device reaches what was mapped in the old one";
}
Result<> map_again(Bench &b) { return b.map_pair(); }

const Case cases[] = {
	{.name = "no-ddw/get-info",
	 .row = "SET_IOMMU: without DDW no DDW flag in GET_INFO",
	 .stage = Stage::fresh,
	 .call = as_it_should_be<Call::get_info>,
	 .verify = [](Bench &b) -> std::string {
		 if (b.info().dma32_window_size == 0)
			 return "no default window";
		 return b.info().flags || b.info().ddw.pgsizes ? "it tells of a DDW" : "";
	 }},
	{.name = "no-ddw/map",
	 .row = "SET_IOMMU: without DDW REGISTER and MAP work in the default window",
	 .call = as_it_should_be<Call::map>,
	 .verify = [](Bench &b) -> std::string {
		 return b.reaches(b.iova(Bench::free_page) + 5, Bench::free_unit) ? "" : "device does not reach it";
	 },
	 .finish = unmap_free},
	{.name = "no-ddw/map-above-default",
	 .row = "MAP: no window there: ENXIO",
	 .expected = ENXIO,
	 .call = [](Bench &b) { return map_free(b, 1ull << 59, 4096); }},
	{.name = "no-ddw/remove-default",
	 .row = default_row,
	 .call = remove_default,
	 .verify = default_is_gone,
	 .finish = restore},
	{.name = "no-ddw/remove-twice",
	 .row = "REMOVE: no such window: EINVAL",
	 .expected = EINVAL,
	 .prepare = remove_default,
	 .call = remove_default,
	 .finish = restore},
	{.name = "no-ddw/create-default",
	 .row = default_row,
	 .prepare = remove_default,
	 .call = create<12, 0, 1>,
	 .verify = default_is_new,
	 .finish = map_again},
	{.name = "no-ddw/create-default-levels-2",
	 .row = "clients: QEMU begins with two levels on a host of 4 KiB pages",
	 .prepare = remove_default,
	 .call = create<12, 0, 2>,
	 .verify = default_is_new,
	 .finish = map_again},
	{.name = "no-ddw/create-beside-default",
	 .row = other_row,
	 .expected = {EINVAL, ENOSPC},
	 .call = create<12, 0, 1>},
	{.name = "no-ddw/create-64k-beside-default",
	 .row = other_row,
	 .expected = {EINVAL, ENOSPC},
	 .call = create<16, 0, 1>},
	{.name = "no-ddw/create-smaller",
	 .row = other_row,
	 .expected = EINVAL,
	 .prepare = remove_default,
	 .call = create<12, -1, 1>,
	 .finish = restore},
	{.name = "no-ddw/create-larger",
	 .row = other_row,
	 .expected = EINVAL,
	 .prepare = remove_default,
	 .call = create<12, 1, 1>,
	 .finish = restore},
	{.name = "no-ddw/create-64k",
	 .row = other_row,
	 .expected = EINVAL,
	 .prepare = remove_default,
	 .call = create<16, 0, 1>,
	 .finish = restore},
	{.name = "no-ddw/create-default-levels-0",
	 .row = "clients: QEMU 10.1 and later may ask for 0 levels",
	 .prepare = remove_default,
	 .call = create<12, 0, 0>,
	 .verify = default_is_new,
	 .finish = map_again},
};

} // namespace

std::span<const Case> no_ddw_cases() { return cases; }

} // namespace harness::abi
