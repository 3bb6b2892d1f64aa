// SPDX-License-Identifier: GPL-2.0-only
// The host of a test: all of tcewin/host.h over fake memory, fake firmware and checked locks. tcewin_case_run() makes
// one for each case and there is one at a time; the engine reaches it through host.h, a case through Test::host().
#pragma once

#include "fake_firmware.hh"
#include "fake_ioda.hh"
#include "fake_kvm.hh"
#include "fake_levels.hh"
#include "fake_locks.hh"
#include "fake_memory.hh"
#include "injection.hh"

namespace tcewin::test
{

// What tcewin_host_alloc() has given away.
class FakeHeap
{
public:
	explicit FakeHeap(Complaints &complaints) : complaints_{complaints} {}
	~FakeHeap();
	void *alloc(u64 bytes);
	void free(void *memory);
	bool holds(const void *memory, u64 bytes) const;
	u64 count() const { return live_.size(); }
	u64 bytes() const { return bytes_; }

private:
	Complaints &complaints_;
	Hash<u64> live_; // address to size
	u64 bytes_{};
};

class FakeHost
{
public:
	explicit FakeHost(Test &t);
	FakeHost(const FakeHost &) = delete;
	~FakeHost();

	// The one there is.
	static FakeHost &current() { return *current_; }

	// An operation of the engine has returned in this thread: nothing is half done.
	void settled();
	// The case is over: nothing is left. settled() and finish() complain where that is not so.
	void finish();

	Complaints complaints;
	Injector injector;
	FakeMemory memory;
	FakeFirmware firmware;
	FakeLocks locks;
	FakeHeap heap;
	FakeLevels levels;
	FakeIoda ioda;
	FakeKvm kvm;
	u64 events[TCEWIN_EVENTS]{};
	void enter(FakeGate *gate);
	void leave(FakeGate *gate);
	// Called each time the engine lets others run, and when firmware has removed a window, with whatever locks the
	// engine has then: what somebody does meanwhile.
	void (*meanwhile)(void *context){};
	void *meanwhile_context{};

	bool stuck_is_expected{}; // what a stuck window holds is kept for good

private:
	void unpin_kept();

	friend class Entered;
	static inline constinit FakeHost *current_ = nullptr;
	tcewin_run_lock *lock_; // one call of host.h at a time
};

// Inside the fake host.
class Entered
{
public:
	explicit Entered(FakeHost &host) : lock_{host.lock_} { tcewin_run_lock_exclusive(lock_); }
	Entered(const Entered &) = delete;
	~Entered() { tcewin_run_unlock_exclusive(lock_); }

private:
	tcewin_run_lock *lock_;
};

} // namespace tcewin::test
