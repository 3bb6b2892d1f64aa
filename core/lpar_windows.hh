// SPDX-License-Identifier: GPL-2.0-only
// The windows of a PE on pSeries, with the differences between PowerVM's and QEMU's firmware evened out. They come from
// firmware's DDW calls; a PE without those is borrowed: it has its default window, which can be emptied but not
// removed. Every window handed out is empty. Called by Pe.
//
// While a user owns the PE and has no window, the default window stays in firmware as a spare, empty: a device that is
// hot-added now and a kernel that is started by kexec find nothing else.
#pragma once

#include "ddw.hh"
#include "table.hh"
#include "window_list.hh"

namespace tcewin
{

class Pe;

class LparWindows
{
public:
	LparWindows(Pe &pe, void *host, const tcewin_pe_info &info)
		: pe_{pe}, host_{host}, info_{info}, ddw_{host}, windows_{host}
	{
	}
	LparWindows(const LparWindows &) = delete;

	// What the platform's take leaves of the kernel's windows ends. FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED.
	Result<> begin() { return make_spare(Signals::heed); }
	// All of them end. What could not be removed is empty, and the platform's reset takes it away.
	Result<> end();

	Table table(const PeWindow &window) const { return Table{Paravirt{window.liobn, window.geometry, calls()}}; }
	// Such a window is part of the default one, if that is not in use.
	bool is_default(PageShift page, Bytes size) const;
	// Brings the default window back, empty, its first @size bytes for the user. IN_THE_WAY while any window is in
	// use (a reset would kill it), FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED.
	Result<PeWindow> restore_default(Bytes size);
	// A new DDW where firmware puts it. NO_DDW, NO_SLOT, TOO_LARGE, FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED.
	Result<PeWindow> create(PageShift page, Bytes size);
	// A new DDW at @start, or none. INCOMPATIBLE besides.
	Result<PeWindow> create_at(PageShift page, Bytes size, Ioba start);
	// The device has the window since firmware made it; now the kernel sees its table.
	Result<> connect(const PeWindow &window, tcewin_host_table *table)
	{
		return from_status(tcewin_host_set_window(host_, window.liobn.raw(), table));
	}
	Result<> remove(const PeWindow &window);
	// @window is about to go with entries in it: no later one is trusted to be empty, though firmware that allows
	// two windows is known to empty a DDW that it creates. (With one window it is known not to.) Nor is a spare
	// made that could show them: the memory behind them is about to be given back.
	void suspect(const PeWindow &window);
	void orphan(const PeWindow &window);
	void abandon();

	// For somebody else to fill: the default window where that is what is wanted, or create().
	Result<PeWindow> open(PageShift page, Bytes size);
	const PeWindow *find(Liobn liobn);
	// Whatever is in it. FIRMWARE_ERROR.
	Result<> empty(const PeWindow &window) { return clear_all(window, Signals::ignore); }

private:
	using Use = WindowList::Use;
	using Slot = WindowList::Slot;

	// Whether a window's table may still hold what was in it before.
	enum class Residue { none, possible };

	bool borrowed() const { return info_.max_windows == 0; }
	Paravirt::Calls calls() const { return {info_.put_indirect != 0, info_.stuff != 0}; }
	PeWindow whole_default() const;
	Result<PeWindow> create_now(PageShift page, Bytes size);
	Result<> check_room(PageShift page, Bytes size) const;
	Result<> check_place(const PeWindow &window);
	Result<> clear_all(const PeWindow &window, Signals signals);
	Result<> make_spare(Signals signals);
	Result<> empty_default(Signals signals);
	Result<> end_one(const PeWindow &window);
	void disconnect(const PeWindow &window) { (void)tcewin_host_unset_window(host_, window.liobn.raw()); }
	Result<> drop(Slot &slot);
	void discard(const PeWindow &window, Residue residue);
	void sweep();
	void keep_spare();
	void note_leftovers();

	Pe &pe_;
	void *host_;
	const tcewin_pe_info &info_;
	Ddw ddw_;
	bool suspect_{};   // a new DDW may hold entries
	bool stale_{};	   // the default window may hold a user's
	bool misplaced_{}; // the administrator was told that firmware did so once
	WindowList windows_;
};

} // namespace tcewin
