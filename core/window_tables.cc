// SPDX-License-Identifier: GPL-2.0-only
// The tables of a window that come and go with its PEs, and its end. What is written into them otherwise is in
// window.cc.
#include "window.hh"

namespace tcewin
{

Result<> Window::join(Pe &pe, const PeWindow &at)
{
	const Exclusive hold{lock_};
	members_.push({&pe, at, pe.table(at)});
	if (ledger_.empty() && !stuck_)
		return {};
	Member &member = members_[members_.size() - 1];
	auto page = make<BatchPage>();
	Result<> r = stuck_ ? fail(TCEWIN_STUCK) : page ? Result<>{} : fail(page.error());
	if (r)
		r = rewrite(member, geometry_.all(), **page, Holes::keep, Signals::heed);
	if (!r)
		(void)drop_member(members_.size() - 1);
	return r;
}

// Empties the table of one PE and takes the window away from it; either is enough to end its translations.
Result<> Window::drop_member(std::size_t at)
{
	Member &member = members_[at];
	const bool empty = clear_mapped(member).has_value() && !stuck_;
	if (!empty)
		member.pe->suspect();
	const bool gone = member.pe->remove(member.at).has_value();
	if (!gone)
		member.pe->orphan(member.at);
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
		TRY(clear(geometry_.all(), *page));
	bool removed_one = false;
	while (!members_.empty()) {
		Member &last = members_[members_.size() - 1];
		if (stuck_)
			last.pe->suspect();
		if (auto r = last.pe->remove(last.at); !r) {
			if (stuck_)
				return fail(TCEWIN_STUCK);
			if (!removed_one) {
				for (Member &m : members_)
					if (!rewrite(m, geometry_.all(), *page, Holes::keep, Signals::ignore))
						stuck_ = true;
				return r;
			}
			last.pe->orphan(last.at); // it is empty; the window cannot be whole again
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
	ledger_.erase(geometry_.all(), nullptr, Settled{});
	while (Owned<Run> run = limbo_.take())
		run->region->drop_mapped(run->address, geometry_.page_shift, run->range.count, run->access);
}

} // namespace tcewin
