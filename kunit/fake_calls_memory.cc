// SPDX-License-Identifier: GPL-2.0-only
// host.h's calls on memory, the engine's own and the user's, for the fake host.
#include "fake_host.hh"

using namespace tcewin::test;

static FakeMm *mm_of(void *mm) { return static_cast<FakeMm *>(mm); }
static FakePin *pin_of(void *pin) { return static_cast<FakePin *>(pin); }

extern "C" {

void *tcewin_host_alloc(size_t bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	return h.injector.fires(Point::alloc) ? nullptr : h.heap.alloc(bytes);
}

void *tcewin_host_alloc_now(size_t bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (bytes > 4096)
		h.complaints.add("more than a page where nobody may sleep", bytes);
	return h.injector.fires(Point::alloc) ? nullptr : h.heap.alloc(bytes);
}

void tcewin_host_free(void *memory)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (memory)
		h.heap.free(memory);
}

// Full of what was never meant for a table.
void *tcewin_host_batch_get()
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	void *page = h.injector.fires(Point::alloc) ? nullptr : h.heap.alloc(4096);
	if (page)
		memset(page, 0xa5, 4096);
	return page;
}

void tcewin_host_batch_put(void *page) { tcewin_host_free(page); }

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
	h.locks.sleeps();
	h.ioda.walk();
	return h.injector.fires(Point::level) ? nullptr : h.levels.alloc(bytes, u64{1} << h.memory.page_shift);
}

void *tcewin_host_level_alloc_now(size_t bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.ioda.walk();
	return h.injector.fires(Point::level) ? nullptr : h.levels.alloc(bytes, u64{1} << h.memory.page_shift);
}

void tcewin_host_level_free(void *level, size_t bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (const auto real = h.levels.tell(level))
		h.ioda.level_goes(*real);
	h.levels.free(level, bytes);
}

void *tcewin_host_level_at(tcewin_u64 real)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.levels.at(real);
}

int tcewin_host_pin(void *mm, tcewin_u64 address, tcewin_u64 size, void **pin, tcewin_u32 *to_file)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.waits_for_the_user();
	if (h.injector.fires(Point::pin))
		return TCEWIN_NO_MEMORY;
	FakePin *made = nullptr;
	const int status = h.memory.pin(mm_of(mm), address, size, &made);
	*pin = made;
	*to_file = h.memory.to_file;
	return status;
}

int tcewin_host_pin_pages(void *mm, tcewin_u64 address, tcewin_u32 page_shift, tcewin_u64 count, tcewin_u32,
			  tcewin_u64 *reals)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.waits_for_the_user();
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
	h.locks.sleeps();
	if (dirty)
		h.memory.dirty(real, 4096, FakeMemory::Precision::rough);
	if (h.memory.unpin_page(real))
		h.firmware.check_reach("unpinned a page that a device can reach");
}

int tcewin_host_unpin(void *mm, void *pin)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	if (FakeMemory::busy(pin_of(pin)))
		return TCEWIN_STILL_MAPPED;
	if (h.memory.unpin(mm_of(mm), pin_of(pin)))
		h.firmware.check_reach("unpinned what a device can reach");
	return TCEWIN_OK;
}

void tcewin_host_unpin_late(void *mm, void *pin)
{
	if (tcewin_host_unpin(mm, pin) == TCEWIN_OK)
		return;
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.memory.keep(pin_of(pin));
}

tcewin_u32 tcewin_host_pin_extents(void *pin, tcewin_u64 address, tcewin_u64 size, struct tcewin_extent *extents,
				   tcewin_u32 room)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.memory.extents(pin_of(pin), address, size, {extents, room});
}

tcewin_u32 tcewin_host_pin_reals(void *pin, tcewin_u64 address, tcewin_u32 page_shift, tcewin_u32 count,
				 tcewin_u64 *reals)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	for (u32 i = 0; i < count; i++, address += u64{1} << page_shift) {
		tcewin_extent piece{};
		if (!h.memory.extents(pin_of(pin), address, 1, {&piece, 1}))
			return 0;
		reals[i] = piece.real + address % (u64{1} << h.memory.page_shift);
	}
	return count;
}

void tcewin_host_dirty(const struct tcewin_piece *pieces, tcewin_u64 count, tcewin_u64 first, tcewin_u64 end)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	if (!count || first < pieces[0].offset || (count > 1 && first >= pieces[1].offset) || first >= end ||
	    end <= pieces[count - 1].offset)
		h.complaints.add("tcewin_host_dirty() of other pieces", first, end);
	const bool rough = h.injector.any_hit() || h.meanwhile || !h.memory.to_file || h.memory.scarce;
	const auto how = rough ? FakeMemory::Precision::rough : FakeMemory::Precision::exact;
	for (u64 i = 0; i < count && first < end; i++) {
		const u64 stop = i + 1 < count && pieces[i + 1].offset < end ? pieces[i + 1].offset : end;
		h.memory.dirty(pieces[i].real + (first - pieces[i].offset), stop - first, how);
		first = stop;
	}
}

void tcewin_host_dirty_now(tcewin_u64 real, tcewin_u64 bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.memory.dirty(real, bytes, FakeMemory::Precision::rough);
}

tcewin_u32 tcewin_host_page_shift(void) { return FakeHost::current().memory.page_shift; }

int tcewin_host_charge(void *mm, tcewin_u64 bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	h.ioda.walk();
	return h.injector.fires(Point::charge) ? TCEWIN_NO_MEMORY : h.memory.charge(mm_of(mm), bytes);
}

int tcewin_host_charge_now(void *mm, tcewin_u64 bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.ioda.walk();
	return h.injector.fires(Point::charge) ? TCEWIN_NO_MEMORY : h.memory.charge(mm_of(mm), bytes);
}

void tcewin_host_charge_anyway(void *mm, tcewin_u64 bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	FakeMemory::charge_anyway(mm_of(mm), bytes);
}

void tcewin_host_uncharge(void *mm, tcewin_u64 bytes)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.locks.sleeps();
	h.memory.uncharge(mm_of(mm), bytes);
}
}
