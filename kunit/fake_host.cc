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
	  heap{complaints}, levels{complaints}, lock_{tcewin_run_lock_new(TCEWIN_LOCK_KINDS)}
{
	current_ = this;
}

FakeHost::~FakeHost()
{
	current_ = nullptr;
	tcewin_run_lock_free(lock_);
}

void FakeHost::settled()
{
	Entered in{*this};
	locks.settled();
	firmware.settled();
}

void FakeHost::finish()
{
	if (events[TCEWIN_EVENT_BUG])
		complaints.add("the engine says that it has a bug", events[TCEWIN_EVENT_BUG]);
	if (stuck_is_expected)
		return;
	firmware.finish();
	memory.finish();
	locks.finish();
	if (heap.count())
		complaints.add("memory of the engine is left at the end", heap.count(), heap.bytes());
	levels.finish();
	if (events[TCEWIN_EVENT_STUCK])
		complaints.add("something got stuck", events[TCEWIN_EVENT_STUCK]);
}

namespace
{

FakeMm *mm_of(void *mm) { return static_cast<FakeMm *>(mm); }
FakePe *pe_of(void *pe) { return static_cast<FakePe *>(pe); }
FakePin *pin_of(void *pin) { return static_cast<FakePin *>(pin); }

} // namespace
} // namespace tcewin::test

using namespace tcewin::test;

extern "C" {

void *tcewin_host_alloc(size_t bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.injector.fires(Point::alloc) ? nullptr : h.heap.alloc(bytes);
}

void tcewin_host_free(void *memory)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (memory)
		h.heap.free(memory);
}

tcewin_u64 tcewin_host_real_address(const void *memory)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (const auto real = h.levels.tell(memory))
		return *real;
	if (!h.heap.holds(memory, 4096))
		h.complaints.add("the real address of what is not 4096 bytes", reinterpret_cast<u64>(memory));
	return reinterpret_cast<u64>(memory);
}

void *tcewin_host_level_alloc(size_t bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.injector.fires(Point::level) ? nullptr : h.levels.alloc(bytes, u64{1} << h.memory.page_shift);
}

void tcewin_host_level_free(void *level, size_t bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.levels.free(level, bytes);
}

void *tcewin_host_level_at(tcewin_u64 real)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.levels.at(real);
}

struct tcewin_host_lock *tcewin_host_lock_new(enum tcewin_lock_kind kind)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
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

int tcewin_host_yield(void)
{
	FakeHost &h = FakeHost::current();
	{
		Entered in{h};
		h.firmware.calls_without_yield = 0;
		if (h.injector.fires(Point::yield))
			return 1;
	}
	tcewin_run_relax();
	return 0;
}

long tcewin_host_put_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.put(liobn, ioba, tce);
}

long tcewin_host_put_tce_indirect(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tces, tcewin_u64 count)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	const auto *words = reinterpret_cast<const u64 *>(tces);
	if (!h.heap.holds(words, 4096) || tces % 4096) {
		h.complaints.add("H_PUT_TCE_INDIRECT with a bad list", tces, count);
		count = 0;
	}
	return h.firmware.put_indirect(liobn, ioba, words, count);
}

long tcewin_host_stuff_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce, tcewin_u64 count)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.stuff(liobn, ioba, tce, count);
}

int tcewin_host_platform_take(void *pe, struct tcewin_pe_info *info)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.platform_take(pe_of(pe), info);
}

int tcewin_host_platform_release(void *pe)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.platform_release(pe_of(pe));
}

int tcewin_host_ddw_query(void *pe, struct tcewin_ddw_query *query)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.query(pe_of(pe), query);
}

int tcewin_host_ddw_create(void *pe, tcewin_u32 page_shift, tcewin_u32 window_shift, struct tcewin_ddw_window *window)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.create(pe_of(pe), page_shift, window_shift, window);
}

int tcewin_host_ddw_remove(void *pe, tcewin_u32 liobn)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.remove(pe_of(pe), liobn);
}

int tcewin_host_ddw_reset(void *pe)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.reset(pe_of(pe));
}

int tcewin_host_rtas_wait(int status) { return FakeHost::current().firmware.wait(status); }

int tcewin_host_window_added(void *pe, const struct tcewin_window_info *window)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (!h.locks.holds(TCEWIN_LOCK_CONTAINER) && !pe_of(pe)->in_hand_over)
		h.complaints.add("tcewin_host_window_added() without the container's lock", window->start);
	return h.firmware.window_added(pe_of(pe), window);
}

void tcewin_host_window_removed(void *pe, const struct tcewin_window_info *window)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.firmware.window_removed(pe_of(pe), window);
}

int tcewin_host_pin(void *mm, tcewin_u64 address, tcewin_u64 size, void **pin)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (h.injector.fires(Point::pin))
		return TCEWIN_NO_MEMORY;
	FakePin *made = nullptr;
	const int status = h.memory.pin(mm_of(mm), address, size, &made);
	*pin = made;
	return status;
}

int tcewin_host_pin_pages(void *mm, tcewin_u64 address, tcewin_u32 page_shift, tcewin_u64 count, tcewin_u32, tcewin_u64 *reals)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (count == 0 || count > 512 || page_shift > h.memory.page_shift || address & ((u64{1} << page_shift) - 1))
		h.complaints.add("tcewin_host_pin_pages() of a bad range", address, count);
	int status = h.injector.fires(Point::pin) ? TCEWIN_NO_MEMORY : TCEWIN_OK;
	u64 done = 0;
	for (; done < count && status == TCEWIN_OK; done++)
		status = h.memory.pin_page(mm_of(mm), address + (done << page_shift), &reals[done]);
	if (status != TCEWIN_OK)
		while (done > 1) // all but the one that failed
			(void)h.memory.unpin_page(reals[--done - 1]);
	return status;
}

void tcewin_host_unpin_page(tcewin_u64 real, tcewin_u32 dirty)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (dirty)
		h.memory.dirty(real, 4096, FakeMemory::Precision::rough);
	if (h.memory.unpin_page(real))
		h.firmware.check_reach("unpinned a page that a device can reach");
}

void tcewin_host_unpin(void *mm, void *pin)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (h.memory.unpin(mm_of(mm), pin_of(pin)))
		h.firmware.check_reach("unpinned what a device can reach");
}

int tcewin_host_pin_resolve(void *pin, tcewin_u64 address, tcewin_u64 *real)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.memory.resolve(pin_of(pin), address, real);
}

void tcewin_host_dirty(tcewin_u64 real, tcewin_u64 size)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.memory.dirty(real, size, h.injector.any_hit() ? FakeMemory::Precision::rough : FakeMemory::Precision::exact);
}

tcewin_u32 tcewin_host_page_shift(void) { return FakeHost::current().memory.page_shift; }

int tcewin_host_charge(void *mm, tcewin_u64 bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.injector.fires(Point::charge) ? TCEWIN_NO_MEMORY : h.memory.charge(mm_of(mm), bytes);
}

void tcewin_host_uncharge(void *mm, tcewin_u64 bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.memory.uncharge(mm_of(mm), bytes);
}

void tcewin_host_event(void *, enum tcewin_event event, const char *, long)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.events[event]++;
}
}
