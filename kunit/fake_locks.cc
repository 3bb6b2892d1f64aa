// SPDX-License-Identifier: GPL-2.0-only
#include "fake_locks.hh"

namespace tcewin::test
{

FakeLocks::~FakeLocks()
{
	while (!live_.empty())
		destroy(live_.back());
}

tcewin_host_lock *FakeLocks::make(tcewin_lock_kind kind)
{
	auto *lock = static_cast<tcewin_host_lock *>(tcewin_run_alloc(sizeof(tcewin_host_lock)));
	auto *gate = static_cast<FakeGate *>(tcewin_run_alloc(sizeof(FakeGate)));
	*gate = {tcewin_run_lock_new(TCEWIN_LOCK_KINDS + 1), 1, nullptr};
	*lock = {kind, tcewin_run_lock_new(kind), gate};
	live_.push(lock);
	return lock;
}

void FakeLocks::destroy(tcewin_host_lock *lock)
{
	for (const Held &h : held_)
		if (h.lock == lock)
			complaints_.add("freed a lock that is held", lock->kind);
	for (u64 i = 0; i < live_.size(); i++)
		if (live_[i] == lock) {
			live_.erase(i);
			tcewin_run_lock_free(lock->real);
			drop(lock->gate);
			tcewin_run_free(lock);
			return;
		}
	complaints_.add("freed a lock that is none", reinterpret_cast<u64>(lock));
}

bool FakeLocks::free(const tcewin_host_lock *lock) const
{
	for (const Held &h : held_)
		if (h.lock == lock)
			return false;
	return true;
}

// ---- gates ----

FakeGate *FakeLocks::share(FakeGate *gate)
{
	gate->users++;
	return gate;
}

void FakeLocks::drop(FakeGate *gate)
{
	if (--gate->users)
		return;
	tcewin_run_lock_free(gate->real);
	tcewin_run_free(gate);
}

bool FakeLocks::behind(const FakeGate *gate) const
{
	for (const Behind &b : behind_)
		if (b.thread == tcewin_run_thread() && (!gate || b.gate == gate))
			return true;
	return false;
}

void FakeLocks::wants(const FakeGate *gate)
{
	if (behind(nullptr))
		complaints_.add("goes behind a gate from behind one", behind(gate));
}

void FakeLocks::leaves(const FakeGate *gate)
{
	for (u64 i = 0; i < behind_.size(); i++)
		if (behind_[i].gate == gate && behind_[i].thread == tcewin_run_thread()) {
			behind_.erase(i);
			return;
		}
	complaints_.add("leaves a gate that it is not behind");
}

void FakeLocks::sleeps()
{
	if (behind(nullptr))
		complaints_.add("sleeps behind a gate");
}

void FakeLocks::waits_for_the_user()
{
	for (const Held &h : held_)
		if (h.thread == tcewin_run_thread())
			complaints_.add("waits for the user inside of a lock", h.lock->kind);
	sleeps();
}

// ---- locks ----

void FakeLocks::wants(const tcewin_host_lock *lock)
{
	sleeps();
	for (const Held &h : held_) {
		if (h.thread != tcewin_run_thread())
			continue;
		if (h.lock == lock)
			complaints_.add("takes a lock twice", lock->kind);
		else if (h.lock->kind >= lock->kind)
			complaints_.add("takes a lock inside one that goes inside it", lock->kind, h.lock->kind);
	}
}

void FakeLocks::gives_back(const tcewin_host_lock *lock, Hold how)
{
	for (u64 i = 0; i < held_.size(); i++)
		if (held_[i].lock == lock && held_[i].thread == tcewin_run_thread() && held_[i].how == how) {
			held_.erase(i);
			return;
		}
	complaints_.add("gives back a lock that it does not hold so", lock->kind, static_cast<u64>(how));
}

bool FakeLocks::holds(tcewin_lock_kind kind) const
{
	for (const Held &h : held_)
		if (h.thread == tcewin_run_thread() && h.lock->kind == kind)
			return true;
	return false;
}

void FakeLocks::settled()
{
	for (const Held &h : held_)
		if (h.thread == tcewin_run_thread())
			complaints_.add("left the engine with a lock", h.lock->kind);
	if (behind(nullptr))
		complaints_.add("left the engine behind a gate");
}

void FakeLocks::finish()
{
	if (!live_.empty())
		complaints_.add("locks are left at the end", live_.size());
}

} // namespace tcewin::test
