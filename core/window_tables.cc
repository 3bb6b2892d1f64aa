// SPDX-License-Identifier: GPL-2.0-only
// The tables of a window that come and go with its PEs, and its end. What is written into them otherwise is in
// window.cc.
#include "window.hh"

namespace tcewin
{

Result<Charge> Window::charge_table(const Pe &pe) const
{
	if (pe.shares_tables() || kind() == WindowKind::default_window)
		return Charge{};
	return Charge::take(mm_, geometry().entries().raw() * sizeof(Tce));
}

// What @at is written through: a new table, or the one that all have.
Result<WindowTable *> Window::table_for(Pe &pe, const PeWindow &at, Charge charge)
{
	if (pe.shares_tables() && !tables_.empty())
		return tables_[0].get();
	const auto first = charge_.paid() ? LevelTree::Root::charged : LevelTree::Root::free;
	tables_.push(TRY(pe.shares_tables() ? WindowTable::in_memory(*this, mm_, payer(), request_.levels, first)
					    : WindowTable::of_firmware(*this, mm_, payer(), at.liobn, pe.table(at),
								       std::move(charge))));
	return tables_[tables_.size() - 1].get();
}

Result<> Window::reserve_tables(const Exclusive &, std::size_t count)
{
	const Alone hold{*this};
	TRY(tables_.reserve(count));
	return members_.reserve(count);
}

Result<> Window::join(const Exclusive &, Pe &pe, const PeWindow &at, Charge charge)
{
	const Alone hold{*this};
	TRY(admit(pe, at, std::move(charge)))->open();
	return {};
}

Result<WindowTable *> Window::admit(Pe &pe, const PeWindow &at, Charge charge)
{
	// Its table, which is empty, would be filled from books that do not say all. It is taken away again, so STUCK,
	// which says that something stays, is not the answer.
	auto table =
		stuck() ? Result<WindowTable *>{fail(TCEWIN_FIRMWARE_ERROR)} : table_for(pe, at, std::move(charge));
	if (!table) {
		if (!pe.remove(at))
			pe.orphan(at);
		return fail(table.error());
	}
	members_.push({&pe, at, *table});
	(*table)->members++;
	auto r = fill(**table).and_then([&] { return pe.connect(at, (*table)->host.get()); });
	if (r)
		return table;
	if (auto left = drop_member(members_.size() - 1); !left)
		r = left; // STUCK says more than what began it
	return fail(r.error());
}

// A newcomer's table gets every translation there is, unless it is the one that all have.
Result<> Window::fill(WindowTable &table)
{
	if (table.tree || ledger_.empty())
		return {};
	if (books_ == Books::behind)
		return fail(TCEWIN_NO_MEMORY);
	auto batch = TRY(Batch::for_entries(geometry().entries()));
	return rewrite(table, geometry().all(), batch.words(), Holes::keep, Signals::heed);
}

// Takes the window away from one PE. Its translations end with that, or with its table's being emptied, unless other
// PEs have the same table.
Result<> Window::drop_member(std::size_t at)
{
	const Member member = members_[at];
	WindowTable &table = *member.table;
	const bool last = table.members == 1;
	bool empty = last && empties(table);
	if (!empty)
		member.pe->suspect(member.at);
	if (last)
		set_leaving(table, true);
	const bool gone = member.pe->remove(member.at).has_value();
	if (!gone) {
		empty = empty || (last && empties_again(table));
		member.pe->orphan(member.at);
		table.walked = true;
	}
	members_.remove(at);
	if (!empty && !gone)
		lose(table);
	if (--table.members == 0)
		drop_table(&table);
	if (empty || gone)
		return {};
	member.pe->quarantine(neither_emptied_nor_removed, 0);
	return fail(TCEWIN_STUCK);
}

// KVM's clears of an entry of @table go no further than a mark. It is empty, or nobody can help it.
void Window::set_leaving(WindowTable &table, bool leaving)
{
	const InGate in{gate_};
	table.leaving = leaving;
}

// No PE has @table any more, but hardware may still walk it, or reach memory through it: then it is kept for good.
void Window::drop_table(WindowTable *table)
{
	for (std::size_t i = 0; i < tables_.size(); i++) {
		if (tables_[i].get() != table)
			continue;
		table->close();
		if (table->health != Health::lost) {
			follow_clears(*table, Rewrite::no);	  // in the tables of others
			table->settle(Emptied{geometry().all()}); // what it ends is dirty
			table->dirty(table->doubtful);
			tcewin_host_table_settle_rest(table->host.get());
		}
		if (table->health == Health::lost || (table->walked && table->tree)) {
			table->keep_for_hardware();
			(void)tables_[i].release();
		}
		tables_.remove(i);
		end_limbo();
		break;
	}
	if (tables_.empty()) // what is in the books is in none, or its regions are kept for good
		ledger_.erase(Settled{geometry().all()}, nullptr);
}

Result<> Window::leave(const Exclusive &, Pe &pe)
{
	const Alone hold{*this};
	const Member *member = member_of(pe);
	return member ? drop_member(static_cast<std::size_t>(member - members_.begin())) : Result<>{};
}

Result<> Window::remove(const Exclusive &)
{
	auto batch = TRY(Batch::for_entries(geometry().entries()));
	const Alone hold{*this};
	return remove_locked(batch.words());
}

Result<> Window::remove_locked(std::span<Tce> words)
{
	if (stuck())
		close_books();
	else
		(void)TRY(clear(geometry().all(), words));
	bool whole = books_ != Books::closed;
	while (!members_.empty()) {
		const Member next = next_to_lose();
		WindowTable &table = *next.table;
		if (!table.sound())
			next.pe->suspect(next.at);
		set_leaving(table, table.members == 1);
		if (auto r = next.pe->remove(next.at); !r) {
			if (!table.sound() && !empties_again(table)) {
				set_leaving(table, false);
				return fail(TCEWIN_STUCK);
			}
			// A place that the PHB did not give up is not known to be as it was.
			if (whole && !table.tree) {
				set_leaving(table, false);
				return fail(restore(words, r.error()));
			}
			next.pe->orphan(next.at); // it is empty; the window cannot be whole again
			table.walked = true;
		}
		whole = false;
		members_.remove(static_cast<std::size_t>(member_of(*next.pe) - members_.begin()));
		if (--table.members == 0)
			drop_table(&table);
	}
	return {};
}

} // namespace tcewin
