// SPDX-License-Identifier: GPL-2.0-only
#include "container.hh"

#include <bit>

namespace tcewin
{

Container::~Container()
{
	while (!pes_.empty())
		(void)detach(*pes_[0]);
}

Result<> Container::check_usable() const { return pes_.empty() ? Result<>{fail(TCEWIN_NO_GROUP)} : Result<>{}; }

// PEs of one container are alike, so the first speaks for all.
WindowGeometry Container::default_geometry() const { return pes_[0]->default_geometry(); }

bool Container::pending_at(Ioba a) const { return default_ == Default::pending && default_geometry().contains(a); }

Window *Container::window_at(Ioba a) const
{
	for (const Slot &slot : slots_)
		if (slot && slot->geometry().contains(a))
			return slot.get();
	return nullptr;
}

// The pending default window has slot 0.
Result<Container::Slot *> Container::free_slot()
{
	std::size_t used = default_ == Default::pending;
	for (const Slot &slot : slots_)
		used += slot != nullptr;
	if (used >= pes_[0]->info().max_windows)
		return fail(TCEWIN_NO_SLOT);
	const bool first_taken = slots_[0] || default_ == Default::pending;
	Slot &slot = first_taken ? slots_[1] : slots_[0];
	if (!slot)
		return &slot;
	return fail(TCEWIN_NO_SLOT);
}

// ---- PEs ----

Result<> Container::check_mirrors(const tcewin_pe_info &info) const
{
	const tcewin_pe_info &ours = pes_[0]->info();
	const bool same = info.default_start == ours.default_start && info.default_size == ours.default_size &&
			  info.page_sizes == ours.page_sizes && info.max_windows == ours.max_windows;
	return same ? Result<>{} : Result<>{fail(TCEWIN_INCOMPATIBLE)};
}

// Gives @pe every window there is, at the same place, with the same translations. The default window is slot 0's, so it
// comes first: bringing it back would remove any DDW.
Result<> Container::mirror(Pe &pe)
{
	for (Slot &slot : slots_) {
		if (!slot)
			continue;
		TRY(slot->reserve_tables(pes_.size() + 1));
		const WindowGeometry &g = slot->geometry();
		const PeWindow at =
			TRY(slot->kind() == WindowKind::default_window ? pe.restore_default(g.size)
								       : pe.create_at(g.page_shift, g.size, g.start));
		TRY(slot->join(pe, at));
	}
	return {};
}

Result<> Container::attach(Pe &pe)
{
	const Exclusive hold{lock_};
	if (pe.info().max_windows == 0)
		return fail(TCEWIN_NO_DDW);
	TRY(pes_.reserve(pes_.size() + 1));
	if (pes_.empty()) {
		default_ = Default::pending;
	} else {
		TRY(check_mirrors(pe.info()));
		if (auto r = mirror(pe); !r) {
			(void)leave_all(pe);
			return r;
		}
	}
	pes_.push(&pe);
	return {};
}

Result<> Container::leave_all(Pe &pe)
{
	Result<> result;
	for (Slot &slot : slots_)
		if (slot)
			if (auto r = slot->leave(pe); !r)
				result = r;
	return result;
}

Result<> Container::detach(Pe &pe)
{
	const Exclusive hold{lock_};
	std::size_t i = 0;
	while (i < pes_.size() && pes_[i] != &pe)
		i++;
	if (i == pes_.size())
		return fail(TCEWIN_NO_GROUP);
	Result<> result = leave_all(pe);
	pes_.remove(i);
	if (pes_.empty()) {
		for (Slot &slot : slots_) {
			if (slot)
				slot->forget();
			slot.reset();
		}
		default_ = Default::absent;
	}
	return result;
}

Result<tcewin_container_info> Container::info()
{
	const Shared hold{lock_};
	TRY(check_usable());
	const tcewin_pe_info &i = pes_[0]->info();
	return tcewin_container_info{i.default_start, i.default_size, i.page_sizes, i.max_windows, i.max_levels};
}

// ---- memory ----

Result<> Container::register_memory(UserVa address, Bytes size)
{
	const Exclusive hold{lock_};
	return regions_.add(mm_, address, size);
}

Result<> Container::unregister_memory(UserVa address, Bytes size)
{
	const Exclusive hold{lock_};
	return regions_.remove(address, size);
}

// ---- windows ----

// A window like @wanted on every PE or on none. A DDW lies where firmware puts it on the first, and the others follow.
Result<Ioba> Container::build(Slot &slot, const WindowGeometry &wanted, WindowKind kind)
{
	auto window = TRY(Window::create(mm_, wanted, kind));
	TRY(window->reserve_tables(pes_.size()));
	for (std::size_t i = 0; i < pes_.size(); i++) {
		Pe &pe = *pes_[i];
		auto at = kind == WindowKind::default_window ? pe.restore_default(wanted.size)
			  : i == 0			     ? pe.create(wanted.page_shift, wanted.size)
				   : pe.create_at(wanted.page_shift, wanted.size, window->geometry().start);
		Result<> r;
		if (!at) {
			r = fail(at.error());
		} else {
			window->place(at->geometry.start);
			r = window->join(pe, *at);
		}
		if (!r) {
			for (std::size_t j = 0; j < i; j++)
				(void)window->leave(*pes_[j]);
			return fail(r.error());
		}
	}
	slot = std::move(window);
	return slot->geometry().start;
}

Result<Ioba> Container::bring_default_back(Bytes size)
{
	for (const Slot &slot : slots_)
		if (slot)
			return fail(TCEWIN_IN_THE_WAY);
	WindowGeometry wanted = default_geometry();
	wanted.size = size;
	const Ioba start = TRY(build(slots_[0], wanted, WindowKind::default_window));
	default_ = Default::present;
	return start;
}

Result<> Container::make_default_real()
{
	if (default_ != Default::pending)
		return {};
	return bring_default_back(default_geometry().size).transform([](Ioba) {});
}

Result<Ioba> Container::create_window(u32 page_shift, Bytes size, u32 levels)
{
	static constexpr u32 levels_max = 5; // what PowerNV can have at most; without meaning on pSeries
	const Exclusive hold{lock_};
	TRY(check_usable());
	const auto page = PageShift::from(page_shift);
	if (!page || (pes_[0]->info().page_sizes & page->size().raw()) == 0)
		return fail(TCEWIN_BAD_PAGE_SHIFT);
	if (!std::has_single_bit(size.raw()) || size < page->size())
		return fail(TCEWIN_BAD_SIZE);
	if (levels == 0 || levels > levels_max)
		return fail(TCEWIN_BAD_LEVELS);
	if (default_ == Default::absent && *page == page_4k && size <= default_geometry().size)
		return bring_default_back(size);
	Slot *slot = TRY(free_slot());
	// Some firmware would give the default window's place away, and bringing that one back later would cost the new
	// one.
	TRY(make_default_real());
	return build(*slot, {Ioba{0}, size, *page}, WindowKind::ddw);
}

Result<> Container::remove_window(Ioba start)
{
	const Exclusive hold{lock_};
	TRY(check_usable());
	if (default_ == Default::pending && start == default_geometry().start) {
		default_ = Default::absent;
		return {};
	}
	for (Slot &slot : slots_) {
		if (!slot || slot->geometry().start != start)
			continue;
		TRY(slot->remove());
		if (slot->kind() == WindowKind::default_window)
			default_ = Default::absent;
		slot.reset();
		return {};
	}
	return fail(TCEWIN_UNKNOWN_WINDOW);
}

// ---- translations ----

Result<> Container::map(Ioba ioba, UserVa address, Bytes size, Access access)
{
	for (;;) {
		{
			const Shared hold{lock_};
			TRY(check_usable());
			if (!regions_.ever_used())
				return fail(TCEWIN_NOTHING_REGISTERED);
			if (Window *window = window_at(ioba))
				return window->map(regions_, ioba, address, size, access);
			if (!pending_at(ioba))
				return fail(TCEWIN_NO_WINDOW);
		}
		const Exclusive hold{lock_};
		TRY(check_usable());
		TRY(make_default_real());
	}
}

Result<> Container::unmap(Ioba ioba, Bytes size)
{
	const Shared hold{lock_};
	TRY(check_usable());
	if (!regions_.ever_used())
		return fail(TCEWIN_NOTHING_REGISTERED);
	if (Window *window = window_at(ioba))
		return window->unmap(ioba, size);
	if (pending_at(ioba))
		return default_geometry().range(ioba, size).transform([](TceRange) {}); // nothing is mapped there yet
	return fail(TCEWIN_NO_WINDOW);
}

} // namespace tcewin
