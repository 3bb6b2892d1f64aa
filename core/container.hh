// SPDX-License-Identifier: GPL-2.0-only
// A container: PEs, the windows they share, and the user's memory. Each public function is one ioctl or one step of
// VFIO's; the contract stands in tcewin/engine.h. Map and unmap run beside each other, and KVM's exchanges beside
// everything (they come by a table, and meet its window alone); everything else has the container to itself. What
// changes its state takes the Exclusive that proves it: with a Shared it does not compile.
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "window.hh"

namespace tcewin
{

// What ENABLE has charged for, while it lasts.
class Enabled
{
public:
	explicit operator bool() const { return charge_.has_value(); }
	void begin(const Exclusive &, Charge charge) { charge_.emplace(std::move(charge)); }
	void end(const Exclusive &) { charge_.reset(); }

private:
	std::optional<Charge> charge_;
};

// What v1 MAPs are about to pin, or have pinned and not yet mapped, together.
class Pinning
{
public:
	Pinning(std::atomic<u64> &sum, Bytes mine)
		: sum_{sum}, mine_{mine}, all_{sum.fetch_add(mine.raw()) + mine.raw()}
	{
	}
	Pinning(const Pinning &) = delete;
	~Pinning() { sum_.fetch_sub(mine_.raw()); }
	Bytes all() const { return Bytes{all_}; }

private:
	std::atomic<u64> &sum_;
	Bytes mine_;
	u64 all_;
};

class Container
{
public:
	Container(void *mm, tcewin_container_kind kind, tcewin_host_lock *lock) : mm_{mm}, kind_{kind}, lock_{lock} {}
	Container(const Container &) = delete;
	~Container();

	Result<> attach(Pe &pe);
	Result<> detach(Pe &pe);
	void retire();
	Result<tcewin_container_info> info();
	Result<> register_memory(UserVa address, Bytes size);
	Result<> unregister_memory(UserVa address, Bytes size);
	Result<Ioba> create_window(u32 page_shift, Bytes size, u32 levels);
	Result<> remove_window(Ioba start);
	Result<> enable();
	Result<> disable();
	[[gnu::always_inline]] Result<> map(Ioba ioba, UserVa address, Bytes size, Access access);
	[[gnu::always_inline]] Result<> unmap(Ioba ioba, Bytes size);

private:
	using Slot = Owned<Window>;

	[[gnu::noinline]] Result<> map_now(Ioba ioba, UserVa address, Bytes size, Access access);

	WindowGeometry default_geometry() const REQUIRES_SHARED(lock_);
	bool default_exists() const REQUIRES_SHARED(lock_);
	Ioba told_start(const Slot &slot) const REQUIRES_SHARED(lock_);
	Window *window_at(Ioba a) const REQUIRES_SHARED(lock_);
	Result<> check_ready() const REQUIRES_SHARED(lock_);
	Result<Window *> window_for(Ioba a) const REQUIRES_SHARED(lock_);
	Result<Slot *> free_slot() REQUIRES(lock_);
	Result<> check_usable() const REQUIRES_SHARED(lock_);
	Result<> check_mirrors(const tcewin_pe_info &info) const REQUIRES(lock_);
	Result<> check_newcomer(const Pe &pe) const REQUIRES(lock_);
	Result<> attach_first(const Exclusive &hold, Pe &pe) REQUIRES(lock_);
	Result<> attach_another(const Exclusive &hold, Pe &pe) REQUIRES(lock_);
	Result<> mirror(const Exclusive &hold, Pe &pe) REQUIRES(lock_);
	Result<> share(const Exclusive &hold, Pe &pe) REQUIRES(lock_);
	Result<> put_on(const Exclusive &hold, Window &window, Pe &pe, bool is_first) REQUIRES(lock_);
	Result<Ioba> build(const Exclusive &hold, Slot &slot, const Window::Request &wanted, Charge charge)
		REQUIRES(lock_);
	Result<Ioba> bring_default_back(const Exclusive &hold, Bytes size, Charge charge) REQUIRES(lock_);
	Result<> leave_all(const Exclusive &hold, Pe &pe) REQUIRES(lock_);
	Result<> detach_at(const Exclusive &hold, std::size_t i) REQUIRES(lock_);

	void *mm_;
	tcewin_container_kind kind_;
	Lock lock_;
	Vec<Pe *> pes_ GUARDED_BY(lock_);
	RegionSet regions_ GUARDED_BY(lock_); // outlives the windows, whose ledgers point into it
	Enabled enabled_ GUARDED_BY(lock_);
	std::atomic<u64> pinning_; // bytes
	std::array<Slot, TCEWIN_WINDOWS_MAX> slots_ GUARDED_BY(lock_){};
};

// ---- translations: all that a MAP or UNMAP comes through, inline in its one caller ----

inline Result<> Container::check_usable() const { return pes_.empty() ? Result<>{fail(TCEWIN_NO_GROUP)} : Result<>{}; }

inline Window *Container::window_at(Ioba a) const
{
	for (const Slot &slot : slots_)
		if (slot && slot->geometry().contains(a))
			return slot.get();
	return nullptr;
}

// The user has done what MAP and UNMAP want done before.
inline Result<> Container::check_ready() const
{
	TRY(check_usable());
	if (kind_ == TCEWIN_CONTAINER_V1)
		return enabled_ ? Result<>{} : fail(TCEWIN_NOT_ENABLED);
	return regions_.ever_used() ? Result<>{} : fail(TCEWIN_NOTHING_REGISTERED);
}

inline Result<Window *> Container::window_for(Ioba a) const
{
	TRY(check_ready());
	Window *window = window_at(a);
	if (!window)
		return fail(TCEWIN_NO_WINDOW);
	return window;
}

inline Result<> Container::map(Ioba ioba, UserVa address, Bytes size, Access access)
{
	if (kind_ == TCEWIN_CONTAINER_V1)
		return map_now(ioba, address, size, access);
	const Shared hold{lock_};
	Window *window = TRY(window_for(ioba));
	return window->map(regions_, ioba, address, size, access);
}

inline Result<> Container::unmap(Ioba ioba, Bytes size)
{
	const Shared hold{lock_};
	Window *window = TRY(window_for(ioba));
	return window->unmap(ioba, size);
}

} // namespace tcewin
