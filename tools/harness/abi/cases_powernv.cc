// SPDX-License-Identifier: GPL-2.0-only
// ABI.md on bare metal: windows go by place, and the kernel's bypass, by which a device reaches all memory, is closed
// while a user has its PE.
#include "abi/case.hh"

#include <algorithm>

#include "abi/maps.hh"
#include "lib/bare.hh"
#include "lib/bypass.hh"
#include "lib/pattern.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

constexpr const char *slot_row = "PowerNV: CREATE takes the first free slot: 0, then 1 << 59, whatever it asks for";
constexpr const char *bypass_row = "PowerNV: a user's device reaches no memory by the kernel's bypass";

Result<> create(Bench &b, unsigned shift, std::uint64_t size, std::uint32_t levels = 1)
{
	auto start = b.container().tce_create(shift, size, levels);
	if (!start)
		return std::unexpected{start.error()};
	b.created = *start;
	return {};
}
Result<> create_as_ddw(Bench &b) { return create(b, page_shift(), Bench::ddw_size); }
Result<> remove_default(Bench &b) { return b.container().tce_remove(b.info().dma32_window_start); }
Result<> remove_created(Bench &b) { return b.created ? b.container().tce_remove(*b.created) : Result<>{}; }

Result<> restore(Bench &b)
{
	if (auto done = remove_created(b); !done)
		return done;
	if (b.ddw)
		if (auto done = b.ddw->remove(); !done)
			return done;
	b.ddw.reset();
	return b.restore_default();
}

// The scratch is at 0 again, where the bench has it, and the last page of what was created works.
std::string works_at_zero(Bench &b, std::uint64_t size)
{
	if (b.created != 0)
		return fmt::format("it starts at {:#x}", *b.created);
	if (auto done = map(b, 0, b.vaddr(Bench::scratch_unit), page_size()); !done)
		return "MAP_DMA of the scratch: " + done.error().name();
	if (auto done = map(b, size - page_size(), b.vaddr(Bench::free_unit), page_size()); !done)
		return "MAP_DMA of its last page: " + done.error().name();
	return b.reaches(size - page_size() + 8, Bench::free_unit) ? "" : "device does not reach its last page";
}
std::string both_work(Bench &b)
{
	if (auto wrong = works_at_zero(b, Bench::ddw_size); !wrong.empty())
		return wrong;
	return b.ddw->start() == second_slot && b.reaches(b.ddw->start() + 3, Bench::ddw_unit)
		       ? ""
		       : "device does not reach what was mapped in the other one";
}

// Each page size the PHB has, beside the default window and in its place.
Result<> every_page_size_in_its_slot(Bench &b)
{
	for (auto expected : {second_slot, std::uint64_t{0}}) {
		if (expected == 0)
			if (auto gone = remove_default(b); !gone)
				return gone;
		for (auto left = b.info().ddw.pgsizes; left; left &= left - 1) {
			auto shift = static_cast<unsigned>(__builtin_ctzll(left));
			if (auto done = create(b, shift, 4096ull << shift); !done)
				return done;
			if (auto gone = remove_created(b); !gone || b.created != expected)
				return gone ? fail(EADDRNOTAVAIL) : gone;
		}
	}
	b.created.reset();
	return {};
}

constexpr std::uint64_t terabyte = 1ull << 40;

// ---- the bypass ----

Result<> nothing(Bench &) { return {}; }

std::string cannot_bypass(Bench &b)
{
	Pieces there{b.at(Bench::free_unit, 64, 256)};
	auto ioba = bypass_address(there.front());
	if (!ioba)
		return "no physical address: " + ioba.error().name();
	auto write = b.writes(*ioba, there), read = b.reads(*ioba, there);
	bool clear = write == Reach::nothing && read == Reach::nothing;
	return clear ? ""
		     : fmt::format("device writes: {}, reads: {}", write ? name_of(*write) : "?",
				   read ? name_of(*read) : "?");
}

// With no container's window to see it through: does memory change when the device writes there?
Result<> write_by_bypass(Bench &b, const Edu &edu)
{
	auto there = b.at(Bench::free_unit, 64, 256);
	auto ioba = bypass_address(there);
	if (!ioba)
		return std::unexpected{ioba.error()};
	fill(there, 131);
	if (auto moved = edu.to_ram(0, *ioba, static_cast<std::uint32_t>(there.size())); !moved)
		return moved;
	std::uint64_t position = 0;
	bool same = std::ranges::all_of(there, [&](auto byte) { return byte == pattern_at(131, position++); });
	return same ? fail(ENXIO) : Result<>{};
}
Result<> write_bare(Bench &b)
{
	auto edu = bare_edu(b.function());
	return edu ? write_by_bypass(b, *edu) : Result<>{std::unexpected{edu.error()}};
}

const Case cases[] = {
	{.name = "powernv/get-info",
	 .row = "PowerNV: page sizes as the PHB lists them, two windows, five levels, the first window at 0",
	 .stage = Stage::fresh,
	 .call = as_it_should_be<Call::get_info>,
	 .verify = [](Bench &b) -> std::string {
		 auto &ddw = b.info().ddw;
		 auto listed = phb_page_sizes(b.function());
		 bool right = listed && ddw.pgsizes == *listed && ddw.max_dynamic_windows_supported == 2 &&
			      ddw.levels == 5 && b.info().dma32_window_start == 0;
		 return right ? ""
			      : fmt::format("pgsizes {:#x} (PHB: {:#x}), {} windows, {} levels, start {:#x}",
					    ddw.pgsizes, listed.value_or(0), ddw.max_dynamic_windows_supported,
					    ddw.levels, b.info().dma32_window_start);
	 }},
	{.name = "powernv/second-slot",
	 .row = slot_row,
	 .call = create_as_ddw,
	 .verify = [](Bench &b) -> std::string {
		 return b.created == second_slot ? "" : fmt::format("it starts at {:#x}", *b.created);
	 },
	 .finish = remove_created},
	{.name = "powernv/first-slot-beside-second",
	 .row = slot_row,
	 .stage = Stage::with_ddw,
	 .prepare = remove_default,
	 .call = create_as_ddw,
	 .verify = both_work,
	 .finish = restore,
	 .afterwards = Afterwards::changed},
	{.name = "powernv/first-slot-of-any-size",
	 .row = slot_row,
	 .prepare = remove_default,
	 .call = [](Bench &b) { return create(b, page_shift(), terabyte, 2); },
	 .verify = [](Bench &b) { return works_at_zero(b, terabyte); },
	 .finish = restore},
	{.name = "powernv/every-page-size-in-its-slot",
	 .row = slot_row,
	 .call = every_page_size_in_its_slot,
	 .finish = restore},
	{.name = "powernv/no-third-slot",
	 .row = "CREATE: no slot: ENOSPC",
	 .expected = ENOSPC,
	 .stage = Stage::with_ddw,
	 .prepare =
		 [](Bench &b) {
			 auto done = remove_default(b);
			 return done ? create_as_ddw(b) : done;
		 },
	 .call = as_it_should_be<Call::create>,
	 .finish = restore,
	 .afterwards = Afterwards::changed},
	{.name = "powernv/no-bypass",
	 .row = bypass_row,
	 .kinds = Kinds::both,
	 .call = nothing,
	 .verify = cannot_bypass},
	{.name = "powernv/no-bypass-under-ddw",
	 .row = bypass_row,
	 .stage = Stage::with_ddw,
	 .call = nothing,
	 .verify = cannot_bypass},
	{.name = "powernv/no-bypass-after-ddw",
	 .row = bypass_row,
	 .prepare = create_as_ddw,
	 .call = remove_created,
	 .verify = cannot_bypass},
	{.name = "powernv/no-bypass-without-windows",
	 .row = bypass_row,
	 .expected = ENXIO,
	 .prepare = remove_default,
	 .call = [](Bench &b) { return write_by_bypass(b, b.rig().edu()); },
	 .finish = [](Bench &b) { return b.restore_default(); }},
	{.name = "powernv/no-bypass-once-claimed",
	 .row = bypass_row,
	 .expected = ENXIO,
	 .stage = Stage::grouped,
	 .call = write_bare},
	{.name = "powernv/bypass-of-the-kernel",
	 .row = "PowerNV: and the kernel has it before and afterwards",
	 .stage = Stage::container,
	 .call = write_bare},
};

} // namespace

std::span<const Case> powernv_cases() { return cases; }

} // namespace harness::abi
