// SPDX-License-Identifier: GPL-2.0-only
#include "container.hh"

#include <algorithm>

namespace tcewin
{

Container::~Container() { retire(); }

// PEs of one container are alike, so the first speaks for all.
WindowGeometry Container::default_geometry() const { return pes_[0]->default_geometry(); }

Result<Container::Slot *> Container::free_slot()
{
	const auto used =
		static_cast<std::size_t>(std::ranges::count_if(slots_, [](const Slot &s) { return s != nullptr; }));
	if (used >= pes_[0]->info().max_windows)
		return fail(TCEWIN_NO_SLOT);
	return slots_[0] ? &slots_[1] : &slots_[0];
}

// The default window has one place on the bus, and only the first slot.
bool Container::default_exists() const { return slots_[0] && slots_[0]->kind() == WindowKind::default_window; }

// What the user knows a window by: every client begins with REMOVE of what GET_INFO has called the default window.
Ioba Container::told_start(const Slot &slot) const
{
	const bool untold = slot->kind() == WindowKind::default_window && pes_[0]->default_is_high();
	return untold ? Ioba{0} : slot->geometry().start;
}

// ---- PEs ----

Result<> Container::check_mirrors(const tcewin_pe_info &info) const
{
	const tcewin_pe_info &ours = pes_[0]->info();
	const bool same = info.default_start == ours.default_start && info.default_size == ours.default_size &&
			  info.page_sizes == ours.page_sizes && info.max_windows == ours.max_windows &&
			  info.second_start == ours.second_start;
	return same ? Result<>{} : Result<>{fail(TCEWIN_INCOMPATIBLE)};
}

// Gives @pe every window there is: the table is the same.
Result<> Container::share(const Exclusive &hold, Pe &pe)
{
	for (Slot &slot : slots_) {
		if (!slot)
			continue;
		const WindowGeometry &g = slot->geometry();
		const PeWindow at = TRY(pe.create_at(g.page_shift, g.size, g.start));
		TRY(slot->join(hold, pe, at, Charge{}));
	}
	return {};
}

// The same for a PE with tables of its own: at the same place, with the same translations. It begins with its default
// window alone; where the container has none, that one keeps its place from being given to the first DDW, and goes
// after it, or before it if one window is all the PE can have.
Result<> Container::mirror(const Exclusive &hold, Pe &pe)
{
	const Bytes size = default_exists() ? slots_[0]->geometry().size : default_geometry().size;
	const PeWindow first = TRY(pe.restore_default(size));
	bool spare = !default_exists();
	if (!spare)
		TRY(slots_[0]->join(hold, pe, first, Charge{}));
	for (Slot &slot : slots_) {
		if (!slot || slot->kind() == WindowKind::default_window)
			continue;
		Charge charge = TRY(slot->charge_table(pe));
		if (spare && pe.info().max_windows == 1)
			TRY(pe.remove(first));
		const WindowGeometry &g = slot->geometry();
		const PeWindow at = TRY(pe.create_at(g.page_shift, g.size, g.start));
		TRY(slot->join(hold, pe, at, std::move(charge)));
		if (std::exchange(spare, false) && pe.info().max_windows > 1)
			TRY(pe.remove(first));
	}
	return spare ? pe.remove(first) : Result<>{};
}

Result<> Container::check_newcomer(const Pe &pe) const
{
	if (pe.borrowed() && kind_ == TCEWIN_CONTAINER_V2)
		return fail(TCEWIN_NO_DDW);
	if (pes_.empty())
		return {};
	return kind_ == TCEWIN_CONTAINER_V1 ? fail(TCEWIN_ONE_GROUP_ONLY) : check_mirrors(pe.info());
}

// Whatever the hand-over left in firmware ends here: a PE begins with its default window, reset and emptied.
Result<> Container::attach(Pe &pe)
{
	const Exclusive hold{lock_};
	TRY(check_newcomer(pe));
	TRY(pes_.reserve(pes_.size() + 1));
	return pes_.empty() ? attach_first(hold, pe) : attach_another(hold, pe);
}

Result<> Container::attach_first(const Exclusive &hold, Pe &pe)
{
	pes_.push(&pe);
	const auto built =
		build(hold, slots_[0],
		      {pe.default_geometry(), WindowKind::default_window, 1, kind_ == TCEWIN_CONTAINER_V1}, Charge{});
	if (!built)
		pes_.pop();
	return built.transform([](Ioba) {});
}

Result<> Container::attach_another(const Exclusive &hold, Pe &pe)
{
	for (Slot &slot : slots_)
		if (slot)
			TRY(slot->reserve_tables(hold, pes_.size() + 1));
	auto r = pe.shares_tables() ? share(hold, pe) : mirror(hold, pe);
	if (r) {
		pes_.push(&pe);
		return r;
	}
	if (auto left = leave_all(hold, pe); !left)
		r = left; // STUCK says more than what began it
	pe.abandon();
	return r;
}

Result<> Container::leave_all(const Exclusive &hold, Pe &pe)
{
	Result<> result;
	for (Slot &slot : slots_)
		if (slot)
			if (auto r = slot->leave(hold, pe); !r)
				result = r;
	return result;
}

Result<> Container::detach(Pe &pe)
{
	const Exclusive hold{lock_};
	std::size_t i = 0;
	while (i < pes_.size() && pes_[i] != &pe)
		i++;
	return i < pes_.size() ? detach_at(hold, i) : fail(TCEWIN_NO_GROUP);
}

Result<> Container::detach_at(const Exclusive &hold, std::size_t i)
{
	Result<> result = leave_all(hold, *pes_[i]);
	pes_.remove(i);
	if (pes_.empty())
		for (Slot &slot : slots_)
			slot.reset();
	return result;
}

// Each PE keeps its spare window, which is the default one.
void Container::retire()
{
	const Exclusive hold{lock_};
	while (!pes_.empty())
		(void)detach_at(hold, 0); // what is stuck has been told
}

Result<tcewin_container_info> Container::info()
{
	const Shared hold{lock_};
	TRY(check_usable());
	const tcewin_pe_info &i = pes_[0]->info();
	const bool high = pes_[0]->default_is_high();
	return tcewin_container_info{high ? 0 : i.default_start, high ? 0 : i.default_size, i.page_sizes, i.max_windows,
				     i.max_levels};
}

// ---- memory ----
// What may wait for a user, as pinning a page of his does, is done with no lock: a machine that goes down, and
// everybody else, would wait with it.

Result<> Container::register_memory(UserVa address, Bytes size)
{
	{
		const Shared hold{lock_};
		TRY(regions_.check(address, size));
	}
	auto region = TRY(Region::create(mm_, address, size));
	const Exclusive hold{lock_};
	return regions_.add(hold, region);
}

Result<> Container::unregister_memory(UserVa address, Bytes size)
{
	const Exclusive hold{lock_};
	for (const Slot &slot : slots_)
		if (slot)
			slot->follow();
	return regions_.remove(hold, address, size);
}

// The window may be another one when the memory is pinned. What calls that are under way have pinned together is never
// more than one window's, which ENABLE has charged for.
Result<> Container::map_now(Ioba ioba, UserVa address, Bytes size, Access access)
{
	PageShift page{page_4k};
	Bytes most{0};
	{
		const Shared hold{lock_};
		const Window *window = TRY(window_for(ioba));
		TRY(window->check_map(ioba, address, size, access));
		page = window->geometry().page_shift;
		most = window->geometry().size;
	}
	const Pinning under_way{pinning_, size};
	if (under_way.all() > most)
		return fail(TCEWIN_NO_MEMORY);
	auto region = TRY(Region::pin_now(mm_, address, size, page, access));
	const Shared hold{lock_};
	Window *window = TRY(window_for(ioba));
	if (window->geometry().page_shift != page)
		return fail(TCEWIN_NO_WINDOW);
	return window->map_now(region, ioba, address, size, access);
}

Result<> Container::enable()
{
	const Exclusive hold{lock_};
	if (enabled_)
		return fail(TCEWIN_ALREADY_ENABLED);
	if (pes_.empty())
		return fail(TCEWIN_NOTHING_TO_ENABLE);
	enabled_.begin(hold, TRY(Charge::take(mm_, pes_[0]->info().default_size)));
	return {};
}

Result<> Container::disable()
{
	const Exclusive hold{lock_};
	for (Slot &slot : slots_)
		if (slot)
			TRY(slot->unmap_all());
	enabled_.end(hold);
	return {};
}

// ---- windows ----

// A DDW lies where the platform puts it on the first PE, and the others follow. That they cannot is firmware's fault:
// PEs of one container are alike.
Result<> Container::put_on(const Exclusive &hold, Window &window, Pe &pe, bool is_first)
{
	const WindowGeometry &g = window.geometry();
	Charge charge = TRY(window.charge_table(pe));
	const auto made = window.kind() == WindowKind::default_window ? pe.restore_default(g.size)
			  : is_first				      ? pe.create(g.page_shift, g.size)
								      : pe.create_at(g.page_shift, g.size, g.start);
	const PeWindow at =
		TRY(made.transform_error([](Error e) { return e == TCEWIN_INCOMPATIBLE ? TCEWIN_FIRMWARE_ERROR : e; }));
	window.place(at.geometry.start);
	return window.join(hold, pe, at, std::move(charge));
}

// A window like @wanted on every PE or on none.
Result<Ioba> Container::build(const Exclusive &hold, Slot &slot, const Window::Request &wanted, Charge charge)
{
	auto window = TRY(Window::create(mm_, wanted, std::move(charge)));
	TRY(window->reserve_tables(hold, pes_.size()));
	for (std::size_t i = 0; i < pes_.size(); i++) {
		auto r = put_on(hold, *window, *pes_[i], i == 0);
		if (r)
			continue;
		for (std::size_t j = 0; j < i; j++)
			if (auto left = window->leave(hold, *pes_[j]); !left)
				r = left; // STUCK says more than what began it
		return fail(r.error());
	}
	slot = std::move(window);
	return slot->geometry().start;
}

Result<Ioba> Container::bring_default_back(const Exclusive &hold, Bytes size, Charge charge)
{
	for (const Slot &slot : slots_)
		if (slot)
			return fail(TCEWIN_IN_THE_WAY);
	WindowGeometry wanted = default_geometry();
	wanted.size = size;
	return build(hold, slots_[0], {wanted, WindowKind::default_window, 1, false}, std::move(charge));
}

Result<Ioba> Container::create_window(u32 page_shift, Bytes size, u32 levels)
{
	const Exclusive hold{lock_};
	TRY(check_usable());
	const PageShift page = TRY(pes_[0]->check_request(page_shift, size, levels));
	Charge charge = TRY(Charge::for_one<Window>(mm_));
	if (!default_exists() && pes_[0]->is_default(page, size))
		return bring_default_back(hold, size, std::move(charge));
	Slot *slot = TRY(free_slot());
	return build(hold, *slot, {{Ioba{0}, size, page}, WindowKind::ddw, levels, false}, std::move(charge));
}

Result<> Container::remove_window(Ioba start)
{
	const Exclusive hold{lock_};
	TRY(check_usable());
	for (Slot &slot : slots_) {
		if (!slot || (slot->geometry().start != start && told_start(slot) != start))
			continue;
		TRY(slot->remove(hold));
		slot.reset();
		return {};
	}
	return fail(TCEWIN_UNKNOWN_WINDOW);
}

} // namespace tcewin
