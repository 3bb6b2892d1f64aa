// SPDX-License-Identifier: GPL-2.0-only
// MAP and UNMAP as a device sees them: permissions, replacing, holes, several regions, dirty memory. The fake host's
// history shows every state in between.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// Every store since @from left its entry as it was before or as it is now, and none was outside [first, last).
void expect_old_or_new(Rig &rig, u64 from, u64 first, u64 last)
{
	Test &t = rig.t;
	const Vector<Write> &h = rig.host.firmware.history;
	for (u64 i = from; i < h.size(); i++) {
		if (h[i].index < first || h[i].index >= last)
			t.fail(__FILE__, __LINE__,
			       Line{}.add("entry ").value(h[i].index).add(" is none of this call's"));
		for (u64 j = i + 1; j < h.size(); j++)
			if (h[j].serial == h[i].serial && h[j].index == h[i].index)
				t.fail(__FILE__, __LINE__,
				       Line{}.add("entry ").value(h[i].index).add(" written twice"));
	}
}

void permissions(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	for (u32 access : {TCEWIN_READ, TCEWIN_WRITE, rw}) {
		EXPECT_EQ(rig.map(0, scattered, 16 * kib, access), TCEWIN_OK);
		rig.expect_mapped(0, scattered, 16 * kib, access);
	}
	// the same place again with another permission and nothing else new
	EXPECT_EQ(rig.map(4 * kib, scattered + 4 * kib, 4 * kib, TCEWIN_READ), TCEWIN_OK);
	rig.expect_mapped(0, scattered, 4 * kib);
	rig.expect_mapped(4 * kib, scattered + 4 * kib, 4 * kib, TCEWIN_READ);
	rig.expect_mapped(8 * kib, scattered + 8 * kib, 8 * kib);
}

// Each replaced entry goes from the old translation to the new one in a single store.
void replace(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(2 * mib, scattered + mib, mib, TCEWIN_READ), TCEWIN_OK);
	u64 from = rig.host.firmware.history.size();
	EXPECT_EQ(rig.map(512 * kib, scattered + 2 * mib, 2 * mib, TCEWIN_WRITE), TCEWIN_OK);
	expect_old_or_new(rig, from, 128, 640);
	rig.expect_mapped(0, scattered, 512 * kib);
	rig.expect_mapped(512 * kib, scattered + 2 * mib, 2 * mib, TCEWIN_WRITE);
	rig.expect_mapped(2 * mib + 512 * kib, scattered + mib + 512 * kib, 512 * kib, TCEWIN_READ);
	from = rig.host.firmware.history.size();
	EXPECT_EQ(rig.map(512 * kib, scattered + 2 * mib, 2 * mib, TCEWIN_WRITE), TCEWIN_OK);
	EXPECT_EQ(rig.host.firmware.history.size(), from);
	EXPECT_EQ(rig.unmap(0, 4 * mib), TCEWIN_OK);
	rig.expect_unmapped(0, 4 * mib);
}

// The memory that a replaced mapping no longer needs can go, what it still needs can not.
void replaced_memory_is_free(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(scattered + mib, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered + mib, mib - 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	ASSERT_EQ(rig.map(mib - 4 * kib, scattered + mib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered + mib, mib), TCEWIN_STILL_MAPPED);
	rig.expect_mapped(0, scattered + mib, mib - 4 * kib);
}

void unmap_over_holes(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, 4 * mib), TCEWIN_OK);
	for (u64 i = 0; i < 16; i++)
		ASSERT_EQ(rig.map(i * 128 * kib, scattered + i * 64 * kib, 64 * kib), TCEWIN_OK);
	const u64 from = rig.host.firmware.history.size();
	EXPECT_EQ(rig.unmap(32 * kib, mib), TCEWIN_OK);
	expect_old_or_new(rig, from, 8, 264);
	rig.expect_mapped(0, scattered, 32 * kib);
	rig.expect_unmapped(32 * kib, mib);
	rig.expect_mapped(mib + 32 * kib, scattered + 8 * 64 * kib + 32 * kib, 32 * kib);
	EXPECT_EQ(rig.unmap(0, 0x40000000), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.unmap(0, 0x40000000), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, 4 * mib), TCEWIN_OK);
}

// The vfio-ppc tests: 64 KiB at a time from 0 on, and one UNMAP over all of it.
void chunks_and_one_unmap(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
	for (u64 at = 0; at < scattered_size; at += 64 * kib)
		ASSERT_EQ(rig.map(at, scattered + at, 64 * kib), TCEWIN_OK);
	rig.expect_mapped(0, scattered, scattered_size);
	EXPECT_EQ(rig.unmap(0, scattered_size), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
}

// One MAP over many regions, in order and in no order in real memory.
void many_regions(Test &t)
{
	Rig rig{t};
	for (u64 i = 0; i < 512; i++)
		ASSERT_EQ(rig.add(scattered + (i * 5 & 511) * 8 * kib, 8 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(4 * kib, scattered + 4 * kib, 4 * mib - 8 * kib), TCEWIN_OK);
	rig.expect_mapped(4 * kib, scattered + 4 * kib, 4 * mib - 8 * kib);
	EXPECT_EQ(rig.drop(scattered, 8 * kib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.unmap(4 * kib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, 8 * kib), TCEWIN_OK);
	for (u64 i = 1; i < 512; i++)
		EXPECT_EQ(rig.drop(scattered + i * 8 * kib, 8 * kib), TCEWIN_STILL_MAPPED);
}

// 16 GiB pages (1 GiB is all that IODA2 has), of memory and of the IOMMU: a mask of pages that is an int would lose
// them.
void gigantic_pages(Test &t)
{
	constexpr u64 address = u64{1} << 46;
	Rig rig{t, {.page_shift = 16}};
	const u32 shift = rig.personality().in_memory() ? 30 : 34;
	const u64 page = u64{1} << shift;
	rig.host.memory.back(rig.mm, address, 2 * page, shift);
	ASSERT_EQ(rig.create(shift, 16 * tib), TCEWIN_OK);
	ASSERT_EQ(rig.add(address, page), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start + page, address, page), TCEWIN_OK);
	for (u64 offset : {u64{0}, page / 2 + 12345, page - 1})
		EXPECT(rig.reach(rig.start + page + offset, true) == rig.host.memory.real_of(rig.mm, address + offset));
	EXPECT(!rig.reach(rig.start + page - 1, false));
	EXPECT(!rig.reach(rig.start + 2 * page, false));
	EXPECT_EQ(rig.unmap(rig.start, 16 * tib), TCEWIN_OK);
	EXPECT(rig.mm->dirty.contains(address, address + page));
}

// Large IOMMU pages over memory that begins with large pages and goes on with small ones: only what is large throughout
// can be had, and of the rest nothing.
void some_pages_too_small(Test &t)
{
	constexpr u64 address = u64{1} << 46, large = 4 * mib;
	Rig rig{t};
	rig.host.memory.back(rig.mm, address, large, 21);
	rig.host.memory.back(rig.mm, address + large, 2 * mib, 12);
	ASSERT_EQ(rig.add(address, large + 2 * mib), TCEWIN_OK);
	for (u32 shift : {16, 21}) {
		Note at{t, "shift", shift};
		ASSERT_EQ(rig.create(shift, gib), TCEWIN_OK);
		const u64 page = u64{1} << shift;
		EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(rig.start, address, large + 2 * mib));
		EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(rig.start, address, large + page));
		EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(rig.start, address + large - page, 2 * page));
		EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(rig.start, address + large, page));
		ASSERT_EQ(rig.map(rig.start, address, large), TCEWIN_OK);
		rig.expect_mapped(rig.start, address, large);
		ASSERT_EQ(rig.map(rig.start + gib - page, address + large - page, page), TCEWIN_OK);
		rig.expect_mapped(rig.start + gib - page, address + large - page, page);
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	}
}

bool dirty(Rig &rig, u64 address, u64 size) { return rig.mm->dirty.contains(address, address + size); }

// Memory is dirty when a device could write it, once the mapping is gone, and not before nor otherwise.
void dirty_only_after_write(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 64 * kib, TCEWIN_READ), TCEWIN_OK);
	ASSERT_EQ(rig.map(64 * kib, scattered + 64 * kib, 64 * kib, TCEWIN_WRITE), TCEWIN_OK);
	ASSERT_EQ(rig.map(128 * kib, scattered + 128 * kib, 64 * kib, rw), TCEWIN_OK);
	ASSERT_EQ(rig.unmap(0, 192 * kib), TCEWIN_OK);
	EXPECT(dirty(rig, scattered + 64 * kib, 128 * kib));
	EXPECT_EQ(rig.mm->dirty.total(), 128 * kib);
	// replaced by a mapping that cannot write
	ASSERT_EQ(rig.map(0, scattered + 256 * kib, 64 * kib, TCEWIN_WRITE), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered + 256 * kib, 64 * kib, TCEWIN_READ), TCEWIN_OK);
	EXPECT(dirty(rig, scattered + 256 * kib, 64 * kib));
	// removed with its window
	ASSERT_EQ(rig.map(0, scattered + 512 * kib, 64 * kib, rw), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT(dirty(rig, scattered + 512 * kib, 64 * kib));
	EXPECT_EQ(rig.mm->dirty.total(), 256 * kib);
}

// A MAP that failed half way let the device write for a while all the same.
void dirty_after_failed_map(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, 4 * mib), TCEWIN_OK);
	rig.host.injector.arm(Point::put_indirect, {.at = 2, .partial = 100});
	EXPECT_EQ(rig.map(0, scattered, 4 * mib, TCEWIN_WRITE), TCEWIN_FIRMWARE_ERROR);
	EXPECT(rig.mm->writable.contains(scattered, scattered + 612 * 4 * kib));
	EXPECT(dirty(rig, scattered, 612 * 4 * kib));
	EXPECT_EQ(rig.drop(scattered, 4 * mib), TCEWIN_OK);
}

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(permissions),
	CASE_ON_BOTH(replace),
	CASE_ON_BOTH(replaced_memory_is_free),
	CASE_ON_BOTH(unmap_over_holes),
	CASE_ON_BOTH(chunks_and_one_unmap),
	CASE_ON_BOTH(many_regions),
	CASE_ON_BOTH(gigantic_pages),
	CASE_ON_BOTH(some_pages_too_small),
	CASE_ON_BOTH(dirty_only_after_write),
	CASE(dirty_after_failed_map),
};

} // namespace

TCEWIN_SUITE(mapping, cases);
