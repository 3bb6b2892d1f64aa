// SPDX-License-Identifier: GPL-2.0-only
// A PE on pSeries, who owns it and what windows it has: the one place that speaks
// ibm,query/create/remove/reset-pe-dma-window(s), with the differences between PowerVM's and QEMU's firmware evened
// out. Every window it hands out is empty. Called by Container under its lock.
#pragma once

#include <array>
#include <optional>

#include "geometry.hh"
#include "table.hh"

namespace tcewin
{

enum class WindowKind { default_window, ddw };

// A window as firmware made it.
struct PeWindow {
	Liobn liobn;
	WindowGeometry geometry;
	WindowKind kind;
};

class Pe
{
public:
	Pe(void *host, const tcewin_pe_info &info, tcewin_owner owner) : host_{host}, info_{info}, owner_{owner} {}
	Pe(const Pe &) = delete;
	// Tries once more to remove what is left.
	~Pe();

	// tcewin_pe_take() and tcewin_pe_release(). kernel -> handing over -> user -> handing over -> kernel;
	// quarantined is where it ends when neither side can be trusted with it.
	Result<> take();
	Result<> release();
	tcewin_owner owner() const { return owner_; }
	void quarantine() { owner_ = TCEWIN_OWNER_QUARANTINED; }

	const tcewin_pe_info &info() const { return info_; }
	Ioba default_start() const { return Ioba{info_.default_start}; }
	// The default window as large as firmware has it.
	WindowGeometry default_geometry() const { return {default_start(), Bytes{info_.default_size}, page_4k}; }
	Table table(const PeWindow &window) const { return Table{Paravirt{window.liobn, window.geometry, calls()}}; }

	// Brings the default window back, empty, its first @size bytes for the user. IN_THE_WAY while any window exists
	// (a reset would kill it), NO_DDW, FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED.
	Result<PeWindow> restore_default(Bytes size);
	// A new DDW where firmware puts it. NO_SLOT, TOO_LARGE, FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED.
	Result<PeWindow> create(PageShift page, Bytes size);
	// A new DDW at @start, or none. INCOMPATIBLE besides.
	Result<PeWindow> create_at(PageShift page, Bytes size, Ioba start);
	// Takes @window, whose table is empty, away. FIRMWARE_ERROR: it is still there.
	Result<> remove(const PeWindow &window);
	// A window of this PE went with entries in it: no later one is trusted to be empty, though firmware that allows
	// two windows is known to empty a DDW that it creates. (With one window it is known not to.)
	void suspect() { suspect_ = true; }

	// The caller goes on without @window, which could not be removed but is empty; it is tried again before the
	// next create.
	void orphan(const PeWindow &window);
	// The same for whatever there is.
	void abandon();

private:
	struct Slot {
		PeWindow window;
		bool orphan;
	};

	Paravirt::Calls calls() const { return {info_.put_indirect != 0, info_.stuff != 0}; }
	tcewin_window_info describe(const PeWindow &window) const;
	bool overlaps(const WindowGeometry &geometry) const;
	Result<> enter(const PeWindow &window);
	Result<> clear_all(const PeWindow &window);
	Result<> query(PageShift page, Bytes size);
	Result<> firmware_remove(Liobn liobn);
	Result<> end_kernel_windows();
	Result<> give_back();
	void sweep();
	void note_leftovers();
	std::optional<Slot> *find(const PeWindow &window);

	void *host_;
	tcewin_pe_info info_;
	tcewin_owner owner_;
	bool suspect_{};
	std::array<std::optional<Slot>, 4> windows_{}; // what firmware has; orphans take a place too
};

} // namespace tcewin
