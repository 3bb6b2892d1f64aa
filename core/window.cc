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
	return window;
}

Window::Window(void *mm, tcewin_host_lock *lock, const Request &request, Charge charge)
	: mm_{mm}, charge_{std::move(charge)}, request_{request}, lock_{lock}, ledger_{request.geometry.page_shift}
{
}

// ---- what is written, and how it is taken back ----

template <class W>
Result<> Window::clear_runs(W &writer, TceRange range)
{
	for (const Run *r = ledger_.at_or_after(range.first); r && r->range.first < range.end(); r = Ledger::next(r))
		TRY(writer.clear(r->range.meet(range)));
	return {};
}

template <class W>
Result<> Window::put_runs(W &writer, TceRange range, Holes holes)
{
	TceIndex done = range.first;
	for (const Run *r = ledger_.at_or_after(range.first); r && r->range.first < range.end(); r = Ledger::next(r)) {
		const TceRange part = r->range.meet(range);
		if (holes == Holes::clear && done < part.first)
			TRY(writer.clear({done, part.first - done}));
		TRY(writer.put(part,
			       [&](TceIndex at, std::span<Tce> out) { r->fill(at, geometry().page_shift, out); }));
		done = part.end();
	}
	if (holes == Holes::clear && done < range.end())
		TRY(writer.clear({done, range.end() - done}));
	return {};
}

// One for each table: all members, or the first where all share one.
std::span<Window::Member> Window::tables()
{
	return {members_.begin(), memory_ && !members_.empty() ? 1 : members_.size()};
}

// Hardware forgets what it may know of @range. Only what the ledger has was ever there, but for a range that was
// written without holes.
template <class B>
void Window::invalidate(B &backend, TceRange range, Holes holes)
{
	if constexpr (B::remembers) {
		if (holes == Holes::clear) {
			backend.invalidate(range);
			return;
		}
		for (const Run *r = ledger_.at_or_after(range.first); r && r->range.first < range.end();
		     r = Ledger::next(r))
			backend.invalidate(r->range.meet(range));
	}
}

// Rewrites @range of one table as the ledger has it.
Result<> Window::rewrite(Member &member, TceRange range, BatchPage &page, Holes holes, Signals signals)
{
	return member.table.visit([&](auto &backend) TCEWIN_TS(no_thread_safety_analysis) -> Result<> {
		Writer writer{backend, &page, range.first, signals};
		Result<> r = put_runs(writer, range, holes).and_then([&] { return writer.flush(); });
		invalidate(backend, range, holes);
		return r;
	});
}

// Runs @forward(writer) on every table. When one fails, all are as the ledger says again, or the window is stuck.
// Success means that every device sees the new state: the proof that the ledger wants.
template <class Forward>
Result<Settled> Window::transact(TceRange range, BatchPage &page, Holes holes, Forward forward)
{
	const std::span all = tables();
	for (std::size_t i = 0; i < all.size(); i++) {
		TceIndex touched = range.first;
		Result<> done = all[i].table.visit([&](auto &backend) -> Result<> {
			Writer writer{backend, &page, range.first, Signals::heed};
			Result<> r = forward(writer).and_then([&] { return writer.flush(); });
			touched = writer.touched();
			return r;
		});
		if (done)
			continue;
		for (std::size_t j = 0; j <= i; j++) {
			const TceRange part = j < i ? range : TceRange{range.first, touched - range.first};
			if (!rewrite(all[j], part, page, holes, Signals::ignore))
				stuck_ = true;
		}
		if (stuck_)
			tcewin_host_event(nullptr, TCEWIN_EVENT_STUCK, "undoing failed", done.error());
		return fail(stuck_ ? TCEWIN_STUCK : done.error());
	}
	for (Member &m : all)
		m.table.visit([&](auto &backend)
				      TCEWIN_TS(no_thread_safety_analysis) { invalidate(backend, range, holes); });
	return Settled{};
}

// Ends what is mapped in @range, in every table or in none.
Result<Settled> Window::clear(TceRange range, BatchPage &page)
{
	return transact(range, page, Holes::keep,
			[&](auto &writer) TCEWIN_TS(no_thread_safety_analysis) { return clear_runs(writer, range); });
}

Result<> Window::clear_mapped(Member &member)
{
	return member.table.visit([&](auto &backend) TCEWIN_TS(no_thread_safety_analysis) -> Result<> {
		Writer writer{backend, nullptr, TceIndex{0}, Signals::ignore};
		Result<> r = clear_runs(writer, geometry().all()).and_then([&] { return writer.flush(); });
		invalidate(backend, geometry().all(), Holes::keep);
		return r;
	});
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
		auto run = TRY(Run::create(mm_));
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

// What can be said of a MAP without looking at memory.
Result<TceRange> Window::check_map(Ioba ioba, UserVa address, Bytes size, Access access) const
{
	const TceRange range = TRY(geometry().range(ioba, size));
	if (access == Access::none)
		return fail(TCEWIN_NO_DIRECTION);
	if (!geometry().page_shift.aligned(address))
		return fail(TCEWIN_UNALIGNED);
	if (!fits(address, size))
		return fail(TCEWIN_OVERFLOW);
	return range;
}

Result<> Window::map(const RegionSet &regions, Ioba ioba, UserVa address, Bytes size, Access access)
{
	const TceRange range = TRY(check_map(ioba, address, size, access));
	RunList list;
	TRY(plan(regions, range, address, access, list));
	return write(range, list);
}

Result<> Window::map_now(Ioba ioba, UserVa address, Bytes size, Access access)
{
	const TceRange range = TRY(check_map(ioba, address, size, access));
	auto run = TRY(Run::create(mm_));
	auto region = TRY(Region::pin_now(mm_, address, size, geometry().page_shift, access));
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

// Room for @range in every table, or as before.
Result<> Window::reserve(TceRange range)
{
	for (Member &m : tables())
		if (auto r = m.table.visit([&](auto &backend) { return backend.reserve(range); }); !r) {
			unreserve(range);
			return r;
		}
	return {};
}

void Window::unreserve(TceRange range)
{
	for (Member &m : tables())
		m.table.visit([&](auto &backend) { backend.unreserve(range); });
}

// Makes @range map what @list says.
Result<> Window::write(TceRange range, RunList &list)
{
	auto page = TRY(make<BatchPage>());
	const Exclusive hold{lock_};
	if (stuck_)
		return fail(TCEWIN_STUCK);
	auto spare = TRY(spare_for(range));
	TRY(reserve(range));
	auto settled = transact(range, *page, Holes::clear, [&](auto &writer) -> Result<> {
		for (const Run *r = list.first(); r; r = RunList::next(r))
			TRY(writer.put(r->range, [&](TceIndex at, std::span<Tce> out) {
				r->fill(at, geometry().page_shift, out);
			}));
		return {};
	});
	if (!settled) {
		unreserve(range);
		dirty(list);
		if (stuck_)
			keep_in_limbo(list);
		return fail(settled.error());
	}
	ledger_.erase(range, std::move(spare), *settled);
	ledger_.insert(list);
	return {};
}

Result<> Window::unmap(Ioba ioba, Bytes size)
{
	const TceRange range = TRY(geometry().range(ioba, size));
	auto page = TRY(make<BatchPage>());

	const Exclusive hold{lock_};
	if (stuck_)
		return fail(TCEWIN_STUCK);
	auto spare = TRY(spare_for(range));
	const Settled settled = TRY(clear(range, *page));
	ledger_.erase(range, std::move(spare), settled);
	return {};
}

// A run that @range cuts in two becomes two. Nobody pays for one that is not needed: at the limit the user must be able
// to give back.
Result<Owned<Run>> Window::spare_for(TceRange range) const
{
	return ledger_.cut_by(range) ? Run::create(mm_) : Owned<Run>{};
}

// A MAP that failed half way: devices could write for a while.
void Window::dirty(const RunList &list) const
{
	for (const Run *r = list.first(); r; r = RunList::next(r))
		if (writes(r->access))
			r->region->dirty(r->address, geometry().page_shift.bytes(r->range.count));
}

// A table may still translate to what a failed MAP was about to map.
void Window::keep_in_limbo(RunList &list)
{
	while (Owned<Run> run = list.take()) {
		run->region->add_mapped(run->range.count);
		limbo_.append(std::move(run));
	}
}

} // namespace tcewin
