// SPDX-License-Identifier: GPL-2.0-only
// The locks of host.h with lockdep's questions asked on every lane: taken twice, taken in the wrong order, given back
// by somebody else, never given back.
#pragma once

#include "complaints.hh"
#include "vector.hh"

// What host.h promises as an opaque type.
struct tcewin_host_lock {
	tcewin_lock_kind kind;
	tcewin_run_lock *real;
};

namespace tcewin::test
{

enum class Hold { shared, exclusive };

// The caller holds the fake host's own lock.
class FakeLocks
{
public:
	explicit FakeLocks(Complaints &complaints) : complaints_{complaints} {}
	~FakeLocks();

	tcewin_host_lock *make(tcewin_lock_kind kind);
	void destroy(tcewin_host_lock *lock);
	// The calling thread is about to wait for @lock.
	void wants(const tcewin_host_lock *lock);
	void has(const tcewin_host_lock *lock, Hold how) { held_.push({lock, tcewin_run_thread(), how}); }
	void gives_back(const tcewin_host_lock *lock, Hold how);
	// The calling thread holds a lock of @kind.
	bool holds(tcewin_lock_kind kind) const;
	// The calling thread is outside the engine: it holds nothing.
	void settled();
	// No lock is left.
	void finish();

private:
	struct Held {
		const tcewin_host_lock *lock;
		unsigned long thread;
		Hold how;
	};

	Complaints &complaints_;
	Vector<Held> held_;
	Vector<tcewin_host_lock *> live_;
};

} // namespace tcewin::test
