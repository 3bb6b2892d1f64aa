// SPDX-License-Identifier: GPL-2.0-only
// KVM as the engine meets it: somebody who finds the kernel's object of a table, changes entries while it is open, and
// counts each of them on the memory behind it. Complains of counts that are settled twice or never.
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

	// host.h's functions of these names; the caller holds the fake host's own lock.
	void open(tcewin_host_table *table, tcewin_table *engine);
	void close(tcewin_host_table *table);
	int settle(const tcewin_host_table *table, u64 entry, u64 real);
	void settle_rest(const tcewin_host_table *table);
	u64 address(const tcewin_host_table *table, u64 entry) const;
	// It counts something in the user's [address, address + size).
	bool maps(const FakeMm *mm, u64 address, u64 size) const;

	// H_PUT_TCE: @word is what entry @entry of @table becomes. What tcewin_table_exchange() says, with nothing of
	// the fake host locked.
	int put(tcewin_host_table *table, u64 entry, u64 word);
	u64 counts() const { return counts_.size(); }
	void finish();

private:
	struct Count {
		const tcewin_host_table *table;
		u64 entry, real;
	};
	void gone(const tcewin_host_table *table, u64 entry, u64 tce);
	bool drop(const tcewin_host_table *table, u64 entry, u64 real);

	Complaints &complaints_;
	Injector &injector_;
	FakeLocks &locks_;
	FakeMemory &memory_;
	Vector<Count> counts_;
};

} // namespace tcewin::test
