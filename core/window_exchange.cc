// SPDX-License-Identifier: GPL-2.0-only
// Entries of a window that KVM changes, one at a time, beside the container's ioctls and without ever sleeping; and how
// the ioctls follow. What an entry maps is either in the ledger or in the foreign entries of one table, and who takes
// it from the other leaves nothing behind.
#include "window.hh"

namespace tcewin
{

// ---- what KVM does, behind the gate ----

const Run *Window::find_claim(TceIndex i) const
{
	const Run *run = ledger_.at(i);
	return run && !ended_.test(i) ? run : nullptr;
}

// All that an exchange of the entry can want for.
inline Result<> Window::room_now(WindowTable &table, TceIndex i)
{
	if (i.raw() >= geometry().entries().raw())
		return fail(TCEWIN_OUT_OF_WINDOW);
	if (stuck())
		return fail(TCEWIN_STUCK);
	TRY(table.foreign.reserve(i));
	if (claim_on(i)) [[unlikely]]
		TRY(room_for_end(i));
	return table.backend.visit_here([&](auto &backend)
						__attribute__((always_inline)) { return backend.reserve_now(i); });
}

// Nobody gets the lock before the gate is left: so nobody comes between an entry and what KVM notes of it.
inline Result<> Window::begin_put(WindowTable &table, TceIndex i)
{
	gate_.assume();
	if (!gate_.alone())
		return fail(TCEWIN_BUSY);
	lock_.assume();
	return room_now(table, i);
}

inline Result<Tce> Window::exchange(WindowTable &table, TceIndex i, Tce word)
{
	gate_.assume();
	lock_.assume();
	return exchange_short(table, i, word);
}

// Entry @i of @table becomes @word. What an ioctl has there ends in the other tables, and what KVM has in them stays.
Result<> Window::write_now(WindowTable &table, TceIndex i, Tce word, const Run *claim)
{
	Result<> r;
	for (std::size_t k = 0; claim && r && k < tables_.size(); k++)
		if (tables_[k].get() != &table)
			r = tables_[k]->set_now(i, Tce{});
	if (r)
		r = table.set_now(i, word.access() == Access::none ? Tce{} : word);
	if (!r) [[unlikely]]
		return fail(not_written(table, i, word, claim, r.error()));
	return r;
}

// write_now() failed with @why.
Error Window::not_written(WindowTable &table, TceIndex i, Tce word, const Run *claim, Error why)
{
	write_back_now(table, i, claim, why);
	if (writes(word.access()))
		table.dirty_now(word); // it was there for a while, perhaps
	return why;
}

// Entry @i is what it was in @table; and in the others, where an ioctl had it there.
void Window::write_back_now(const WindowTable &table, TceIndex i, const Run *claim, Error why)
{
	Tce mapped;
	if (claim)
		claim->fill(i, geometry().page_shift, {&mapped, 1});
	for (const auto &t : tables_) {
		if (!claim && t.get() != &table)
			continue;
		const Tce theirs = t->foreign.get(i);
		const Tce word = theirs.access() != Access::none ? theirs : mapped;
		if (t->set_now(i, word) || !t->sound())
			continue;
		if (!stuck())
			tcewin_host_event(nullptr, TCEWIN_EVENT_STUCK, "undoing failed", why);
		t->health = Health::stuck;
	}
}

// What was there of the same writer comes back; what was an ioctl's ends, in every table.
Result<Tce> Window::exchange_now(WindowTable &table, TceIndex i, Tce word)
{
	const Run *claim = claim_on(i);
	Tce *slot = table.foreign.slot(i); // reserve() has been called, unless it is of no use
	const Tce old = slot ? *slot : Tce{};
	if (!claim && old == Tce{} && word == Tce{} && table.sound())
		return Tce{};
	if (claim) [[unlikely]]
		TRY(ended_.reserve(i));
	if (auto r = write_now(table, i, word, claim); !r) [[unlikely]]
		return fail(refused(table, i, old, word, r.error()));
	if (claim) [[unlikely]] {
		ended_.set(i);
		marked_.store(true, std::memory_order_relaxed);
	}
	if (slot)
		*slot = word;
	table.cleared.reset(i);
	return old;
}

// write_now() over @old failed with @why.
Error Window::refused(WindowTable &table, TceIndex i, Tce old, Tce word, Error why)
{
	if (table.sound() || word == Tce{})
		return why; // what is there is known, or the books say what may be
	// Its maker's count stays, as that of what was there does: host.h's settle_rest() ends both.
	table.doubtful = old;
	table.foreign.set(i, word);
	return TCEWIN_STUCK;
}

// exchange_now(), without what an entry has no use for where no ioctl has anything there and the table is sound.
inline Result<Tce> Window::exchange_short(WindowTable &table, TceIndex i, Tce word)
{
	Tce *slot = table.foreign.slot(i);
	if (!slot || !table.sound() || claim_on(i)) [[unlikely]]
		return exchange_now(table, i, word);
	const Tce old = *slot;
	if (old == Tce{} && word == Tce{})
		return old;
	if (auto r = table.set_now(i, word.access() == Access::none ? Tce{} : word); !r) [[unlikely]]
		return fail(refused(table, i, old, word, not_written(table, i, word, nullptr, r.error())));
	*slot = word;
	table.cleared.reset(i);
	return old;
}

// It is never refused for what somebody else is doing.
inline Result<Tce> Window::clear_foreign(WindowTable &table, TceIndex i)
{
	gate_.assume();
	if (i.raw() >= geometry().entries().raw())
		return fail(TCEWIN_OUT_OF_WINDOW);
	if (!gate_.alone()) [[unlikely]]
		return clear_beside(table, i);
	lock_.assume();
	return clear_alone(table, i);
}

// A PE that is gone may reach by a lost table what it does not hold any more, so the books of that stay as they are.
// Where there is no memory to say so the entry is empty all the same, and userspace is told to do it again.
inline Result<Tce> Window::clear_alone(WindowTable &table, TceIndex i)
{
	if (table.health == Health::lost) [[unlikely]]
		return table.clear_beside(i).transform([] { return Tce{}; });
	auto r = exchange_short(table, i, Tce{});
	if (!r && r.error() == TCEWIN_NO_MEMORY) [[unlikely]]
		(void)table.clear_beside(i);
	return r;
}

// Somebody who has the lock may write the entry once more before he follows the mark.
Result<Tce> Window::clear_beside(WindowTable &table, TceIndex i)
{
	if (auto r = table.cleared.reserve(i); !r) {
		if (!table.leaving)
			(void)table.clear_beside(i);
		return fail(r.error());
	}
	table.cleared.set(i);
	marked_.store(true, std::memory_order_relaxed);
	std::atomic_thread_fence(std::memory_order_seq_cst);
	if (gate_.alone()) { // he has not seen it
		lock_.assume();
		auto r = clear_alone(table, i);
		table.cleared.reset(i);
		return r;
	}
	if (!table.leaving)
		TRY(table.clear_beside(i));
	return Tce{};
}

// ---- how the others follow ----

// One pass, each page once: what comes meanwhile is for the next, else a guest could keep us here. What the ledger has
// no memory to follow waits in ended_, in the very page that it came in: that needs none.
void Window::follow_clears(WindowTable &table, Rewrite own)
{
	Pauses pauses;
	u64 next = 0;
	while (auto page = take_cleared(table, next)) {
		next = page->number + 1;
		Marks::each(*page, [&](TceIndex i) TCEWIN_TS(no_thread_safety_analysis) {
			pauses.step();
			return follow_clear(table, i, own);
		});
		if (page->empty()) {
			put_back_cleared(table, std::move(page));
			continue;
		}
		put_back_ended(std::move(page));
		marked_.store(true, std::memory_order_relaxed);
		if (books_ != Books::closed)
			books_ = Books::behind;
	}
}

// Entries that are no longer there, so none of this may be refused; what wants for memory waits for the next who comes.
bool Window::follow_marks()
{
	marked_.store(false, std::memory_order_relaxed);
	std::atomic_thread_fence(std::memory_order_seq_cst);
	for (const auto &table : tables_)
		follow_clears(*table, Rewrite::yes);
	Pauses pauses;
	u64 next = 0;
	bool all = true;
	while (auto page = take_ended(next)) {
		next = page->number + 1;
		Marks::each(*page, [&](TceIndex i) TCEWIN_TS(no_thread_safety_analysis) {
			pauses.step();
			const bool done = follow_end(i);
			all = all && done;
			return done;
		});
		put_back_ended(std::move(page));
	}
	if (!all)
		marked_.store(true, std::memory_order_relaxed);
	if (books_ != Books::closed)
		books_ = all ? Books::exact : Books::behind;
	return all;
}

void Window::follow_later()
{
	static constexpr int most = 8; // times that a guest can keep us
	bool again = true;
	for (int n = 0; again && n < most; n++) {
		lock_.lock();
		again = follow_marks();
		lock_.unlock();
		std::atomic_thread_fence(std::memory_order_seq_cst);
		again = again && marked_.load(std::memory_order_relaxed);
	}
}

bool Window::is_claimed(TceIndex i)
{
	const InGate in{gate_};
	return claim_on(i);
}

// KVM has cleared entry @i of @table, which may have been written again meanwhile. False: as of follow_end().
bool Window::follow_clear(WindowTable &table, TceIndex i, Rewrite own)
{
	const TceRange one{i, TceCount{1}};
	const auto clear = [&](WindowTable &t) {
		return t.backend.visit([&](auto &backend) -> Result<> {
			TRY(backend.clear(i, one.count));
			backend.invalidate(one);
			return {};
		});
	};
	Result<> r = own == Rewrite::yes ? clear(table) : Result<>{};
	// What an ioctl has there is in all tables, also where KVM's put over it failed and its word may be there
	// instead. Where KVM has ended it before, it is in none.
	const Run *run = ledger_.at(i);
	const bool claimed = is_claimed(i);
	for (std::size_t k = 0; claimed && r && k < tables_.size(); k++)
		if (tables_[k].get() != &table)
			r = clear(*tables_[k]);
	if (!r || table.health == Health::lost)
		return true; // what may be there stays pinned, and firmware's refusal has been told
	table.settle(Emptied{one});
	return !run || follow_end(i);
}

// No table has what the ledger says of entry @i. False: there is no memory to say so.
bool Window::follow_end(TceIndex i)
{
	const TceRange one{i, TceCount{1}};
	auto spare = spare_to_give_back(one);
	if (!spare)
		return false;
	ledger_.erase(Settled{one}, std::move(*spare));
	return true;
}

} // namespace tcewin

// ---- tcewin/engine.h ----

using namespace tcewin;

int tcewin_table_begin(tcewin_table *table, u64 entry)
{
	auto &t = *reinterpret_cast<WindowTable *>(table);
	return to_status(t.window.begin_put(t, TceIndex{entry}));
}

int tcewin_table_clear(tcewin_table *table, u64 entry, u64 *tce)
{
	auto &t = *reinterpret_cast<WindowTable *>(table);
	return to_status(t.window.clear_foreign(t, TceIndex{entry}).transform([&](Tce old) { *tce = old.word(); }));
}

int tcewin_table_exchange(tcewin_table *table, u64 entry, u64 *tce)
{
	auto &t = *reinterpret_cast<WindowTable *>(table);
	const Tce word{HostPhys{*tce & ~u64{3}}, static_cast<Access>(*tce & 3)};
	return to_status(t.window.exchange(t, TceIndex{entry}, word).transform([&](Tce old) { *tce = old.word(); }));
}
