// SPDX-License-Identifier: GPL-2.0-only
// A PE: who owns it, and what windows it has. How windows come and go is the platform's: LparWindows or IodaWindows,
// chosen when the PE is made. Called by Container under its lock.
#pragma once

#include <variant>

#include "ioda_windows.hh"
#include "lpar_windows.hh"

namespace tcewin
{

// Why a PE ends in quarantine while a user has it.
inline constexpr const char *neither_emptied_nor_removed = "a window can neither be emptied nor removed";

class Pe
{
	template <class F>
	auto visit(F f)
	{
		if (auto *lpar = std::get_if<LparWindows>(&windows_))
			return f(*lpar);
		return f(*std::get_if<IodaWindows>(&windows_));
	}
	template <class F>
	auto visit(F f) const
	{
		if (const auto *lpar = std::get_if<LparWindows>(&windows_))
			return f(*lpar);
		return f(*std::get_if<IodaWindows>(&windows_));
	}

public:
	Pe(void *host, tcewin_platform platform, const tcewin_pe_info &info, tcewin_owner owner);
	Pe(const Pe &) = delete;
	// Tries once more to remove what is left.
	~Pe();

	// tcewin_pe_take() and tcewin_pe_release(). kernel -> handing over -> user -> handing over -> kernel;
	// returning is before the last when the kernel has no memory for it, until it has; quarantined is where it
	// ends when neither side can be trusted with it.
	Result<> take();
	Result<> release();
	// The same for one in quarantine, once its devices have been gone: firmware shows that no window is left, or it
	// stays there.
	Result<> recover();
	tcewin_owner owner() const { return owner_; }
	// Nobody gets it from now on; the administrator is told @why.
	void quarantine(const char *why, long value);

	const tcewin_pe_info &info() const { return info_; }
	bool borrowed() const { return info_.max_windows == 0; }
	// Its tables are ours, and PEs of one container share them.
	bool shares_tables() const { return std::holds_alternative<IodaWindows>(windows_); }
	// The default window as large as it can be.
	WindowGeometry default_geometry() const
	{
		return {Ioba{info_.default_start}, Bytes{info_.default_size}, page_4k};
	}
	// It lies where GET_INFO, which has 32 bits for that, cannot tell of it.
	bool default_is_high() const { return info_.default_start >> 32; }
	// What a window is written through that has its table in firmware.
	Table table(const PeWindow &window) { return std::get_if<LparWindows>(&windows_)->table(window); }

	// What can be said of a CREATE before anything is done. BAD_PAGE_SHIFT, BAD_SIZE, BAD_LEVELS, NO_DDW.
	Result<PageShift> check_request(u32 page_shift, Bytes size, u32 levels) const;
	// Such a window is the default one, if that is not in use.
	bool is_default(PageShift page, Bytes size) const
	{
		return visit([&](const auto &windows) { return windows.is_default(page, size); });
	}

	// Windows that are made: lpar_windows.hh and ioda_windows.hh have the errors.
	Result<PeWindow> restore_default(Bytes size)
	{
		return visit([&](auto &windows) { return windows.restore_default(size); });
	}
	Result<PeWindow> create(PageShift page, Bytes size)
	{
		return visit([&](auto &windows) { return windows.create(page, size); });
	}
	Result<PeWindow> create_at(PageShift page, Bytes size, Ioba start)
	{
		return visit([&](auto &windows) { return windows.create_at(page, size, start); });
	}
	// The device is let at @window; @table is for a PE that shares_tables(). FIRMWARE_ERROR.
	Result<> connect(const PeWindow &window, tcewin_host_table *table)
	{
		return visit([&](auto &windows) { return windows.connect(window, table); });
	}
	// Takes @window away from the device, with whatever its table holds. FIRMWARE_ERROR: the device may reach it.
	Result<> remove(const PeWindow &window)
	{
		return visit([&](auto &windows) { return windows.remove(window); });
	}
	// @window is about to go with entries in its table.
	void suspect(const PeWindow &window)
	{
		visit([&](auto &windows) { windows.suspect(window); });
	}
	// The caller goes on without @window, which could not be removed but is empty; it is tried again.
	void orphan(const PeWindow &window)
	{
		visit([&](auto &windows) { windows.orphan(window); });
	}
	// The same for whatever there is, the spare window excepted.
	void abandon()
	{
		visit([](auto &windows) { windows.abandon(); });
	}

	// tcewin_pe_open_window() and tcewin_pe_close_window().
	Result<tcewin_window_info> open(u32 page_shift, Bytes size, u32 levels);
	Result<> close(Liobn liobn);

private:
	Result<> give_back();
	Result<> to_platform(); // the second half of it, which can be tried again
	Result<> refused(Error error);

	void *host_;
	tcewin_pe_info info_;
	tcewin_owner owner_;
	std::variant<LparWindows, IodaWindows> windows_;
};

} // namespace tcewin
