// SPDX-License-Identifier: GPL-2.0-only
#include "window_list.hh"

#include <algorithm>

namespace tcewin
{

tcewin_window_info describe(const PeWindow &w)
{
	return {w.liobn.raw(), w.geometry.page_shift.raw(), w.kind == WindowKind::default_window,
		w.geometry.start.raw(), w.geometry.size.raw()};
}

WindowList::Slot *WindowList::free_slot()
{
	Slot *slot = std::ranges::find_if(slots_, [](const Slot &s) { return !s; });
	return slot != end() ? slot : nullptr;
}

void WindowList::enter_orphan(const PeWindow &window)
{
	Slot *free = free_slot();
	if (!enter(window, Use::orphan) && free)
		*free = Entry{window, Use::orphan, false};
}

Result<> WindowList::enter(const PeWindow &window, Use use)
{
	Slot *free = free_slot();
	if (!free)
		return fail(TCEWIN_NO_SLOT);
	const tcewin_window_info info = describe(window);
	TRY(from_status(tcewin_host_window_added(host_, &info)));
	*free = Entry{window, use, true};
	return {};
}

void WindowList::forget(Slot &slot)
{
	const tcewin_window_info info = describe(slot->window);
	if (slot->announced)
		tcewin_host_window_removed(host_, &info);
	slot.reset();
}

WindowList::Slot *WindowList::find(Liobn liobn)
{
	Slot *slot = std::ranges::find_if(slots_, [&](const Slot &s) { return s && s->window.liobn == liobn; });
	return slot != end() ? slot : nullptr;
}

WindowList::Slot *WindowList::find(Use use)
{
	Slot *slot = std::ranges::find_if(slots_, [&](const Slot &s) { return s && s->use == use; });
	return slot != end() ? slot : nullptr;
}

bool WindowList::empty() const
{
	return std::ranges::none_of(slots_, [](const Slot &slot) { return slot.has_value(); });
}

bool WindowList::overlaps(const WindowGeometry &geometry) const
{
	return std::ranges::any_of(slots_,
				   [&](const Slot &slot) { return slot && slot->window.geometry.overlaps(geometry); });
}

bool WindowList::alone(Liobn liobn) const
{
	return std::ranges::all_of(slots_, [&](const Slot &slot) { return !slot || slot->window.liobn == liobn; });
}

} // namespace tcewin
