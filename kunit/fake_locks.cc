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
	*lock = {kind, tcewin_run_lock_new(kind)};
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
			tcewin_run_free(lock);
			return;
		}
	complaints_.add("freed a lock that is none", reinterpret_cast<u64>(lock));
}

void FakeLocks::wants(const tcewin_host_lock *lock)
{
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
}

void FakeLocks::finish()
{
	if (!live_.empty())
		complaints_.add("locks are left at the end", live_.size());
}

} // namespace tcewin::test
