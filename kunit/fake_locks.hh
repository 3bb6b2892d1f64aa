// SPDX-License-Identifier: GPL-2.0-only
// The locks of host.h with lockdep's questions asked on every lane: taken twice, taken in the wrong order, given back
// by somebody else, never given back; and what must not sleep behind a gate.
#pragma once

#include "complaints.hh"
#include "vector.hh"

struct tcewin_host_lock;

namespace tcewin::test
{
// Beside a window's lock; the tables of the window have it for as long as they are there.
struct FakeGate {
	tcewin_run_lock *real;
	unsigned users;
	tcewin_host_lock *taken; // by who is behind it and alone, until he leaves
};
} // namespace tcewin::test

// What host.h promises as an opaque type.
struct tcewin_host_lock {
	tcewin_lock_kind kind;
	tcewin_run_lock *real;
	tcewin::test::FakeGate *gate;
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
	// Nobody has it, so that somebody may try.
	bool free(const tcewin_host_lock *lock) const;
	// The calling thread is behind @gate, or behind any if that is nullptr.
	bool behind(const FakeGate *gate) const;
	// It is about to enter @gate, has, and leaves it.
	void wants(const FakeGate *gate);
	void enters(const FakeGate *gate) { behind_.push({gate, tcewin_run_thread()}); }
	void leaves(const FakeGate *gate);
	static FakeGate *share(FakeGate *gate);
	static void drop(FakeGate *gate);
	// The calling thread does what may sleep.
	void sleeps();
	// It does what may wait for a user for ever.
	void waits_for_the_user();
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

	struct Behind {
		const FakeGate *gate;
		unsigned long thread;
	};

	Complaints &complaints_;
	Vector<Behind> behind_;
	Vector<Held> held_;
	Vector<tcewin_host_lock *> live_;
};

} // namespace tcewin::test
