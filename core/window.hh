// SPDX-License-Identifier: GPL-2.0-only
// One DMA window of a container: the same translations in N tables (one per PE), and the ledger that says what they
// are. Map, unmap and the window's end are transactions over all N. Owned by Container, whose lock is held, shared for
// map and unmap.
#pragma once

#include "ledger.hh"
#include "lock.hh"
#include "memory.hh"
#include "pe.hh"

namespace tcewin
{

class Window
{
public:
	struct Request {
		WindowGeometry geometry; // its start is known later, see place()
		WindowKind kind;
		u32 levels; // at least, if its table is in our memory
	};
	// What it maps is charged to @mm, and its table if there is something to pay for the window itself, @charge.
	// NO_MEMORY.
	static Result<Owned<Window>> create(void *mm, const Request &request, Charge charge);
	Window(void *mm, tcewin_host_lock *lock, const Request &request, Charge charge);
	Window(const Window &) = delete;
	~Window();

	const WindowGeometry &geometry() const { return request_.geometry; }
	WindowKind kind() const { return request_.kind; }

	// Where the first PE has it; before its table joins.
	void place(Ioba start) { request_.geometry.start = start; }
	// Room for @count tables altogether. NO_MEMORY.
	Result<> reserve_tables(std::size_t count) { return members_.reserve(count); }
	// @at is this window on @pe, empty; gets every translation there is. reserve_tables() has been called.
	// BAD_LEVELS, NO_MEMORY, FIRMWARE_ERROR, INTERRUPTED, STUCK: then the window has left @pe again.
	Result<> join(Pe &pe, const PeWindow &at);

	// tcewin_map() and tcewin_unmap() with @ioba in this window.
	Result<> map(const RegionSet &regions, Ioba ioba, UserVa address, Bytes size, Access access);
	// The same for memory that is pinned here and now (v1).
	Result<> map_now(Ioba ioba, UserVa address, Bytes size, Access access);
	Result<> unmap(Ioba ioba, Bytes size);
	// All of it.
	Result<> unmap_all() { return unmap(geometry().start, geometry().size); }

	// Ends every translation and takes the window away from every PE. All or nothing, but for firmware that refuses
	// a later PE's: that one is left empty. FIRMWARE_ERROR, INTERRUPTED, NO_MEMORY, STUCK.
	Result<> remove();
	// Takes the window away from @pe, whatever firmware says. STUCK: a translation may be left there, so what is
	// mapped now stays pinned for good.
	Result<> leave(Pe &pe);
	// No table is left: what was mapped is free to be unregistered.
	void forget();

private:
	struct Member {
		Pe *pe;
		PeWindow at;
		Table table;
	};
	// What lies between the runs of a ledger in a table that is rewritten from it.
	enum class Holes { clear, keep };

	std::span<Member> tables() REQUIRES(lock_);
	template <class B>
	void invalidate(B &backend, TceRange range, Holes holes) REQUIRES(lock_);
	template <class Forward>
	Result<Settled> transact(TceRange range, BatchPage &page, Holes holes, Forward forward) REQUIRES(lock_);
	Result<> rewrite(Member &member, TceRange range, BatchPage &page, Holes holes, Signals signals) REQUIRES(lock_);
	Result<Settled> clear(TceRange range, BatchPage &page) REQUIRES(lock_);
	Result<> clear_mapped(Member &member) REQUIRES(lock_);
	Result<> reserve(TceRange range) REQUIRES(lock_);
	void unreserve(TceRange range) REQUIRES(lock_);
	Result<Table> table_for(Pe &pe, const PeWindow &at) REQUIRES(lock_);
	Result<> fill(Member &member) REQUIRES(lock_);
	Result<> drop_member(std::size_t at) REQUIRES(lock_);
	void forget_locked() REQUIRES(lock_);
	Result<TceRange> check_map(Ioba ioba, UserVa address, Bytes size, Access access) const;
	Result<> write(TceRange range, RunList &list);
	Result<> plan(const RegionSet &regions, TceRange range, UserVa address, Access access, RunList &list) const;
	template <class W>
	Result<> clear_runs(W &writer, TceRange range) REQUIRES(lock_);
	template <class W>
	Result<> put_runs(W &writer, TceRange range, Holes holes) REQUIRES(lock_);
	void keep_in_limbo(RunList &list) REQUIRES(lock_);
	void dirty(const RunList &list) const;
	Result<Owned<Run>> spare_for(TceRange range) const REQUIRES(lock_);

	void *mm_;
	Charge charge_;
	Request request_;
	Owned<MemoryTable> memory_; // what all members share, if it is in our memory
	Vec<Member> members_;
	Lock lock_;
	Ledger ledger_ GUARDED_BY(lock_);
	// A rollback failed: the tables may translate more than the ledger says. Only remove() is accepted.
	bool stuck_ GUARDED_BY(lock_){};
	RunList limbo_ GUARDED_BY(lock_);    // what else they may translate, kept mapped until the tables are gone
	bool abandoned_ GUARDED_BY(lock_){}; // a table could not be emptied nor taken away: nothing is ever forgotten
	bool walked_ GUARDED_BY(lock_){};    // hardware may walk memory_ for good
};

} // namespace tcewin
