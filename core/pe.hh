// SPDX-License-Identifier: GPL-2.0-only
// A PE on pSeries, who owns it and what windows it has, with the differences between PowerVM's and QEMU's firmware
// evened out. Its windows come from firmware's DDW calls; a PE without those is borrowed: it has its default window,
// which can be emptied but not removed. Every window handed out is empty. Called by Container under its lock.
//
// While a user owns the PE and has no window, the default window stays in firmware as a spare, empty: a device that is
// hot-added now and a kernel that is started by kexec find nothing else.
#pragma once

#include "ddw.hh"
#include "table.hh"
#include "window_list.hh"

namespace tcewin
{

// Why a PE ends in quarantine while a user has it.
inline constexpr const char *neither_emptied_nor_removed = "a window can neither be emptied nor removed";

class Pe
{
public:
	Pe(void *host, tcewin_platform platform, const tcewin_pe_info &info, tcewin_owner owner)
		: host_{host}, platform_{platform}, ddw_{host}, info_{info}, owner_{owner}, windows_{host}
	{
	}
	Pe(const Pe &) = delete;
	// Tries once more to remove what is left.
	~Pe() { end_all(); }

	// tcewin_pe_take() and tcewin_pe_release(). kernel -> handing over -> user -> handing over -> kernel;
	// quarantined is where it ends when neither side can be trusted with it.
	Result<> take();
	Result<> release();
	tcewin_owner owner() const { return owner_; }
	// Nobody gets it from now on; the administrator is told @why.
	void quarantine(const char *why, long value);

	const tcewin_pe_info &info() const { return info_; }
	bool borrowed() const { return info_.max_windows == 0; }
	Ioba default_start() const { return Ioba{info_.default_start}; }
	// The default window as large as firmware has it.
	WindowGeometry default_geometry() const { return {default_start(), Bytes{info_.default_size}, page_4k}; }
	Table table(const PeWindow &window) const { return Table{Paravirt{window.liobn, window.geometry, calls()}}; }

	// What can be said of a CREATE before firmware is asked. BAD_PAGE_SHIFT, BAD_SIZE, BAD_LEVELS, NO_DDW.
	Result<PageShift> check_request(u32 page_shift, Bytes size, u32 levels) const;
	// Such a window is part of the default one, if that is not in use.
	bool fits_default(PageShift page, Bytes size) const
	{
		return page == page_4k && size <= default_geometry().size;
	}

	// Brings the default window back, empty, its first @size bytes for the user. IN_THE_WAY while any window is in
	// use (a reset would kill it), FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED.
	Result<PeWindow> restore_default(Bytes size);
	// A new DDW where firmware puts it. NO_DDW, NO_SLOT, TOO_LARGE, FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED.
	Result<PeWindow> create(PageShift page, Bytes size);
	// A new DDW at @start, or none. INCOMPATIBLE besides.
	Result<PeWindow> create_at(PageShift page, Bytes size, Ioba start);
	// Takes @window away from the device, with whatever its table holds. FIRMWARE_ERROR: it is as it was.
	Result<> remove(const PeWindow &window);
	// A window of this PE went with entries in it: no later one is trusted to be empty, though firmware that allows
	// two windows is known to empty a DDW that it creates. (With one window it is known not to.) Nor is a spare
	// made that could show them: the memory behind them is about to be given back.
	void suspect() { suspect_ = stale_ = true; }

	// tcewin_pe_open_window() and tcewin_pe_close_window().
	Result<tcewin_window_info> open(u32 page_shift, Bytes size, u32 levels);
	Result<> close(Liobn liobn);

	// The caller goes on without @window, which could not be removed but is empty; it is tried again before the
	// next create.
	void orphan(const PeWindow &window);
	// The same for whatever there is, the spare window excepted.
	void abandon();

private:
	using Use = WindowList::Use;
	using Slot = WindowList::Slot;

	// Whether a window's table may still hold what was in it before.
	enum class Residue { none, possible };

	Paravirt::Calls calls() const { return {info_.put_indirect != 0, info_.stuff != 0}; }
	PeWindow whole_default() const;
	Result<PeWindow> create_now(PageShift page, Bytes size);
	Result<> check_room(PageShift page, Bytes size) const;
	Result<> check_place(const PeWindow &window) const;
	Result<> clear_all(const PeWindow &window, Signals signals);
	Result<> end_kernel_windows();
	Result<> give_back();
	Result<> make_spare(Signals signals);
	Result<> empty_default(Signals signals);
	Result<> drop(Slot &slot);
	void discard(const PeWindow &window, Residue residue);
	void end_all();
	void sweep();
	void keep_spare();
	void note_leftovers();

	void *host_;
	tcewin_platform platform_;
	Ddw ddw_;
	tcewin_pe_info info_;
	tcewin_owner owner_;
	bool suspect_{}; // a new DDW may hold entries
	bool stale_{};	 // the default window may hold a user's
	WindowList windows_;
};

} // namespace tcewin
