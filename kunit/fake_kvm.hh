// SPDX-License-Identifier: GPL-2.0-only
// KVM as the engine meets it, with what the glue has between them: somebody who finds the kernel's object of a table,
// may hold it for longer than the engine does, changes entries while it is open, and counts each of them on the memory
// behind it, whichever container registered that. Complains of counts that are settled twice or never, and of a second
// entry of a table that nobody knows.
#pragma once

#include "fake_ioda.hh"
#include "fake_locks.hh"
#include "fake_memory.hh"

namespace tcewin::test
{

class FakeKvm
{
public:
	FakeKvm(Complaints &complaints, Injector &injector, FakeLocks &locks, FakeMemory &memory)
		: complaints_{complaints}, injector_{injector}, locks_{locks}, memory_{memory}
	{
	}

	// host.h's functions of these names; the caller holds the fake host's own lock, and is behind the table's gate.
	void open(tcewin_host_table *table, tcewin_table *engine);
	void close(tcewin_host_table *table);
	int settle(tcewin_host_table *table, u64 entry);
	void settle_rest(tcewin_host_table *table);

	// A guest has the table from now on, until it lets go of it. With the fake host's lock held.
	static void hold(tcewin_host_table *table) { table->kvm.holders++; }
	static void let_go(tcewin_host_table *table);

	// H_PUT_TCE, with nothing of the fake host locked: entry @entry of @table becomes the page at @address of the
	// table's mm, or is cleared. What the engine says, NO_WINDOW where the table is closed, NOT_REGISTERED where
	// nothing is pinned at @address.
	int put_page(tcewin_host_table *table, u64 entry, u64 address, u32 access);
	int clear(tcewin_host_table *table, u64 entry);
	// The same by the word that the entry becomes; 0 clears.
	int put(tcewin_host_table *table, u64 entry, u64 word);

	// The steps of put_page(), for a case that has something to do in between. One that fails ends the put. From
	// the first to the last KVM is behind the gate and has the window's lock.
	int ask(tcewin_host_table *table, u64 entry);				    // useraddrptr
	int exchange(tcewin_host_table *table, u64 entry, u64 address, u32 access); // xchg_no_kill
	void store(tcewin_host_table *table, u64 entry, u64 address);		    // the user address, and tce_kill

	// What exchange() does where the engine is stuck: entry @entry may be what it was, so the count for that stays.
	// The glue has room for one such count, and complains here of a second.
	void keep(tcewin_host_table *table, u64 entry);

	u64 counts() const { return counts_; }
	void finish();

private:
	static void end_put(tcewin_host_table *table);
	bool uncount(tcewin_host_table *table, u64 entry);
	void uncount_at(tcewin_host_table *table, u64 address);
	void gone(tcewin_host_table *table, u64 entry, u64 tce);

	Complaints &complaints_;
	Injector &injector_;
	FakeLocks &locks_;
	FakeMemory &memory_;
	u64 counts_{};
};

} // namespace tcewin::test
