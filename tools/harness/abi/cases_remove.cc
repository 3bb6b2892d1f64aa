// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: TCE_REMOVE.
#include "abi/case.hh"
#include "abi/faults.hh"

namespace harness::abi
{

namespace
{

constexpr const char *none_row = "REMOVE: no such window, or an address inside one: EINVAL";

Result<> remove(Bench &b, std::uint64_t start) { return b.container().tce_remove(start); }

Result<> remove_default(Bench &b) { return remove(b, b.info().dma32_window_start); }

Result<> remove_ddw(Bench &b)
{
	b.created = b.ddw->start();
	auto done = b.ddw->remove();
	if (done)
		b.ddw.reset();
	return done;
}

std::string ddw_is_gone(Bench &b)
{
	auto mapped = b.container().map(*b.created, b.vaddr(Bench::free_unit), page_size(), Access::both);
	if (mapped || mapped.error() != Errno{ENXIO})
		return "MAP_DMA there: " + outcome(mapped);
	auto reach = b.writes(*b.created, {b.at(Bench::ddw_unit, 0, 64)});
	return reach == Reach::nothing ? "" : "device reaches what was mapped in it";
}

// As restore, where nothing is registered that could be mapped in it.
Result<> bring_back(Bench &b)
{
	auto start = b.container().tce_create(12, b.info().dma32_window_size, 1);
	return start ? Result<>{} : Result<>{std::unexpected{start.error()}};
}
Result<> restore(Bench &b) { return b.restore_default(); }

const Case cases[] = {
	{.name = "remove/nowhere",
	 .row = none_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return remove(b, b.window_end() + (1ull << 40)); }},
	{.name = "remove/last-address",
	 .row = none_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return remove(b, ~0ull); }},
	{.name = "defect/remove-inside-default",
	 .row = none_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return remove(b, b.iova(1)); }},
	{.name = "remove/one-byte-inside-default",
	 .row = none_row,
	 .expected = EINVAL,
	 .call = [](Bench &b) { return remove(b, b.iova(0) + 1); }},
	{.name = "remove/inside-pending-default",
	 .row = none_row,
	 .expected = EINVAL,
	 .stage = Stage::fresh,
	 .call = [](Bench &b) { return remove(b, b.iova(1)); }},
	{.name = "defect/remove-inside-ddw",
	 .row = none_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return remove(b, b.ddw->start() + b.ddw->page()); }},
	{.name = "remove/one-byte-inside-ddw",
	 .row = none_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return remove(b, b.ddw->start() + 1); }},
	{.name = "remove/end-of-ddw",
	 .row = none_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = [](Bench &b) { return remove(b, b.ddw->end()); }},
	{.name = "remove/twice",
	 .row = none_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .prepare = remove_ddw,
	 .call = [](Bench &b) { return remove(b, *b.created); },
	 .afterwards = Afterwards::changed},
	{.name = "remove/default-twice",
	 .row = none_row,
	 .expected = EINVAL,
	 .prepare = remove_default,
	 .call = remove_default,
	 .finish = restore},
	{.name = "remove/ddw-with-mappings",
	 .row = "REMOVE: unmaps it, takes it from every group, undoes its accounting",
	 .stage = Stage::with_ddw,
	 .call = remove_ddw,
	 .verify = ddw_is_gone,
	 .afterwards = Afterwards::changed},
	{.name = "remove/untouched-default",
	 .row = "clients: QEMU's first call; it must succeed though never touched",
	 .stage = Stage::fresh,
	 .call = remove_default,
	 .finish = bring_back,
	 .afterwards = Afterwards::changed},
	{.name = "remove/untouched-default-twice",
	 .row = none_row,
	 .expected = EINVAL,
	 .stage = Stage::fresh,
	 .prepare = remove_default,
	 .call = remove_default,
	 .finish = bring_back,
	 .afterwards = Afterwards::changed},
};

} // namespace

std::span<const Case> remove_cases() { return cases; }

} // namespace harness::abi
