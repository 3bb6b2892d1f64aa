// SPDX-License-Identifier: GPL-2.0-only
// What a table may translate beside what the ledger says, since something could not be undone: which of them that is,
// what stays pinned for it and for how long, and how it is emptied all the same. As long as there is such a table the
// window takes nothing but its removal. When its PE is gone with it, the others go on.
#include "window.hh"

namespace tcewin
{

// Writes @range of @table as it is known. Where that cannot be done the table is stuck.
bool Window::written_back(WindowTable &table, TceRange range, std::span<Tce> words, Holes holes)
{
	const bool known = books_ != Books::behind; // else nobody knows what there was
	if (known && rewrite(table, range, words, holes, Signals::ignore))
		return true;
	table.health = Health::stuck;
	return false;
}

// What a MAP of @list leaves that failed for @why and was undone, or is stuck.
Error Window::give_up(RunList &list, Error why)
{
	dirty(list);
	if (stuck())
		keep_in_limbo(list);
	return why;
}

// A table may still translate to what a failed MAP was about to map.
void Window::keep_in_limbo(RunList &list)
{
	while (Owned<Run> run = list.take()) {
		run->region->add_mapped(run->range.count);
		limbo_.append(std::move(run));
	}
}

// With the last table that is stuck its memory may be given back, unless that one is lost.
void Window::end_limbo()
{
	if (std::ranges::contains(tables_, Health::stuck, [](const auto &t) { return t->health; }))
		return;
	while (Owned<Run> run = limbo_.take())
		run->region->drop_mapped(run->address, geometry().page_shift, run->range.count, run->access);
}

// A PE is about to leave that can still reach what @table translates: that is never given back, and what else maps the
// same memory may come and go.
void Window::lose(WindowTable &table)
{
	Pauses pauses;
	for (const Run *run = ledger_.at_or_after(TceIndex{0}); run; run = Ledger::next(run), pauses.step())
		run->region->keep_for_good();
	for (const Run *run = limbo_.first(); run && table.health == Health::stuck; run = RunList::next(run))
		run->region->keep_for_good();
	table.health = Health::lost;
}

// Empties what is known to be in @table. False: something may be left.
bool Window::empties(WindowTable &table) { return clear_mapped(table).has_value() && table.sound(); }

// Empties @table where firmware keeps it, the second time for one that was sound. A stuck one may have what a failed
// MAP was about to map besides, and nothing else that is in no book.
bool Window::empties_again(WindowTable &table)
{
	if (table.sound())
		return empties(table);
	if (table.health == Health::lost || !clear_mapped(table))
		return false;
	const auto r = table.backend.visit([&](auto &backend) TCEWIN_TS(no_thread_safety_analysis) -> Result<> {
		Writer writer{backend, {}, TceIndex{0}, Signals::ignore};
		for (const Run *run = limbo_.first(); run; run = RunList::next(run))
			TRY(writer.clear(run->range));
		TRY(writer.flush());
		for (const Run *run = limbo_.first(); run; run = RunList::next(run))
			backend.invalidate(run->range);
		return {};
	});
	if (r)
		table.health = Health::sound;
	return r.has_value();
}

// A stuck window is about to be removed: what can be emptied is, and there is no way back.
void Window::close_books()
{
	books_ = Books::closed;
	for (const auto &table : tables_)
		if (table->sound() && !clear_mapped(*table))
			table->health = Health::stuck;
}

// Whose part of the window REMOVE takes away next: as long as a stuck table may be refused, nothing else is gone.
const Window::Member &Window::next_to_lose() const
{
	for (const Member &member : members_)
		if (!member.table->sound())
			return member;
	return members_[members_.size() - 1];
}

// REMOVE has emptied all tables and is refused for @why: they are filled again.
Error Window::restore(std::span<Tce> words, Error why)
{
	bool restored = true;
	for (const auto &table : tables_)
		restored = written_back(*table, geometry().all(), words, Holes::keep) && restored;
	return restored ? why : TCEWIN_STUCK;
}

} // namespace tcewin
