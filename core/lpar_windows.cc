// SPDX-License-Identifier: GPL-2.0-only
#include "lpar_windows.hh"

#include <utility>

#include "pe.hh"

namespace tcewin
{

namespace
{

// Firmware may have dropped a window by itself, as it does to a VF: then it says that there is none. Of one that nobody
// emptied that is not believed: the memory behind its entries would be given back on firmware's word.
Ddw::Absent absence(bool may_hold) { return may_hold ? Ddw::Absent::is_refusal : Ddw::Absent::is_gone; }

} // namespace

// ---- the default window ----

bool LparWindows::is_default(PageShift page, Bytes size) const
{
	return page == page_4k && size <= pe_.default_geometry().size;
}

PeWindow LparWindows::whole_default() const
{
	return {Liobn{info_.default_liobn}, pe_.default_geometry(), WindowKind::default_window};
}

// All of it is in the device's reach, so all of it is emptied and the kernel is told of all of it, whatever part the
// user asks for.
Result<PeWindow> LparWindows::restore_default(Bytes size)
{
	sweep();
	if (!windows_.find(Use::spare))
		TRY(make_spare(Signals::heed));
	(*windows_.find(Use::spare))->use = Use::live;
	PeWindow asked = whole_default();
	asked.geometry.size = size;
	return asked;
}

Result<> LparWindows::make_spare(Signals signals)
{
	if (!windows_.empty())
		return fail(windows_.find(Use::live) ? TCEWIN_IN_THE_WAY : TCEWIN_FIRMWARE_ERROR);
	if (!borrowed()) {
		note_leftovers();
		TRY(ddw_.reset());
	}
	const PeWindow whole = whole_default();
	const auto emptied = empty_default(signals);
	const auto r = emptied.and_then([&] { return windows_.enter(whole, Use::spare); });
	if (!r && !borrowed())
		discard(whole, emptied ? Residue::none : Residue::possible);
	return r;
}

// A window that came to nothing. One that stays and shows what was in its table before puts the PE out of bounds.
void LparWindows::discard(const PeWindow &window, Residue residue)
{
	if (ddw_.remove(window.liobn, absence(residue == Residue::possible)))
		return;
	windows_.enter_orphan(window);
	if (residue == Residue::possible && pe_.owner() == TCEWIN_OWNER_USER)
		pe_.quarantine(neither_emptied_nor_removed, 0);
}

Result<> LparWindows::empty_default(Signals signals)
{
	TRY(clear_all(whole_default(), signals));
	stale_ = false;
	return {};
}

// A DDW that nobody here knows of is about to be reset away, with whatever is in it.
void LparWindows::note_leftovers()
{
	const auto answer = ddw_.query();
	if (!answer || answer->windows_available == 0)
		suspect_ = true;
}

// The user has no window left. That this fails is told the administrator, and changes nothing for the user.
void LparWindows::keep_spare()
{
	if (pe_.owner() == TCEWIN_OWNER_USER && !stale_)
		(void)make_spare(Signals::ignore);
}

// ---- DDWs ----

Result<PeWindow> LparWindows::create(PageShift page, Bytes size)
{
	if (borrowed())
		return fail(TCEWIN_NO_DDW);
	sweep();
	if (auto *spare = windows_.find(Use::spare))
		if (auto r = drop(*spare); !r && info_.max_windows == 1)
			return fail(r.error()); // else there may be room beside it
	auto r = create_now(page, size);
	keep_spare();
	return r;
}

Result<PeWindow> LparWindows::create_now(PageShift page, Bytes size)
{
	TRY(check_room(page, size));
	const auto made = TRY(ddw_.create(page, size));
	if (windows_.find(Liobn{made.liobn})) {
		// Nothing was made that could be removed: whatever has this name is another window.
		tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "two windows of one LIOBN", made.liobn);
		return fail(TCEWIN_FIRMWARE_ERROR);
	}
	const PeWindow window{Liobn{made.liobn}, {Ioba{made.start}, size, page}, WindowKind::ddw};
	Residue residue = suspect_ || info_.max_windows == 1 ? Residue::possible : Residue::none;
	Result<> r = check_place(window);
	if (r && residue == Residue::possible) {
		r = clear_all(window, Signals::heed);
		if (r)
			residue = Residue::none;
	}
	if (r)
		r = windows_.enter(window, Use::live);
	if (!r)
		discard(window, residue);
	return r.transform([&] { return window; });
}

Result<PeWindow> LparWindows::create_at(PageShift page, Bytes size, Ioba start)
{
	PeWindow first = TRY(create(page, size));
	if (first.geometry.start == start)
		return first;
	if (auto r = remove(first); !r) {
		orphan(first);
		return fail(r.error());
	}
	if (info_.max_windows == 1)
		return fail(TCEWIN_INCOMPATIBLE);
	// With no window at all some firmware gives the default window's place to the first create: keep that place for
	// a while.
	const PeWindow keeper = TRY(restore_default(Bytes{info_.default_size}).transform_error([](Error e) {
		return e == TCEWIN_IN_THE_WAY ? TCEWIN_INCOMPATIBLE : e;
	}));
	auto second = create(page, size);
	if (auto r = remove(keeper); !r)
		orphan(keeper);
	if (second && second->geometry.start != start) {
		if (auto r = remove(*second); !r)
			orphan(*second);
		return fail(TCEWIN_INCOMPATIBLE);
	}
	return second;
}

// Firmware can make such a window now.
Result<> LparWindows::check_room(PageShift page, Bytes size) const
{
	const auto room = TRY(ddw_.query());
	if (room.windows_available == 0)
		return fail(TCEWIN_NO_SLOT);
	if ((room.page_sizes & page.size().raw()) == 0)
		return fail(TCEWIN_BAD_PAGE_SHIFT);
	if (page.pages(size).raw() > room.largest_block)
		return fail(TCEWIN_TOO_LARGE);
	return {};
}

// Firmware's word for where @window lies can be true. That it gives a place twice, as QEMU's does, is no news: a user
// can ask for that at will.
Result<> LparWindows::check_place(const PeWindow &window)
{
	const WindowGeometry &g = window.geometry;
	const bool possible = g.page_shift.aligned(g.start) && fits(g.start, g.size), taken = windows_.overlaps(g);
	if (possible && !taken)
		return {};
	if (!possible && !std::exchange(misplaced_, true))
		tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "window out of place at",
				  static_cast<long>(g.start.raw()));
	return fail(TCEWIN_FIRMWARE_ERROR);
}

// ---- windows that end ----

Result<> LparWindows::remove(const PeWindow &window)
{
	TRY(end_one(window));
	disconnect(window);
	return {};
}

Result<> LparWindows::end_one(const PeWindow &window)
{
	auto &slot = *windows_.find(window.liobn);
	if (window.kind == WindowKind::default_window && (borrowed() || windows_.alone(window.liobn))) {
		if (auto r = empty_default(Signals::ignore); r) {
			slot->use = Use::spare;
			return {};
		}
	}
	TRY(drop(slot));
	keep_spare();
	return {};
}

// ---- windows for somebody else ----

Result<PeWindow> LparWindows::open(PageShift page, Bytes size)
{
	const Slot *there = windows_.find(Liobn{info_.default_liobn});
	const bool in_use = there && (*there)->use == Use::live;
	return !in_use && is_default(page, size) ? restore_default(size) : create(page, size);
}

const PeWindow *LparWindows::find(Liobn liobn)
{
	const Slot *slot = windows_.find(liobn);
	return slot ? &(*slot)->window : nullptr;
}

void LparWindows::orphan(const PeWindow &window)
{
	(*windows_.find(window.liobn))->use = Use::orphan;
	disconnect(window);
}

void LparWindows::abandon()
{
	sweep();
	for (auto &slot : windows_) {
		if (!slot || slot->use != Use::live)
			continue;
		const PeWindow window = slot->window;
		if (!remove(window))
			orphan(window);
	}
	keep_spare();
}

Result<> LparWindows::end()
{
	for (auto &slot : windows_)
		if (slot && !drop(slot))
			windows_.forget(slot);
	return {};
}

// Another try at the windows that nobody uses any more.
void LparWindows::sweep()
{
	for (auto &slot : windows_)
		if (slot && slot->use == Use::orphan)
			(void)drop(slot);
}

void LparWindows::suspect(const PeWindow &window)
{
	suspect_ = stale_ = true;
	(*windows_.find(window.liobn))->may_hold = true;
}

// Firmware's window goes; a borrowed one, which cannot, is emptied.
Result<> LparWindows::drop(Slot &slot)
{
	if (!borrowed())
		TRY(ddw_.remove(slot->window.liobn, absence(slot->may_hold)));
	else if (slot->use != Use::spare)
		TRY(empty_default(Signals::ignore));
	windows_.forget(slot);
	return {};
}

Result<> LparWindows::clear_all(const PeWindow &window, Signals signals)
{
	return table(window).visit([&](auto &backend) -> Result<> {
		Writer writer{backend, {}, TceIndex{0}, signals};
		TRY(writer.clear(window.geometry.all()));
		TRY(writer.flush());
		backend.invalidate(window.geometry.all());
		return {};
	});
}

} // namespace tcewin
