// SPDX-License-Identifier: GPL-2.0-only
// The tables of a window that come and go with its PEs, and its end. What is written into them otherwise is in
// window.cc.
#include "window.hh"

namespace tcewin
{

// A table that hardware may still walk is never freed.
Window::~Window()
{
	const Exclusive hold{lock_};
	if (walked_)
		(void)memory_.release();
}

// What @at is written through. The first PE of a window whose table is in our memory makes it.
Result<Table> Window::table_for(Pe &pe, const PeWindow &at)
{
	if (!pe.shares_tables())
		return pe.table(at);
	if (!memory_) {
		const auto root = charge_.paid() ? LevelTree::Root::charged : LevelTree::Root::free;
		memory_ = TRY(MemoryTable::create(mm_, geometry(), request_.levels, root));
	}
	return Table{InMemory{*memory_}};
}

Result<> Window::join(Pe &pe, const PeWindow &at)
{
	const Exclusive hold{lock_};
	auto table = table_for(pe, at);
	Result<> r;
	if (table) {
		members_.push({&pe, at, *table});
		r = pe.connect(at, memory_.get());
		if (r && !memory_ && (!ledger_.empty() || stuck_))
			r = fill(members_[members_.size() - 1]);
		if (!r)
			(void)drop_member(members_.size() - 1);
	} else {
		r = fail(table.error());
		if (!pe.remove(at))
			pe.orphan(at);
	}
	return r;
}

// A table of its own gets every translation there is.
Result<> Window::fill(Member &member)
{
	if (stuck_)
		return fail(TCEWIN_STUCK);
	auto page = TRY(make<BatchPage>());
	return rewrite(member, geometry().all(), *page, Holes::keep, Signals::heed);
}

// Takes the window away from one PE. Its translations end with that, or with its table's being emptied, unless other
// PEs have the same table.
Result<> Window::drop_member(std::size_t at)
{
	Member &member = members_[at];
	const bool others = memory_ && members_.size() > 1;
	const bool empty = !others && clear_mapped(member).has_value() && !stuck_;
	if (!empty)
		member.pe->suspect();
	const bool gone = member.pe->remove(member.at).has_value();
	if (!gone) {
		member.pe->orphan(member.at);
		walked_ = true;
	}
	Pe *pe = member.pe;
	members_.remove(at);
	if (empty || gone)
		return {};
	abandoned_ = true;
	pe->quarantine(neither_emptied_nor_removed, 0);
	return fail(TCEWIN_STUCK);
}

Result<> Window::leave(Pe &pe)
{
	const Exclusive hold{lock_};
	for (std::size_t i = 0; i < members_.size(); i++)
		if (members_[i].pe == &pe)
			return drop_member(i);
	return {};
}

Result<> Window::remove()
{
	auto page = TRY(make<BatchPage>());
	const Exclusive hold{lock_};
	if (!stuck_)
		TRY(clear(geometry().all(), *page));
	bool removed_one = false;
	while (!members_.empty()) {
		Member &last = members_[members_.size() - 1];
		if (stuck_)
			last.pe->suspect();
		if (auto r = last.pe->remove(last.at); !r) {
			if (stuck_)
				return fail(TCEWIN_STUCK);
			// A place that the PHB did not give up is not known to be as it was.
			if (!removed_one && !memory_) {
				for (Member &m : members_)
					if (!rewrite(m, geometry().all(), *page, Holes::keep, Signals::ignore))
						stuck_ = true;
				return r;
			}
			last.pe->orphan(last.at); // it is empty; the window cannot be whole again
			walked_ = true;
		}
		removed_one = true;
		members_.pop();
	}
	forget_locked();
	return {};
}

void Window::forget()
{
	const Exclusive hold{lock_};
	forget_locked();
}

void Window::forget_locked()
{
	if (abandoned_)
		return;
	ledger_.erase(geometry().all(), nullptr, Settled{});
	while (Owned<Run> run = limbo_.take())
		run->region->drop_mapped(run->address, geometry().page_shift, run->range.count, run->access);
}

} // namespace tcewin
