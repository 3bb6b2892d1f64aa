// SPDX-License-Identifier: GPL-2.0-only
// The host's sleeping reader-writer lock with guards that clang's thread-safety analysis understands (host lane,
// -Wthread-safety), and the pauses of who holds it for long.
#pragma once

#include "result.hh"
#include "units.hh"

#ifdef __clang__
#define TCEWIN_TS(...) __attribute__((__VA_ARGS__))
#else
#define TCEWIN_TS(...)
#endif
#define GUARDED_BY(x) TCEWIN_TS(guarded_by(x))
#define REQUIRES(...) TCEWIN_TS(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(x) TCEWIN_TS(requires_shared_capability(x))

namespace tcewin
{

// Lets others run now and then, in a loop whose end no signal may hasten. Sleeping locks stay held.
class Pauses
{
public:
	void step()
	{
		if (++steps_ % 256 == 0)
			(void)tcewin_host_yield();
	}

private:
	u32 steps_{};
};

class TCEWIN_TS(capability("lock")) Lock
{
public:
	explicit Lock(tcewin_host_lock *host) : host_{host} {}
	Lock(const Lock &) = delete;
	~Lock() { tcewin_host_lock_free(host_); }

	void lock() TCEWIN_TS(acquire_capability()) { tcewin_host_lock_exclusive(host_); }
	void unlock() TCEWIN_TS(release_capability()) { tcewin_host_unlock_exclusive(host_); }
	// The caller's caller has it, or has been alone() behind its gate since.
	void assume() const TCEWIN_TS(assert_capability()) {}
	tcewin_host_lock *host() const { return host_; }
	void lock_shared() TCEWIN_TS(acquire_shared_capability()) { tcewin_host_lock_shared(host_); }
	void unlock_shared() TCEWIN_TS(release_shared_capability()) { tcewin_host_unlock_shared(host_); }

private:
	tcewin_host_lock *host_;
};

// The spinlock beside a window's lock. KVM is behind it whenever it changes entries, so nothing there may sleep. It
// goes inside of the window's lock for who sleeps for that; who is behind it without the lock may find that he is
// alone, which is as good until he leaves.
class TCEWIN_TS(capability("gate")) Gate
{
public:
	explicit Gate(const Lock &lock) : host_{lock.host()} {}
	Gate(const Gate &) = delete;
	void enter() TCEWIN_TS(acquire_capability()) { tcewin_host_gate_enter(host_); }
	void leave() TCEWIN_TS(release_capability()) { tcewin_host_gate_leave(host_); }
	// Behind it and without the lock: nobody has the lock, nor gets it before the gate is left.
	bool alone() const { return tcewin_host_gate_alone(host_) != 0; }
	// The host has entered it.
	void assume() const TCEWIN_TS(assert_capability()) {}

private:
	tcewin_host_lock *host_;
};

class TCEWIN_TS(scoped_lockable) InGate
{
public:
	explicit InGate(Gate &g) TCEWIN_TS(acquire_capability(g)) : gate_{g} { g.enter(); }
	InGate(const InGate &) = delete;
	~InGate() TCEWIN_TS(release_capability()) { gate_.leave(); }

private:
	Gate &gate_;
};

class TCEWIN_TS(scoped_lockable) Exclusive
{
public:
	explicit Exclusive(Lock &l) TCEWIN_TS(acquire_capability(l)) : lock_{l} { l.lock(); }
	Exclusive(const Exclusive &) = delete;
	~Exclusive() TCEWIN_TS(release_capability()) { lock_.unlock(); }

private:
	Lock &lock_;
};

class TCEWIN_TS(scoped_lockable) Shared
{
public:
	explicit Shared(Lock &l) TCEWIN_TS(acquire_shared_capability(l)) : lock_{l} { l.lock_shared(); }
	Shared(const Shared &) = delete;
	~Shared() TCEWIN_TS(release_generic_capability()) { lock_.unlock_shared(); }

private:
	Lock &lock_;
};

} // namespace tcewin
