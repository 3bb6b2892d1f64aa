// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: TCE_CREATE. A call that succeeds keeps its window's start in Bench::created, for finish to remove it.
#include "abi/case.hh"
#include "abi/faults.hh"
#include "abi/maps.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

Result<> create(Bench &b, std::uint32_t shift, std::uint64_t size, std::uint32_t levels)
{
	auto start = b.container().tce_create(shift, size, levels);
	if (!start)
		return std::unexpected{start.error()};
	b.created = *start;
	return {};
}

Result<> remove_created(Bench &b) { return b.created ? b.container().tce_remove(*b.created) : Result<>{}; }

template <std::uint32_t count>
Result<> levels(Bench &b)
{
	return create(b, page_shift(), Bench::ddw_size, count);
}

template <std::uint32_t shift>
Result<> of_shift(Bench &b)
{
	return create(b, shift, 1ull << 30, 1);
}

template <std::uint64_t size>
Result<> window_size(Bench &b)
{
	return create(b, page_shift(), size, 1);
}

Result<> remove_default(Bench &b) { return b.container().tce_remove(b.info().dma32_window_start); }

Result<> default_again(Bench &b) { return create(b, 12, b.info().dma32_window_size, 1); }
Result<> smaller_default_again(Bench &b) { return create(b, 12, b.info().dma32_window_size / 2, 1); }

Result<> restore(Bench &b)
{
	if (auto done = remove_created(b); !done)
		return done;
	return b.restore_default();
}
// The DDW has to make way for the default window.
Result<> restore_both(Bench &b)
{
	if (auto done = b.ddw->remove(); !done)
		return done;
	b.ddw.reset();
	if (auto done = b.restore_default(); !done)
		return done;
	return b.make_ddw();
}

std::string at_default_start(Bench &b)
{
	return b.created == b.info().dma32_window_start ? "" : "it does not start there";
}

std::string apart_from_default(Bench &b)
{
	if (!b.created)
		return "";
	bool apart = *b.created >= b.window_end() || *b.created + Bench::ddw_size <= b.info().dma32_window_start;
	return apart ? "" : fmt::format("it starts at {:#x}, in the default window", *b.created);
}

std::string last_page_works(Bench &b)
{
	if (!b.created)
		return "";
	auto page = *b.created + (1ull << 36) - page_size();
	if (auto done = b.container().map(page, b.vaddr(Bench::free_unit), page_size(), Access::both); !done)
		return "MAP_DMA of its last page: " + done.error().name();
	bool arrived = b.reaches(page, Bench::free_unit);
	if (auto done = b.container().unmap(page, page_size()); !done)
		return "UNMAP_DMA: " + done.error().name();
	return arrived ? "" : "device does not reach its last page";
}

// And the window's own bookkeeping, which is less than a page.
std::string table_is_charged(Bench &b)
{
	auto more = Counts::now().locked - b.counts->locked;
	auto table = 8ull << 36 >> page_shift();
	return more >= table && more <= table + page_size() ? "" : fmt::format("VmLck +{} KiB", more >> 10);
}

// Either way is right as long as it is true: an error, or a window whose pages can be mapped.
Result<> beyond_reason(Bench &b)
{
	auto start = b.container().tce_create(page_shift(), 1ull << 62, 1);
	if (!start)
		return std::unexpected{start.error()};
	auto mapped = b.container().map(*start, b.vaddr(Bench::free_unit), page_size(), Access::both);
	if (auto gone = b.container().tce_remove(*start); !gone)
		return gone;
	return mapped ? Result<>{} : fail(EPROTO);
}

// QEMU's firmware counts TCEs in 32 bits: it takes this for a window of none, and dies of the next one.
Result<> of_33_bits(Bench &b)
{
	const auto asked = create(b, page_shift(), 1ull << 32 << page_shift(), 1);
	if (asked || asked.error().code() != EINVAL)
		return asked;
	auto next = b.container().tce_create(page_shift(), Bench::ddw_size, 1);
	if (!next)
		return fail(EPROTO);
	if (auto gone = b.container().tce_remove(*next); !gone)
		return gone;
	return fail(EINVAL);
}

Result<> every_page_size(Bench &b)
{
	for (auto left = b.info().ddw.pgsizes; left; left &= left - 1) {
		auto shift = static_cast<std::uint32_t>(__builtin_ctzll(left));
		auto start = b.container().tce_create(shift, 256ull << shift, 1);
		if (!start)
			return std::unexpected{start.error()};
		if (auto gone = b.container().tce_remove(*start); !gone)
			return gone;
	}
	return {};
}

// With the default window gone there is a slot, and firmware has nothing to put into it. Not of 4 KiB pages: that would
// be the default window.
Result<> second_ddw(Bench &b) { return create(b, 16, Bench::ddw_size, 1); }

// Refused by us or by firmware, then a right one, again and again.
Result<> refused_then_right(Bench &b)
{
	for (auto size : {1ull << 63, 1ull << 62}) {
		auto refused = b.container().tce_create(page_shift(), size, 1);
		if (refused)
			if (auto gone = b.container().tce_remove(*refused); !gone)
				return gone;
		auto right = Window::create(b.container(), page_shift(), Bench::ddw_size);
		if (!right)
			return std::unexpected{right.error()};
	}
	return {};
}

constexpr const char *shift_row = "CREATE: page shift not in pgsizes: EINVAL";
constexpr const char *size_row = "CREATE: size not a power of two, or under one page: EINVAL";
constexpr const char *levels_row = "CREATE: levels 1 to 5 are accepted, on pSeries 0 as well, others: EINVAL";

const Case cases[] = {
	{.name = "create/shift-13", .row = shift_row, .expected = EINVAL, .call = of_shift<13>},
	{.name = "create/shift-0", .row = shift_row, .expected = EINVAL, .call = of_shift<0>},
	{.name = "create/shift-63", .row = shift_row, .expected = EINVAL, .call = of_shift<63>},
	{.name = "defect/create-shift-64-plus-12",
	 .row = "defects: page_shift beyond 63 is EINVAL",
	 .expected = EINVAL,
	 .call = of_shift<64 + 12>},
	{.name = "defect/create-shift-huge",
	 .row = "defects: page_shift beyond 63 is EINVAL",
	 .expected = EINVAL,
	 .call = of_shift<0xffffffff>},
	{.name = "create/size-zero", .row = size_row, .expected = EINVAL, .call = window_size<0>},
	{.name = "create/size-not-power-of-two",
	 .row = size_row,
	 .expected = EINVAL,
	 .call = window_size<(16 << 20) + (1 << 16)>},
	{.name = "create/size-unaligned", .row = size_row, .expected = EINVAL, .call = window_size<(16 << 20) + 1>},
	{.name = "defect/create-size-under-a-page", .row = size_row, .expected = EINVAL, .call = window_size<2048>},
	{.name = "defect/create-size-half-address-space",
	 .row = "CREATE: more than firmware has left: EINVAL",
	 .expected = EINVAL,
	 .call = window_size<1ull << 63>},
	{.name = "defect/create-of-33-bits",
	 .row = "CREATE: on pSeries 2^32 TCEs and more: EINVAL",
	 .expected = EINVAL,
	 .call = of_33_bits},
	{.name = "defect/create-beyond-bookkeeping",
	 .row = "defects: larger than its bookkeeping: ENOMEM, or a window that works",
	 .expected = {ENOMEM, EINVAL},
	 .call = beyond_reason},
	{.name = "create/levels-0",
	 .row = "CREATE: levels 0 means 1 on pSeries (QEMU 10.1 and later), EINVAL on PowerNV",
	 .expected = of_levels(0),
	 .call = levels<0>,
	 .verify = apart_from_default,
	 .finish = remove_created},
	{.name = "defect/failed-create-charge", .row = levels_row, .expected = EINVAL, .call = levels<6>},
	{.name = "create/levels-huge", .row = levels_row, .expected = EINVAL, .call = levels<0xffffffff>},
	{.name = "create/levels-2",
	 .row = levels_row,
	 .call = levels<2>,
	 .verify = apart_from_default,
	 .finish = remove_created},
	{.name = "create/levels-5",
	 .row = levels_row,
	 .expected = of_levels(5),
	 .call = levels<5>,
	 .verify = apart_from_default,
	 .finish = remove_created},
	{.name = "defect/create-efault",
	 .row = "defects: result that cannot be copied out: EFAULT, undone",
	 .expected = EFAULT,
	 .call = unwritable_argument<Call::create>},
	{.name = "defect/failed-create-no-slot",
	 .row = "CREATE: no slot: ENOSPC",
	 .expected = ENOSPC,
	 .stage = Stage::with_ddw,
	 .call = as_it_should_be<Call::create>},
	{.name = "create/no-slot-default-pending",
	 .row = "CREATE: the default window counts as present until removed",
	 .expected = ENOSPC,
	 .stage = Stage::fresh,
	 .prepare = levels<1>,
	 .call = as_it_should_be<Call::create>,
	 .finish = remove_created,
	 .afterwards = Afterwards::changed},
	{.name = "create/default-pending-is-kept-apart",
	 .row = "CREATE: the default window counts as present until removed",
	 .stage = Stage::fresh,
	 .call = levels<1>,
	 .verify = apart_from_default,
	 .finish = remove_created,
	 .afterwards = Afterwards::changed},
	{.name = "create/every-page-size",
	 .row = "CREATE: every page size of GET_INFO's pgsizes",
	 .call = every_page_size},
	{.name = "create/one-page",
	 .row = "CREATE: a new window in a free slot",
	 .call = [](Bench &b) { return create(b, page_shift(), page_size(), 1); },
	 .verify = apart_from_default,
	 .finish = remove_created},
	{.name = "create/4k-beside-default",
	 .row = "CREATE: a new window in a free slot",
	 .call = [](Bench &b) { return create(b, 12, Bench::ddw_size, 1); },
	 .verify = apart_from_default,
	 .finish = remove_created},
	{.name = "create/large",
	 .row = "CREATE: a new window in a free slot",
	 .call = window_size<1ull << 36>,
	 .verify = last_page_works,
	 .finish = remove_created},
	{.name = "create/default-again",
	 .row = "CREATE: brings the default window back at its fixed start",
	 .prepare = remove_default,
	 .call = default_again,
	 .verify = at_default_start,
	 .finish = restore},
	{.name = "create/smaller-default-again",
	 .row = "CREATE: 4 KiB pages, up to dma32_window_size, at the fixed start",
	 .prepare = remove_default,
	 .call = smaller_default_again,
	 .verify = at_default_start,
	 .finish = restore},
	{.name = "create/default-beside-ddw",
	 .row = "pSeries: a reset kills every DDW, so it is refused while one exists",
	 .expected = Expected::any_error(),
	 .stage = Stage::with_ddw,
	 .prepare = remove_default,
	 .call = default_again,
	 .finish = restore_both},
	{.name = "defect/second-ddw-then-retry",
	 .row = "defects: a second DDW: ENOSPC or the firmware's reason; next try is free; the default window comes "
		"back",
	 .expected = Expected::any_error(),
	 .stage = Stage::with_ddw,
	 .prepare = remove_default,
	 .call = second_ddw,
	 .finish = restore_both},
	{.name = "defect/failed-create-then-retry",
	 .row = "defects: one failed CREATE: the next try is free",
	 .call = refused_then_right},
	{.name = "create/charges-firmwares-table",
	 .row = "CREATE: on pSeries 8 bytes a TCE are charged, mapped or not, until REMOVE",
	 .prepare = count,
	 .call = window_size<1ull << 36>,
	 .verify = table_is_charged,
	 .finish = remove_created},
	// What a window in our memory costs before its first TCE is the driver's choice; that it is charged at all is
	// seen by filling one. Firmware's table is there from the beginning.
	{.name = "create/over-limit",
	 .row = "CREATE: memory limit: ENOMEM; on pSeries 8 bytes a TCE are charged",
	 .expected = platform().tables_in_memory ? Expected{ENOMEM, 0} : Expected{ENOMEM},
	 .prepare = limit_to_nothing,
	 .call = window_size<1ull << 36>,
	 .finish =
		 [](Bench &b) {
			 auto gone = remove_created(b);
			 return gone ? lift_limit(b) : gone;
		 }},
};

} // namespace

std::span<const Case> create_cases() { return cases; }

} // namespace harness::abi
