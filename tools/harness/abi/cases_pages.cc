// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: MAP_DMA where IOMMU pages are larger than the kernel's.
#include "abi/case.hh"
#include "abi/maps.hh"

namespace harness::abi
{

namespace
{

// Pages of a DDW that are larger than the processor's, over memory of base pages only.
unsigned larger_shift(Bench &b)
{
	auto larger = b.info().ddw.pgsizes & ~(2 * page_size() - 1);
	return larger ? static_cast<unsigned>(__builtin_ctzll(larger)) : 0;
}
Result<> register_own_and_create(Bench &b, unsigned shift)
{
	if (auto done = b.container().register_memory(b.own->address(), b.own->size()); !done)
		return done;
	auto window = Window::create(b.container(), shift, 16ull << shift);
	if (!window)
		return std::unexpected{window.error()};
	b.ddw.emplace(std::move(*window));
	return {};
}
Result<> register_for_larger(Bench &b)
{
	auto shift = larger_shift(b);
	if (shift == 0 || shift > 24)
		return fail(EOPNOTSUPP);
	auto own = Buffer::anonymous(2ull << shift, 1ull << shift);
	if (!own)
		return std::unexpected{own.error()};
	b.own.emplace(std::move(*own));
	return register_own_and_create(b, shift);
}
Result<> undo_larger(Bench &b)
{
	if (auto done = b.ddw->remove(); !done)
		return done;
	b.ddw.reset();
	return b.container().unregister_memory(b.own->address(), b.own->size());
}

const Case cases[] = {
	{.name = "map/page-of-kernel-in-larger-iommu-page",
	 .row = "MAP: unaligned: EINVAL",
	 .expected = EINVAL,
	 .prepare = register_for_larger,
	 .call = [](Bench &b) { return map(b, b.ddw->start() + page_size(), b.own->address(), page_size()); },
	 .finish = undo_larger},
	{.name = "map/iommu-page-too-large",
	 .row = "MAP: IOMMU page larger than the memory behind it: EPERM",
	 .expected = {EPERM, EINVAL},
	 .prepare = register_for_larger,
	 .call = [](Bench &b) { return map(b, b.ddw->start(), b.own->address(), b.ddw->page()); },
	 .finish = undo_larger},
};

} // namespace

std::span<const Case> page_cases() { return cases; }

} // namespace harness::abi
