// SPDX-License-Identifier: GPL-2.0-only
// One DMA window of a container: the same translations in N tables (one per PE), and the ledger that says what they
// are. Map, unmap and the window's end are transactions over all N. Owned by Container, whose lock is held, shared for
// map and unmap. Who comes or goes with a table proves by an argument that the container is his alone.
//
// KVM comes by its tables, through the gate and with no lock of the container's; it may not sleep. It changes an entry
// if nobody has the window's lock, nor gets it then before KVM has left the gate. What it would have to do to the
// ledger for that, which may need memory, is left as a mark (ended_). Where somebody has the lock, a put is refused
// (userspace does it then), and a clear, which cannot be refused, takes the entry out of the table and leaves a mark
// (WindowTable::cleared). Whoever takes the lock follows these marks first, and looks again behind having given it
// back.
#pragma once

#include <algorithm>
#include <atomic>

#include "ledger.hh"
#include "lock.hh"
#include "marks.hh"
#include "memory.hh"
#include "pe.hh"
#include "window_table.hh"

namespace tcewin
{

class Window
{
public:
	struct Request {
		WindowGeometry geometry; // its start is known later, see place()
		WindowKind kind;
		u32 levels; // at least, if its table is in our memory
		bool paid;  // what it maps has been charged for beforehand (v1, ENABLE)
	};
	// What it maps is charged to @mm unless it is paid, and its table if there is something to pay for the window
	// itself, @charge. NO_MEMORY.
	static Result<Owned<Window>> create(void *mm, const Request &request, Charge charge);
	Window(void *mm, tcewin_host_lock *lock, const Request &request, Charge charge);
	// Room for the first marks, before anybody else knows of it. NO_MEMORY.
	Result<> prepare() TCEWIN_TS(no_thread_safety_analysis) { return ended_.prepare(); }
	Window(const Window &) = delete;

	const WindowGeometry &geometry() const { return request_.geometry; }
	tcewin_host_lock *host_lock() const { return lock_.host(); }
	WindowKind kind() const { return request_.kind; }

	// Where the first PE has it; before its table joins.
	void place(Ioba start) { request_.geometry.start = start; }
	// Room for @count tables altogether. NO_MEMORY.
	Result<> reserve_tables(const Exclusive &container, std::size_t count);
	// What firmware keeps of this window for @pe, 8 bytes a TCE, is the user's memory as long as it is there: to be
	// had before firmware is asked. The default window's is there for everybody. NO_MEMORY.
	Result<Charge> charge_table(const Pe &pe) const;
	// @at is this window on @pe, empty, with the @charge of its table; gets every translation there is.
	// reserve_tables() has been called. BAD_LEVELS, NO_MEMORY, FIRMWARE_ERROR, INTERRUPTED: then the window has
	// left @pe again. STUCK: as of leave().
	Result<> join(const Exclusive &container, Pe &pe, const PeWindow &at, Charge charge);

	// tcewin_map() and tcewin_unmap() with @ioba in this window.
	[[gnu::always_inline]] Result<> map(const RegionSet &regions, Ioba ioba, UserVa address, Bytes size,
					    Access access)
	{
		const TceRange range = TRY(check_map(ioba, address, size, access));
		if (range.count == TceCount{1} && TRY(map_one(regions, range.first, address, access)))
			return {};
		return map_runs(regions, range, address, access);
	}
	// The same for memory that a MAP has pinned for itself (v1): on success @region is taken.
	Result<> map_now(Owned<Region> &region, Ioba ioba, UserVa address, Bytes size, Access access);
	[[gnu::always_inline]] Result<> unmap(Ioba ioba, Bytes size)
	{
		const TceRange range = TRY(geometry().range(ioba, size));
		if (range.count == TceCount{1} && TRY(unmap_one(range.first)))
			return {};
		return unmap_runs(range);
	}
	// What can be said of a MAP without looking at memory.
	Result<TceRange> check_map(Ioba ioba, UserVa address, Bytes size, Access access) const
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
	// tcewin_table_begin(), _exchange() and _clear() of one of its tables.
	[[gnu::always_inline]] Result<> begin_put(WindowTable &table, TceIndex i);
	[[gnu::always_inline]] Result<Tce> exchange(WindowTable &table, TceIndex i, Tce word);
	[[gnu::always_inline]] Result<Tce> clear_foreign(WindowTable &table, TceIndex i);
	// The ledger says of everything what KVM has left of it.
	void follow() { const Alone hold{*this}; }
	// All of it.
	Result<> unmap_all() { return unmap(geometry().start, geometry().size); }

	// Ends every translation and takes the window away from every PE. All or nothing, but for firmware that refuses
	// a later PE's: that one is left empty. FIRMWARE_ERROR, INTERRUPTED, NO_MEMORY, STUCK.
	Result<> remove(const Exclusive &container);
	// Takes the window away from @pe, whatever firmware says. STUCK: a translation may be left there, so what it
	// may lead to stays pinned for good. The other PEs go on, unless they have the same table. With the last table
	// everything that was mapped is free to be unregistered.
	Result<> leave(const Exclusive &container, Pe &pe);

private:
	// The window's lock, for who may sleep.
	class TCEWIN_TS(scoped_lockable) Alone
	{
	public:
		explicit Alone(Window &w) TCEWIN_TS(acquire_capability(w.lock_)) : window_{w}
		{
			w.lock_.lock();
			if (w.marked_.load(std::memory_order_relaxed)) [[unlikely]]
				(void)w.follow_marks();
		}
		Alone(const Alone &) = delete;
		~Alone() TCEWIN_TS(release_capability()) TCEWIN_TS(no_thread_safety_analysis)
		{
			window_.lock_.unlock();
			// Who leaves a mark looks afterwards whether he is alone.
			std::atomic_thread_fence(std::memory_order_seq_cst);
			if (window_.marked_.load(std::memory_order_relaxed)) [[unlikely]]
				window_.follow_later();
		}

	private:
		Window &window_;
	};

	struct Member {
		Pe *pe;
		PeWindow at;
		WindowTable *table;
	};
	// What the ledger is good for.
	enum class Books {
		exact,	// it says what the sound tables hold
		behind, // there was no memory to follow some of ended_: it cannot say what to put back, nor take more
		closed, // REMOVE has begun and cannot be undone: the tables hold less, and nothing else is accepted
	};
	// What lies between the entries that are mapped, in a table that is rewritten.
	enum class Holes { clear, keep };

	template <class F>
	Result<> each_mapped(const WindowTable &table, TceRange range, F f) REQUIRES(lock_);
	template <class B>
	void invalidate(B &backend, const WindowTable &table, TceRange range, Holes holes) REQUIRES(lock_);
	template <class Forward>
	Result<Settled> transact(TceRange range, std::span<Tce> words, Holes holes, Signals signals, Forward forward)
		REQUIRES(lock_);
	Result<Settled> undo(TceRange range, std::size_t at, TceIndex touched, std::span<Tce> words, Holes holes,
			     Error why) REQUIRES(lock_);
	Result<> rewrite(WindowTable &table, TceRange range, std::span<Tce> words, Holes holes, Signals signals)
		REQUIRES(lock_);
	Result<Settled> clear(TceRange range, std::span<Tce> words) REQUIRES(lock_);
	// Whether a table that KVM has cleared an entry of can be, and is to be, written once more.
	enum class Rewrite { yes, no };
	[[gnu::noinline]] bool follow_marks() REQUIRES(lock_);
	[[gnu::noinline]] void follow_later();
	Owned<Marks::Page> take_cleared(WindowTable &table, u64 from)
	{
		const InGate in{gate_};
		return table.cleared.take(from);
	}
	void put_back_cleared(WindowTable &table, Owned<Marks::Page> page)
	{
		const InGate in{gate_};
		table.cleared.put_back(std::move(page));
	}
	Owned<Marks::Page> take_ended(u64 from)
	{
		const InGate in{gate_};
		return ended_.take(from);
	}
	void follow_clears(WindowTable &table, Rewrite own) REQUIRES(lock_);
	void put_back_ended(Owned<Marks::Page> page)
	{
		const InGate in{gate_};
		ended_.put_back(std::move(page));
	}
	bool follow_clear(WindowTable &table, TceIndex i, Rewrite own) REQUIRES(lock_);
	bool follow_end(TceIndex i) REQUIRES(lock_);
	// The run that says what an ioctl has mapped at entry @i, or nullptr.
	const Run *claim_on(TceIndex i) const REQUIRES(lock_, gate_)
	{
		return ledger_.empty() ? nullptr : find_claim(i);
	}
	[[gnu::noinline]] const Run *find_claim(TceIndex i) const REQUIRES(lock_, gate_);
	[[gnu::noinline]] Result<> room_for_end(TceIndex i) REQUIRES(gate_) { return ended_.reserve(i); }
	Result<> write_now(WindowTable &table, TceIndex i, Tce word, const Run *claim) REQUIRES(lock_, gate_);
	[[gnu::noinline]] Error not_written(WindowTable &table, TceIndex i, Tce word, const Run *claim, Error why)
		REQUIRES(lock_, gate_);
	Error refused(WindowTable &table, TceIndex i, Tce old, Tce word, Error why) REQUIRES(lock_, gate_);
	bool is_claimed(TceIndex i) REQUIRES(lock_); // the same, outside of the gate
	void write_back_now(const WindowTable &table, TceIndex i, const Run *claim, Error why) REQUIRES(lock_, gate_);
	[[gnu::always_inline]] Result<Tce> clear_alone(WindowTable &table, TceIndex i) REQUIRES(lock_, gate_);
	[[gnu::always_inline]] Result<Tce> exchange_short(WindowTable &table, TceIndex i, Tce word)
		REQUIRES(lock_, gate_);
	[[gnu::noinline]] Result<Tce> exchange_now(WindowTable &table, TceIndex i, Tce word) REQUIRES(lock_, gate_);
	[[gnu::always_inline]] Result<> room_now(WindowTable &table, TceIndex i) REQUIRES(lock_, gate_);
	[[gnu::noinline]] Result<Tce> clear_beside(WindowTable &table, TceIndex i) REQUIRES(gate_);
	Result<> clear_mapped(WindowTable &table) REQUIRES(lock_);
	// Only a table in our memory can want for room.
	Result<> reserve(TceRange range) REQUIRES(lock_) { return tables_[0]->tree ? make_room(range) : Result<>{}; }
	Result<> make_room(TceRange range) REQUIRES(lock_);
	void show(TceRange range) REQUIRES(lock_);
	void take_back(TceRange range) REQUIRES(lock_);
	void settle(const Settled &proof) REQUIRES(lock_);
	// A table may translate what nobody knows, or REMOVE has begun: MAP, UNMAP and KVM's puts are refused.
	bool stuck() const REQUIRES_SHARED(lock_)
	{
		return books_ == Books::closed ||
		       !std::ranges::all_of(tables_, [](const auto &t) { return t->sound(); });
	}
	bool written_back(WindowTable &table, TceRange range, std::span<Tce> words, Holes holes) REQUIRES(lock_);
	void lose(WindowTable &table) REQUIRES(lock_);
	bool empties(WindowTable &table) REQUIRES(lock_);
	bool empties_again(WindowTable &table) REQUIRES(lock_);
	void close_books() REQUIRES(lock_);
	const Member &next_to_lose() const REQUIRES(lock_);
	Error restore(std::span<Tce> words, Error why) REQUIRES(lock_);
	Result<WindowTable *> table_for(Pe &pe, const PeWindow &at, Charge charge) REQUIRES(lock_);
	Result<WindowTable *> admit(Pe &pe, const PeWindow &at, Charge charge) REQUIRES(lock_);
	const Member *member_of(const Pe &pe) const REQUIRES_SHARED(lock_)
	{
		const auto *found = std::ranges::find_if(members_, [&](const Member &m) { return m.pe == &pe; });
		return found != members_.end() ? found : nullptr;
	}
	Result<> fill(WindowTable &table) REQUIRES(lock_);
	Result<> drop_member(std::size_t at) REQUIRES(lock_);
	void drop_table(WindowTable *table) REQUIRES(lock_);
	void set_leaving(WindowTable &table, bool leaving);
	Result<> remove_locked(std::span<Tce> words) REQUIRES(lock_);
	Result<> map_runs(const RegionSet &regions, TceRange range, UserVa address, Access access);
	Result<> unmap_runs(TceRange range);
	Result<> write(TceRange range, RunList &list);
	Result<> plan(const RegionSet &regions, TceRange range, UserVa address, Access access, RunList &list) const;
	template <class W>
	Result<> clear_entries(W &writer, const WindowTable &table, TceRange range) REQUIRES(lock_);
	template <class W>
	Result<> put_entries(W &writer, const WindowTable &table, TceRange range, Holes holes) REQUIRES(lock_);
	bool plain() const REQUIRES(lock_);
	[[gnu::always_inline]] Result<Settled> put_one(TceIndex i, Tce word) REQUIRES(lock_);
	Error undo_one(TceIndex i, Error why) REQUIRES(lock_);
	[[gnu::noinline]] Error give_up_one(Owned<Run> run, Error why) REQUIRES(lock_);
	// false: it takes the general way.
	Result<bool> map_one(const RegionSet &regions, TceIndex i, UserVa address, Access access);
	Result<bool> unmap_one(TceIndex i);
	void *payer() const { return request_.paid ? nullptr : mm_; }
	Error give_up(RunList &list, Error why) REQUIRES(lock_);
	void keep_in_limbo(RunList &list) REQUIRES(lock_);
	void end_limbo() REQUIRES(lock_);
	void dirty(const RunList &list) const;
	Result<Owned<Run>> spare_for(TceRange range) const REQUIRES(lock_);
	Result<Owned<Run>> spare_to_give_back(TceRange range) REQUIRES(lock_);

	void *mm_;
	Charge charge_;
	Request request_;
	mutable KeptRun kept_;
	Lock lock_;
	Gate gate_{lock_};
	// Some mark was left, perhaps. Set before its maker asks again whether he is alone, reset by who is about to
	// follow.
	std::atomic<bool> marked_;
	Marks ended_ GUARDED_BY(gate_); // of these entries the ledger's runs are no longer true
	Books books_ GUARDED_BY(lock_){};
	Vec<Owned<WindowTable>> tables_ GUARDED_BY(lock_);
	Vec<Member> members_ GUARDED_BY(lock_);
	Ledger ledger_ GUARDED_BY(lock_);
	u32 beyond_ GUARDED_BY(lock_){};  // runs that were taken over the user's limit
	RunList limbo_ GUARDED_BY(lock_); // what else stuck tables may translate, kept mapped until they are gone
};

} // namespace tcewin
