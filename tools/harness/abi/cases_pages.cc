// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: MAP_DMA where IOMMU pages are larger than the kernel's.
#include <algorithm>

#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/sysfs.hh"

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

constexpr std::size_t huge = 1 << 21;

// Memory for which the kernel takes one transparent huge page.
Result<Buffer> transparent_huge_page()
{
	auto memory = Buffer::reserved(huge, huge);
	if (!memory || !memory->protect(PROT_READ | PROT_WRITE))
		return std::unexpected{Errno{ENOMEM}};
	auto bytes = memory->bytes();
	if (::madvise(bytes.data(), huge, MADV_HUGEPAGE) != 0)
		return std::unexpected{Errno{errno}};
	bytes[0] = std::byte{1};
	if (field(read_file("/proc/self/smaps_rollup").value_or(""), "AnonHugePages").value_or(0) < huge >> 10)
		return std::unexpected{Errno{EOPNOTSUPP}};
	return memory;
}

// The small pages of one transparent huge page, the last one first: each says that it is part of something large, and
// its neighbour in memory is not the one that the process sees behind it.
Result<> lay_backwards(const Buffer &own, std::size_t offset, std::size_t count)
{
	auto donor = transparent_huge_page();
	if (!donor)
		return std::unexpected{donor.error()};
	auto from = donor->bytes();
	for (std::size_t at = 0; at < count; at += page_size()) {
		auto to = own.bytes().data() + offset + at;
		if (::mremap(from.data() + count - page_size() - at, page_size(), page_size(),
			     MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
			return fail_errno();
	}
	return {};
}

// One region: a huge page, then as much as an IOMMU page is, of small pages.
Result<> register_mixed(Bench &b)
{
	auto shift = larger_shift(b);
	if (shift == 0 || shift > 21)
		return fail(EOPNOTSUPP);
	auto first = memory_file(huge, 21);
	auto own = Buffer::reserved(huge + (1ull << shift), huge);
	if (!first || !own)
		return fail(ENOMEM);
	if (auto laid = own->overlay(0, huge, first->get()); !laid)
		return laid;
	if (auto laid = lay_backwards(*own, huge, 1ull << shift); !laid)
		return laid;
	b.own.emplace(std::move(*own));
	return register_own_and_create(b, shift);
}
Result<> map_behind_huge(Bench &b)
{
	return map(b, b.ddw->start(), b.own->address() + b.own->size() - b.ddw->page(), b.ddw->page());
}

// What the in-tree driver takes from hugetlbfs only.
Result<> register_transparent(Bench &b)
{
	auto shift = larger_shift(b);
	if (shift == 0 || shift > 21)
		return fail(EOPNOTSUPP);
	auto own = transparent_huge_page();
	if (!own)
		return std::unexpected{own.error()};
	b.own.emplace(std::move(*own));
	return register_own_and_create(b, shift);
}
// As much of it as the window holds.
std::size_t mapped_of_own(Bench &b) { return std::min(huge, 16 * b.ddw->page()); }
std::string last_bytes_of_own_arrive(Bench &b)
{
	constexpr std::size_t count = 64;
	const auto last = mapped_of_own(b) - count;
	return b.writes(b.ddw->start() + last, {b.own->bytes(last, count)}) == Reach::arrived
		       ? ""
		       : "device does not reach it";
}

const Case cases[] = {
	{.name = "map/transparent-huge-page",
	 .row = "MAP: IOMMU pages larger than the kernel's, over any memory that lies together",
	 .prepare = register_transparent,
	 .call = [](Bench &b) { return map(b, b.ddw->start(), b.own->address(), mapped_of_own(b)); },
	 .verify = last_bytes_of_own_arrive,
	 .finish = undo_larger},
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
	{.name = "defect/huge-page-behind-small-pages",
	 .row = "defects: IOMMU page larger than the piece of memory behind it, the region's first page huge",
	 .expected = {EPERM, EINVAL},
	 .prepare = register_mixed,
	 .call = map_behind_huge,
	 .finish = undo_larger},
	{.name = "map/huge-page-in-mixed-region",
	 .row = "MAP: maps to registered memory, whatever lies behind it",
	 .prepare = register_mixed,
	 .call = [](Bench &b) { return map(b, b.ddw->start(), b.own->address(), b.ddw->page()); },
	 .finish = undo_larger},
};

} // namespace

std::span<const Case> page_cases() { return cases; }

} // namespace harness::abi
