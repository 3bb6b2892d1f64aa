// SPDX-License-Identifier: GPL-2.0-only
// How the windows of a PE come and go. Who owns it, and windows for others than a Container, are in pe.cc.
#include <bit>

#include "pe.hh"

namespace tcewin
{

// ---- the default window ----

PeWindow Pe::whole_default() const
{
	return {Liobn{info_.default_liobn}, default_geometry(), WindowKind::default_window};
}

// All of it is in the device's reach, so all of it is emptied and the kernel is told of all of it, whatever part the
// user asks for.
Result<PeWindow> Pe::restore_default(Bytes size)
{
	sweep();
	if (!windows_.find(Use::spare))
		TRY(make_spare(Signals::heed));
	(*windows_.find(Use::spare))->use = Use::live;
	PeWindow asked = whole_default();
	asked.geometry.size = size;
	return asked;
}

Result<> Pe::make_spare(Signals signals)
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
void Pe::discard(const PeWindow &window, Residue residue)
{
	if (ddw_.remove(window.liobn))
		return;
	windows_.enter_orphan(window);
	if (residue == Residue::possible && owner_ == TCEWIN_OWNER_USER)
		quarantine(neither_emptied_nor_removed, 0);
}

Result<> Pe::empty_default(Signals signals)
{
	TRY(clear_all(whole_default(), signals));
	stale_ = false;
	return {};
}

// A DDW that nobody here knows of is about to be reset away, with whatever is in it.
void Pe::note_leftovers()
{
	const auto answer = ddw_.query();
	if (!answer || answer->windows_available == 0)
		suspect_ = true;
}

// The user has no window left. That this fails is told the administrator, and changes nothing for the user.
void Pe::keep_spare()
{
	if (owner_ == TCEWIN_OWNER_USER && !stale_)
		(void)make_spare(Signals::ignore);
}

// ---- DDWs ----

Result<PeWindow> Pe::create(PageShift page, Bytes size)
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

Result<PeWindow> Pe::create_now(PageShift page, Bytes size)
{
	TRY(check_room(page, size));
	const auto made = TRY(ddw_.create(page, size));
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

Result<PeWindow> Pe::create_at(PageShift page, Bytes size, Ioba start)
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

Result<PageShift> Pe::check_request(u32 page_shift, Bytes size, u32 levels) const
{
	static constexpr u32 levels_max = 5; // what PowerNV can have at most; without meaning on pSeries
	const auto page = PageShift::from(page_shift);
	if (!page || (info_.page_sizes & page->size().raw()) == 0)
		return fail(TCEWIN_BAD_PAGE_SHIFT);
	if (!std::has_single_bit(size.raw()) || size < page->size())
		return fail(TCEWIN_BAD_SIZE);
	if (levels == 0 || levels > levels_max)
		return fail(TCEWIN_BAD_LEVELS);
	if (borrowed() && (*page != page_4k || size != default_geometry().size))
		return fail(TCEWIN_NO_DDW);
	return *page;
}

// Firmware can make such a window now.
Result<> Pe::check_room(PageShift page, Bytes size) const
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

// Firmware's word for where @window lies can be true.
Result<> Pe::check_place(const PeWindow &window) const
{
	const WindowGeometry &g = window.geometry;
	if (g.page_shift.aligned(g.start) && fits(g.start, g.size) && !windows_.overlaps(g))
		return {};
	tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "window out of place at", static_cast<long>(g.start.raw()));
	return fail(TCEWIN_FIRMWARE_ERROR);
}

// ---- windows that end ----

Result<> Pe::remove(const PeWindow &window)
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

void Pe::orphan(const PeWindow &window) { (*windows_.find(window.liobn))->use = Use::orphan; }

void Pe::abandon()
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

void Pe::end_all()
{
	for (auto &slot : windows_)
		if (slot)
			(void)drop(slot).transform_error([&](Error e) {
				slot->use = Use::orphan;
				return e;
			});
}

// Another try at the windows that nobody uses any more.
void Pe::sweep()
{
	for (auto &slot : windows_)
		if (slot && slot->use == Use::orphan)
			(void)drop(slot);
}

// Firmware's window goes; a borrowed one, which cannot, is emptied.
Result<> Pe::drop(Slot &slot)
{
	if (!borrowed())
		TRY(ddw_.remove(slot->window.liobn));
	else if (slot->use != Use::spare)
		TRY(empty_default(Signals::ignore));
	windows_.forget(slot);
	return {};
}

Result<> Pe::clear_all(const PeWindow &window, Signals signals)
{
	return table(window).visit([&](auto &backend) -> Result<> {
		Writer writer{backend, nullptr, TceIndex{0}, signals};
		TRY(writer.clear(window.geometry.all()));
		TRY(writer.flush());
		backend.invalidate(window.geometry.all());
		return {};
	});
}

} // namespace tcewin
