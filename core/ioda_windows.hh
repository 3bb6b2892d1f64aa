// SPDX-License-Identifier: GPL-2.0-only
// The windows of a PE on PowerNV (IODA2): two places of its PHB, each with a fixed start on the bus, filled with tables
// that are in our memory. Which window is in which place is decided here; connect() lets the device at it. Called by
// Pe.
#pragma once

#include <array>

#include "table.hh"
#include "window_list.hh"

namespace tcewin
{

class IodaWindows
{
public:
	IodaWindows(void *host, const tcewin_pe_info &info) : host_{host}, info_{info}, windows_{host} {}
	IodaWindows(const IodaWindows &) = delete;

	// The platform's take has emptied both places.
	Result<> begin() { return {}; }
	// All of them end. FIRMWARE_ERROR: a place still has its table.
	Result<> end();

	// Here no place is of the default window only.
	bool is_default(PageShift, Bytes) const { return false; }
	// A window in the first place / in the first that is free / in the one that begins at @at. NO_SLOT,
	// INCOMPATIBLE, NO_MEMORY, FIRMWARE_ERROR: the platform does not empty the place.
	Result<PeWindow> restore_default(Bytes size);
	Result<PeWindow> create(PageShift page, Bytes size);
	Result<PeWindow> create_at(PageShift page, Bytes size, Ioba at);
	// The device translates by @table from now on. FIRMWARE_ERROR.
	Result<> connect(const PeWindow &window, tcewin_host_table *table);
	// FIRMWARE_ERROR: its place may still have the table.
	Result<> remove(const PeWindow &window);
	void suspect(const PeWindow &) {} // a new table is empty
	void orphan(const PeWindow &window);
	void abandon();

private:
	using Use = WindowList::Use;
	using Slot = WindowList::Slot;

	Ioba start(u32 number) const { return Ioba{number == 0 ? info_.default_start : info_.second_start}; }
	Result<PeWindow> enter(u32 number, PageShift page, Bytes size, WindowKind kind);
	Result<> drop(Slot &slot);
	void sweep();
	Error taken(Error otherwise);

	void *host_;
	const tcewin_pe_info &info_;
	WindowList windows_;
	// By place: its PHB may walk a table there. It does not where firmware refused to set it: nothing is to be
	// unset.
	std::array<bool, TCEWIN_WINDOWS_MAX> walked_{};
};

} // namespace tcewin
