// SPDX-License-Identifier: GPL-2.0-only
#include "fake_host.hh"

namespace tcewin::test
{

// What is left has been complained of, or is meant to be.
FakeHeap::~FakeHeap()
{
	live_.each([](u64 memory, u64) { tcewin_run_free(reinterpret_cast<void *>(memory)); });
}

void *FakeHeap::alloc(u64 bytes)
{
	void *memory = tcewin_run_alloc(bytes);
	live_.put(reinterpret_cast<u64>(memory), bytes);
	bytes_ += bytes;
	return memory;
}

void FakeHeap::free(void *memory)
{
	const u64 *bytes = live_.find(reinterpret_cast<u64>(memory));
	if (!bytes) {
		complaints_.add("freed what tcewin_host_alloc() did not give", reinterpret_cast<u64>(memory));
		return;
	}
	bytes_ -= *bytes;
	live_.erase(reinterpret_cast<u64>(memory));
	tcewin_run_free(memory);
}

bool FakeHeap::holds(const void *memory, u64 bytes) const
{
	const u64 *size = live_.find(reinterpret_cast<u64>(memory));
	return size && *size == bytes;
}

FakeHost::FakeHost(Test &t)
	: complaints{t}, memory{complaints}, firmware{complaints, injector, memory}, locks{complaints},
	  heap{complaints}, levels{complaints}, ioda{complaints, injector, firmware, levels},
	  kvm{complaints, injector, locks, memory}, lock_{tcewin_run_lock_new(TCEWIN_LOCK_KINDS)}
{
	current_ = this;
}

FakeHost::~FakeHost()
{
	current_ = nullptr;
	tcewin_run_lock_free(lock_);
}

void FakeHost::enter(FakeGate *gate)
{
	{
		Entered in{*this};
		locks.wants(gate);
	}
	tcewin_run_lock_exclusive(gate->real);
	Entered in{*this};
	locks.enters(gate);
}

void FakeHost::leave(FakeGate *gate)
{
	{
		Entered in{*this};
		locks.leaves(gate);
		if (gate->taken)
			locks.gives_back(gate->taken, Hold::exclusive);
	}
	if (tcewin_host_lock *taken = std::exchange(gate->taken, nullptr))
		tcewin_run_unlock_exclusive(taken->real);
	tcewin_run_unlock_exclusive(gate->real);
}

void FakeHost::settled()
{
	Entered in{*this};
	locks.settled();
	firmware.settled();
	ioda.settled();
	unpin_kept();
}

// Somebody may have let go of memory whose pin the host keeps.
void FakeHost::unpin_kept()
{
	if (memory.unpin_kept())
		firmware.check_reach("unpinned what a device can reach");
}

void FakeHost::finish()
{
	if (events[TCEWIN_EVENT_BUG])
		complaints.add("the engine says that it has a bug", events[TCEWIN_EVENT_BUG]);
	if (stuck_is_expected)
		return;
	unpin_kept();
	firmware.finish();
	kvm.finish();
	memory.finish();
	locks.finish();
	// what the engine has of a table, and its levels
	if (heap.count() > 2 * ioda.count())
		complaints.add("memory of the engine is left at the end", heap.count(), heap.bytes());
	ioda.finish();
	levels.finish(ioda.levels_kept());
	if (events[TCEWIN_EVENT_STUCK])
		complaints.add("something got stuck", events[TCEWIN_EVENT_STUCK]);
}

} // namespace tcewin::test

using namespace tcewin::test;

extern "C" {

struct tcewin_host_lock *tcewin_host_lock_new(enum tcewin_lock_kind kind)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	return h.injector.fires(Point::alloc) ? nullptr : h.locks.make(kind);
}

void tcewin_host_lock_free(struct tcewin_host_lock *lock)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (lock)
		h.locks.destroy(lock);
}

static void take(struct tcewin_host_lock *lock, Hold how)
{
	FakeHost &h = FakeHost::current();
	{
		Entered in{h};
		h.locks.wants(lock);
	}
	how == Hold::shared ? tcewin_run_lock_shared(lock->real) : tcewin_run_lock_exclusive(lock->real);
	Entered in{h};
	h.locks.has(lock, how);
}

static void give_back(struct tcewin_host_lock *lock, Hold how)
{
	FakeHost &h = FakeHost::current();
	{
		Entered in{h};
		h.locks.gives_back(lock, how);
	}
	how == Hold::shared ? tcewin_run_unlock_shared(lock->real) : tcewin_run_unlock_exclusive(lock->real);
}

void tcewin_host_lock_shared(struct tcewin_host_lock *lock) { take(lock, Hold::shared); }
void tcewin_host_unlock_shared(struct tcewin_host_lock *lock) { give_back(lock, Hold::shared); }
void tcewin_host_lock_exclusive(struct tcewin_host_lock *lock) { take(lock, Hold::exclusive); }
void tcewin_host_unlock_exclusive(struct tcewin_host_lock *lock) { give_back(lock, Hold::exclusive); }

void tcewin_host_gate_enter(struct tcewin_host_lock *lock) { FakeHost::current().enter(lock->gate); }
void tcewin_host_gate_leave(struct tcewin_host_lock *lock) { FakeHost::current().leave(lock->gate); }

// Who is alone has the lock here, until he leaves the gate.
int tcewin_host_gate_alone(struct tcewin_host_lock *lock)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (!h.locks.behind(lock->gate)) {
		h.complaints.add("asks outside of the gate whether it is alone");
		return 0;
	}
	if (lock->gate->taken)
		return 1;
	if (!h.locks.free(lock) || !tcewin_run_lock_try(lock->real))
		return 0;
	h.locks.has(lock, Hold::exclusive);
	lock->gate->taken = lock;
	return 1;
}

int tcewin_host_yield(void)
{
	FakeHost &h = FakeHost::current();
	if (h.meanwhile)
		h.meanwhile(h.meanwhile_context);
	{
		Entered in{h};
		h.locks.sleeps();
		h.firmware.calls_without_yield = 0;
		if (h.injector.fires(Point::yield)) {
			h.ioda.peek();
			return 1;
		}
	}
	tcewin_run_relax();
	return 0;
}

void tcewin_host_event(void *pe, enum tcewin_event event, const char *, long)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.events[event]++;
	if (event == TCEWIN_EVENT_STUCK && pe)
		static_cast<FakePe *>(pe)->given_up = true;
}
}
