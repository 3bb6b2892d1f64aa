// SPDX-License-Identifier: GPL-2.0-only
// PHBs that walk tables in our memory (IODA2), each PE with two places for windows. They remember as much as they may:
// every entry of a table is known as it was when the table was set or last invalidated there, and that is what a device
// gets. Complains of what hardware or OPAL would not forgive.
#pragma once

#include "fake_firmware.hh"
#include "fake_levels.hh"
#include "fake_locks.hh"
#include "fake_phb.hh"

namespace tcewin::test
{

struct FakeMm;

// What KVM knows of a table, FakeKvm's.
struct KvmTable {
	FakeMm *mm;		     // whose memory its guest's entries lead to
	tcewin_table *engine;	     // it may change entries, by this
	FakeGate *gate;		     // behind which it does
	unsigned holders;	     // guests that have the table, whatever the engine does with it
	bool freed;		     // by the engine
	Hash<u64> addresses;	     // by entry, what it has stored: each is a count on the memory there
	bool in_doubt;		     // an entry is what it was or its successor, for as long as the table is there
	std::optional<u64> doubtful; // what it had stored for that entry before
};

} // namespace tcewin::test

// What host.h promises as an opaque type.
struct tcewin_host_table {
	tcewin_table_info info;
	tcewin::test::u64 entries;
	tcewin::test::FakePhb phb;
	bool refused; // a PHB could not be made to let go of it
	// Entries that were other than they are now, and that a PHB may have read then.
	tcewin::test::RangeSet unsettled;
	tcewin::test::KvmTable kvm;
};

namespace tcewin::test
{

// One call of tcewin_host_invalidate().
struct Invalidation {
	const tcewin_host_table *table;
	u64 first, count;
};

class FakeIoda
{
public:
	FakeIoda(Complaints &complaints, Injector &injector, FakeFirmware &firmware, FakeLevels &levels)
		: complaints_{complaints}, injector_{injector}, firmware_{firmware}, levels_{levels}
	{
	}
	FakeIoda(const FakeIoda &) = delete;
	~FakeIoda();

	// host.h's functions of these names.
	tcewin_host_table *table_new(FakeMm *mm, tcewin_host_lock *lock, const tcewin_table_info &info);
	void table_free(tcewin_host_table *table);
	int set_window(FakePe *pe, u32 number, tcewin_host_table *table);
	int unset_window(FakePe *pe, u32 number);
	void invalidate(tcewin_host_table *table, u64 first, u64 count);
	// The level at @real is about to be freed.
	void level_goes(u64 real);

	// The engine is in the middle of something: a PHB may walk its tables now and remember the levels it comes by,
	// or read entries as well.
	void walk();
	void peek();
	// The last operation is over: no PHB remembers anything that is not so.
	void settled();
	// No table is left, but for one that a PHB would not let go of.
	void finish();
	// Nobody has @table, which the engine has freed, any more.
	static void destroy(tcewin_host_table *table);
	// So many levels are of such tables.
	u64 levels_kept() const;

	u64 count() const { return tables_.size(); }
	Vector<Invalidation> invalidations;

private:
	template <class F>
	void each_place(F f);
	template <class F>
	static void each_stale(const FakeTable &t, u64 first, u64 end, F f);
	bool check_table(const tcewin_host_table *table, const char *rule);
	void check_set(const FakePe *pe, u32 number, const tcewin_host_table *table);
	void refresh(FakeTable &t, u64 first, u64 end);
	void forget_levels(const tcewin_host_table *table, u64 first, u64 end);

	Complaints &complaints_;
	Injector &injector_;
	FakeFirmware &firmware_;
	FakeLevels &levels_;
	Vector<tcewin_host_table *> tables_;
	// Levels that a PHB has come by, and the entries of which it must forget all in one go to forget them.
	struct Known {
		const tcewin_host_table *table;
		u64 first, end;
	};
	Hash<Known> known_; // by real address
};

} // namespace tcewin::test
