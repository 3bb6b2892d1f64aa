// SPDX-License-Identifier: GPL-2.0-only
#include "pe.hh"

#include <algorithm>
#include <bit>

namespace tcewin
{

// ---- whose it is ----

Result<> Pe::take()
{
	if (owner_ == TCEWIN_OWNER_USER)
		return {}; // the next device of the PE, or one that was just plugged in
	if (owner_ != TCEWIN_OWNER_KERNEL)
		return fail(TCEWIN_QUARANTINED);
	owner_ = TCEWIN_OWNER_HANDING_OVER;
	if (auto r = from_status(tcewin_host_platform_take(host_, &info_)); !r) {
		owner_ = TCEWIN_OWNER_KERNEL;
		return r;
	}
	if (auto r = end_kernel_windows(); !r) {
		(void)give_back();
		return r;
	}
	owner_ = TCEWIN_OWNER_USER;
	return {};
}

Result<> Pe::release()
{
	if (owner_ == TCEWIN_OWNER_KERNEL)
		return {};
	if (owner_ != TCEWIN_OWNER_USER)
		return fail(TCEWIN_QUARANTINED);
	owner_ = TCEWIN_OWNER_HANDING_OVER;
	return give_back();
}

// What the platform leaves of the default window is still in the device's reach: a reset makes it known, then it is
// emptied.
Result<> Pe::end_kernel_windows() { return make_spare(Signals::heed); }

// The platform's reset takes away what could not be removed; it is empty, or this PE would be in quarantine.
Result<> Pe::give_back()
{
	end_all();
	for (auto &slot : windows_)
		if (slot)
			forget(slot);
	if (auto r = from_status(tcewin_host_platform_release(host_)); !r) {
		quarantine();
		tcewin_host_event(host_, TCEWIN_EVENT_STUCK, "the kernel cannot have the PE back", r.error());
		return fail(TCEWIN_QUARANTINED);
	}
	owner_ = TCEWIN_OWNER_KERNEL;
	return {};
}

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
	if (!find(Use::spare))
		TRY(make_spare(Signals::heed));
	(*find(Use::spare))->use = Use::live;
	PeWindow asked = whole_default();
	asked.geometry.size = size;
	return asked;
}

Result<> Pe::make_spare(Signals signals)
{
	if (std::ranges::any_of(windows_, [](const auto &slot) { return slot.has_value(); }))
		return fail(find(Use::live) ? TCEWIN_IN_THE_WAY : TCEWIN_FIRMWARE_ERROR);
	if (!borrowed()) {
		note_leftovers();
		TRY(ddw_.reset());
	}
	const PeWindow whole = whole_default();
	auto r = empty_default(signals).and_then([&] { return enter(whole, Use::spare); });
	if (!r && !borrowed() && !ddw_.remove(whole.liobn))
		windows_[0] = Slot{whole, Use::orphan, false};
	return r;
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
	if (auto *spare = find(Use::spare))
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
	Result<> r = check_place(window);
	if (r && (suspect_ || info_.max_windows == 1))
		r = clear_all(window, Signals::heed);
	if (r)
		r = enter(window, Use::live);
	if (!r) {
		if (!ddw_.remove(window.liobn))
			(void)enter(window, Use::orphan);
		return fail(r.error());
	}
	return window;
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
	if (g.page_shift.aligned(g.start) && fits(g.start, g.size) && !overlaps(g))
		return {};
	tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "window out of place at", static_cast<long>(g.start.raw()));
	return fail(TCEWIN_FIRMWARE_ERROR);
}

// ---- windows for somebody else ----

Result<tcewin_window_info> Pe::open(u32 page_shift, Bytes size, u32 levels)
{
	if (owner_ != TCEWIN_OWNER_USER)
		return fail(TCEWIN_QUARANTINED);
	const PageShift page = TRY(check_request(page_shift, size, levels));
	const auto *there = find(Liobn{info_.default_liobn});
	const bool in_use = there && (*there)->use == Use::live;
	const auto made = !in_use && fits_default(page, size) ? restore_default(size) : create(page, size);
	return made.transform([&](const PeWindow &window) { return describe(window); });
}

Result<> Pe::close(Liobn liobn)
{
	auto *slot = find(liobn);
	if (!slot)
		return fail(TCEWIN_UNKNOWN_WINDOW);
	const PeWindow window = (*slot)->window;
	suspect(); // it is not known whether its user emptied it
	if (remove(window))
		return {};
	const bool empty = clear_all(window, Signals::ignore).has_value();
	orphan(window);
	if (empty)
		return {};
	quarantine();
	tcewin_host_event(host_, TCEWIN_EVENT_STUCK, "a window can neither be emptied nor removed", 0);
	return fail(TCEWIN_STUCK);
}

// ---- windows that end ----

Result<> Pe::remove(const PeWindow &window)
{
	auto &slot = *find(window);
	if (window.kind == WindowKind::default_window && (borrowed() || alone(window))) {
		if (auto r = empty_default(Signals::ignore); r) {
			slot->use = Use::spare;
			return {};
		}
	}
	TRY(drop(slot));
	keep_spare();
	return {};
}

void Pe::orphan(const PeWindow &window) { (*find(window))->use = Use::orphan; }

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
Result<> Pe::drop(std::optional<Slot> &slot)
{
	if (!borrowed())
		TRY(ddw_.remove(slot->window.liobn));
	else if (slot->use != Use::spare)
		TRY(empty_default(Signals::ignore));
	forget(slot);
	return {};
}

// @slot's window is gone, and the kernel knows no more of it.
void Pe::forget(std::optional<Slot> &slot)
{
	const tcewin_window_info info = describe(slot->window);
	if (slot->announced)
		tcewin_host_window_removed(host_, &info);
	slot.reset();
}

// ---- what there is ----

tcewin_window_info Pe::describe(const PeWindow &w) const
{
	return {w.liobn.raw(), w.geometry.page_shift.raw(), w.kind == WindowKind::default_window,
		w.geometry.start.raw(), w.geometry.size.raw()};
}

// The place of a window, or else nullptr.
std::optional<Pe::Slot> *Pe::find(Liobn liobn)
{
	for (auto &slot : windows_)
		if (slot && slot->window.liobn == liobn)
			return &slot;
	return nullptr;
}

// The first place of that use, or else nullptr.
std::optional<Pe::Slot> *Pe::find(Use use)
{
	for (auto &slot : windows_)
		if (slot && slot->use == use)
			return &slot;
	return nullptr;
}

bool Pe::overlaps(const WindowGeometry &geometry) const
{
	return std::ranges::any_of(windows_,
				   [&](const auto &slot) { return slot && slot->window.geometry.overlaps(geometry); });
}

// No other window is in firmware.
bool Pe::alone(const PeWindow &window) const
{
	return std::ranges::all_of(windows_,
				   [&](const auto &slot) { return !slot || slot->window.liobn == window.liobn; });
}

// @window is ours from now on, and the kernel knows of it. NO_SLOT, or what the host says.
Result<> Pe::enter(const PeWindow &window, Use use)
{
	for (auto &slot : windows_) {
		if (slot)
			continue;
		const tcewin_window_info info = describe(window);
		TRY(from_status(tcewin_host_window_added(host_, &info)));
		slot = Slot{window, use, true};
		return {};
	}
	return fail(TCEWIN_NO_SLOT);
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
