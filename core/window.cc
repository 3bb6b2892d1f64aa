// SPDX-License-Identifier: GPL-2.0-only
#include "window.hh"

namespace tcewin
{

Result<Owned<Window>> Window::create(void *mm, const Request &request, Charge charge)
{
	tcewin_host_lock *lock = tcewin_host_lock_new(TCEWIN_LOCK_WINDOW);
	if (!lock)
		return fail(TCEWIN_NO_MEMORY);
	auto window = make<Window>(mm, lock, request, std::move(charge));
	if (!window)
		tcewin_host_lock_free(lock);
	else
		TRY((*window)->prepare());
	return window;
}

Window::Window(void *mm, tcewin_host_lock *lock, const Request &request, Charge charge)
	: mm_{mm}, charge_{std::move(charge)}, request_{request}, lock_{lock},
	  ledger_{request.geometry.page_shift, kept_}
{
}

// ---- what is written, and how it is taken back ----

// f(part, run) for what @table holds in @range, in order; where somebody else put it, @run is nullptr.
template <class F>
Result<> Window::each_mapped(const WindowTable &table, TceRange range, F f)
{
	const Run *run = ledger_.at_or_after(range.first);
	if (table.foreign.empty()) {
		for (; run && run->range.first < range.end(); run = Ledger::next(run))
			TRY(f(run->range.meet(range), run));
		return {};
	}
	TceRange theirs = table.foreign.next_valid(range);
	for (;;) {
		const bool more = run && run->range.first < range.end();
		if (more && (theirs.empty() || run->range.first < theirs.first)) {
			TRY(f(run->range.meet(range), run));
			run = Ledger::next(run);
		} else if (!theirs.empty()) {
			TRY(f(theirs, static_cast<const Run *>(nullptr)));
			theirs = table.foreign.next_valid({theirs.end(), range.end() - theirs.end()});
		} else {
			return {};
		}
	}
}

template <class W>
Result<> Window::clear_entries(W &writer, const WindowTable &table, TceRange range)
{
	return each_mapped(table, range, [&](TceRange part, const Run *) { return writer.clear(part); });
}

template <class W>
Result<> Window::put_entries(W &writer, const WindowTable &table, TceRange range, Holes holes)
{
	TceIndex done = range.first;
	TRY(each_mapped(table, range, [&](TceRange part, const Run *run) -> Result<> {
		if (holes == Holes::clear && done < part.first)
			TRY(writer.clear({done, part.first - done}));
		done = part.end();
		return writer.put(part, [&](TceIndex at, std::span<Tce> out) {
			if (run)
				run->fill(at, geometry().page_shift, out);
			else
				table.foreign.fill(at, out);
		});
	}));
	if (holes == Holes::clear && done < range.end())
		TRY(writer.clear({done, range.end() - done}));
	return {};
}

// Hardware forgets what it may know of @range. Only what is mapped was ever there, but for a range that was written
// without holes.
template <class B>
void Window::invalidate(B &backend, const WindowTable &table, TceRange range, Holes holes)
{
	if constexpr (B::remembers) {
		if (holes == Holes::clear) {
			backend.invalidate(range);
			return;
		}
		Pauses pauses;
		(void)each_mapped(table, range, [&](TceRange part, const Run *) -> Result<> {
			backend.invalidate(part);
			pauses.step();
			return {};
		});
	}
}

// Rewrites @range of one table as it is known.
Result<> Window::rewrite(WindowTable &table, TceRange range, std::span<Tce> words, Holes holes, Signals signals)
{
	return table.backend.visit([&](auto &backend) TCEWIN_TS(no_thread_safety_analysis) -> Result<> {
		Writer writer{backend, words, range.first, signals};
		Result<> r = put_entries(writer, table, range, holes).and_then([&] { return writer.flush(); });
		invalidate(backend, table, range, holes);
		return r;
	});
}

// What transact() does when @why keeps table @at from being written further than @touched.
Result<Settled> Window::undo(TceRange range, std::size_t at, TceIndex touched, std::span<Tce> words, Holes holes,
			     Error why)
{
	bool undone = true;
	for (std::size_t j = 0; j <= at; j++) {
		const TceRange part = j < at ? range : TceRange{range.first, touched - range.first};
		undone = written_back(*tables_[j], part, words, holes) && undone;
	}
	take_back(range);
	if (!undone)
		tcewin_host_event(nullptr, TCEWIN_EVENT_STUCK, "undoing failed", why);
	return fail(undone ? why : TCEWIN_STUCK);
}

// Runs @forward(writer, table) on every table. When one fails, all are as they were known, or those that are not are
// stuck.
// Success means that every device sees the new state: the proof that the ledger wants.
template <class Forward>
Result<Settled> Window::transact(TceRange range, std::span<Tce> words, Holes holes, Signals signals, Forward forward)
{
	for (std::size_t i = 0; i < tables_.size(); i++) {
		TceIndex touched = range.first;
		WindowTable &table = *tables_[i];
		Result<> done = table.backend.visit([&](auto &backend) -> Result<> {
			Writer writer{backend, words, range.first, signals};
			Result<> r = forward(writer, table).and_then([&] { return writer.flush(); });
			touched = writer.touched();
			return r;
		});
		if (!done) [[unlikely]]
			return undo(range, i, touched, words, holes, done.error());
	}
	for (const auto &table : tables_)
		table->backend.visit([&](auto &backend) TCEWIN_TS(no_thread_safety_analysis) {
			if (holes == Holes::clear)
				backend.show(range);
			invalidate(backend, *table, range, holes);
		});
	return Settled{range};
}

// Ends what is mapped in @range, in every table or in none.
Result<Settled> Window::clear(TceRange range, std::span<Tce> words)
{
	// Behind KVM, the ledger does not say what there would be to put back.
	return transact(range, words, Holes::keep, books_ == Books::behind ? Signals::ignore : Signals::heed,
			[&](auto &writer, const WindowTable &table)
				TCEWIN_TS(no_thread_safety_analysis) { return clear_entries(writer, table, range); });
}

Result<> Window::clear_mapped(WindowTable &table)
{
	return table.backend.visit([&](auto &backend) TCEWIN_TS(no_thread_safety_analysis) -> Result<> {
		Writer writer{backend, {}, TceIndex{0}, Signals::ignore};
		Result<> r = clear_entries(writer, table, geometry().all()).and_then([&] { return writer.flush(); });
		invalidate(backend, table, geometry().all(), Holes::keep);
		return r;
	});
}

// Nothing of others is left where @proof is of.
void Window::settle(const Settled &proof)
{
	for (const auto &table : tables_)
		table->settle(Emptied{proof.range()});
}

// ---- map and unmap ----

// The runs that map [address, ...) at @range, one a region. NOT_REGISTERED, PAGE_TOO_LARGE, NO_MEMORY.
Result<> Window::plan(const RegionSet &regions, TceRange range, UserVa address, Access access, RunList &list) const
{
	const PageShift page = geometry().page_shift;
	while (!range.empty()) {
		Region *region = regions.find(address);
		if (!region)
			return fail(TCEWIN_NOT_REGISTERED);
		const Bytes left = page.bytes(range.count), here = region->end() - address;
		const Bytes length = left < here ? left : here;
		if (!page.aligned(length))
			return fail(TCEWIN_PAGE_TOO_LARGE); // the last page would reach beyond the region
		TRY(region->check(address, length, page));
		auto run = TRY(kept_.take(payer()));
		run->range = {range.first, page.pages(length)};
		run->address = address;
		run->region = region;
		run->access = access;
		range = {run->range.end(), range.count - run->range.count};
		address = address + length;
		list.append(std::move(run));
	}
	return {};
}

Result<> Window::map_runs(const RegionSet &regions, TceRange range, UserVa address, Access access)
{
	RunList list;
	TRY(plan(regions, range, address, access, list));
	return write(range, list);
}

Result<> Window::map_now(Owned<Region> &region, Ioba ioba, UserVa address, Bytes size, Access access)
{
	const TceRange range = TRY(check_map(ioba, address, size, access));
	auto run = TRY(kept_.take(payer()));
	run->range = range;
	run->address = address;
	run->region = region.get();
	run->access = access;
	RunList list;
	list.append(std::move(run));
	auto r = write(range, list);
	if (!list.first())
		(void)region.release(); // ledger or limbo has the run, and the region with it
	return r;
}

// Room for @range in every table, until transact() has written there.
Result<> Window::make_room(TceRange range)
{
	for (const auto &table : tables_)
		if (auto r = table->backend.visit([&](auto &backend) { return backend.reserve(range); }); !r) {
			take_back(range);
			return r;
		}
	return {};
}

void Window::show(TceRange range)
{
	for (const auto &table : tables_)
		table->backend.visit([&](auto &backend) { backend.show(range); });
}

void Window::take_back(TceRange range)
{
	for (const auto &table : tables_)
		table->backend.visit([&](auto &backend) { backend.take_back(range); });
}

// Makes @range map what @list says.
Result<> Window::write(TceRange range, RunList &list)
{
	auto batch = TRY(Batch::for_entries(range.count));
	const Alone hold{*this};
	if (stuck())
		return fail(TCEWIN_STUCK);
	if (books_ == Books::behind)
		return fail(TCEWIN_NO_MEMORY); // nor would there be any for this
	auto spare = TRY(spare_for(range));
	TRY(reserve(range));
	auto settled = transact(range, batch.words(), Holes::clear, Signals::heed,
				[&](auto &writer, const WindowTable &) -> Result<> {
					for (const Run *r = list.first(); r; r = RunList::next(r))
						TRY(writer.put(r->range, [&](TceIndex at, std::span<Tce> out) {
							r->fill(at, geometry().page_shift, out);
						}));
					return {};
				});
	if (!settled)
		return fail(give_up(list, settled.error()));
	settle(*settled);
	ledger_.erase(std::move(*settled), std::move(spare));
	while (Owned<Run> run = list.take())
		ledger_.insert(std::move(run));
	return {};
}

Result<> Window::unmap_runs(TceRange range)
{
	auto batch = TRY(Batch::for_entries(range.count));
	const Alone hold{*this};
	if (stuck())
		return fail(TCEWIN_STUCK);
	auto spare = TRY(spare_to_give_back(range));
	Settled settled = TRY(clear(range, batch.words()));
	settle(settled);
	ledger_.erase(std::move(settled), std::move(spare));
	return {};
}

// A run that @range cuts in two becomes two, which a MAP has to pay for.
Result<Owned<Run>> Window::spare_for(TceRange range) const
{
	return ledger_.cut_by(range) ? kept_.take(payer()) : Owned<Run>{};
}

// Who gives back is not refused for the limit, as long as that is no way around it.
Result<Owned<Run>> Window::spare_to_give_back(TceRange range)
{
	static constexpr u32 most_beyond = 4096;
	auto spare = spare_for(range);
	if (spare || beyond_ == most_beyond)
		return spare;
	spare = Run::create_anyway(payer());
	beyond_ += spare.has_value();
	return spare;
}

// A MAP that failed half way: devices could write for a while.
void Window::dirty(const RunList &list) const
{
	for (const Run *r = list.first(); r; r = RunList::next(r))
		if (writes(r->access))
			r->region->dirty(r->address, geometry().page_shift.bytes(r->range.count));
}

} // namespace tcewin
