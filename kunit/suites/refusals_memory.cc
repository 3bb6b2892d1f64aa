// SPDX-License-Identifier: GPL-2.0-only
// Bad input to REGISTER, UNREGISTER, MAP and UNMAP, status by status: nothing is changed, and the next good call works.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 end_of_space = ~u64{0xfff}; // the last page
constexpr u64 nowhere = 0x7000'0000'0000;

void bad_regions(Test &t)
{
	for (u32 shift : {12U, 16U}) {
		const u64 page = u64{1} << shift;
		Rig rig{t, {.page_shift = shift}};
		EXPECT_REFUSED(ZERO_SIZE, rig.add(scattered, 0));
		EXPECT_REFUSED(UNALIGNED, rig.add(scattered + 1, page));
		EXPECT_REFUSED(UNALIGNED, rig.add(scattered + page / 2, page));
		EXPECT_REFUSED(UNALIGNED, rig.add(scattered, page + 1));
		EXPECT_REFUSED(UNALIGNED, rig.add(scattered, page / 2));
		EXPECT_REFUSED(OVERFLOW, rig.add(scattered, end_of_space & ~(page - 1)));
		EXPECT_REFUSED(OVERFLOW, rig.add(end_of_space & ~(page - 1), 2 * page));
		EXPECT_REFUSED(FAULT, rig.add(nowhere, page));
		EXPECT_REFUSED(FAULT, rig.add(scattered, scattered_size + page));
		EXPECT_REFUSED(FAULT, rig.add(scattered - page, 2 * page));
		EXPECT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
	}
}

void overlapping_regions(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered + mib, mib), TCEWIN_OK);
	EXPECT_REFUSED(ALREADY_REGISTERED, rig.add(scattered + mib, mib));
	EXPECT_REFUSED(OVERLAP, rig.add(scattered, mib + 4 * kib));
	EXPECT_REFUSED(OVERLAP, rig.add(scattered + 2 * mib - 4 * kib, mib));
	EXPECT_REFUSED(OVERLAP, rig.add(scattered + mib, 4 * kib));
	EXPECT_REFUSED(OVERLAP, rig.add(scattered + mib + 4 * kib, 4 * kib));
	EXPECT_REFUSED(OVERLAP, rig.add(scattered, 4 * mib));
	EXPECT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.add(scattered + 2 * mib, mib), TCEWIN_OK);
}

void memory_limit(Test &t)
{
	Rig rig{t};
	rig.mm->limit = rig.mm->locked + mib;
	EXPECT_REFUSED(NO_MEMORY, rig.add(scattered, mib + 4 * kib));
	EXPECT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_REFUSED(NO_MEMORY, rig.map(0, scattered, 4 * kib));
	EXPECT_REFUSED(NO_MEMORY, rig.create(16, gib));
	rig.mm->limit = ~u64{0};
	EXPECT_EQ(rig.map(0, scattered, 4 * kib), TCEWIN_OK);
}

void bad_unregisters(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered + mib, mib), TCEWIN_OK);
	EXPECT_REFUSED(UNKNOWN_REGION, rig.drop(scattered, mib));
	EXPECT_REFUSED(UNKNOWN_REGION, rig.drop(scattered + mib, 2 * mib));
	EXPECT_REFUSED(UNKNOWN_REGION, rig.drop(scattered + mib, 4 * kib));
	EXPECT_REFUSED(UNKNOWN_REGION, rig.drop(scattered + mib, 0));
	EXPECT_REFUSED(UNKNOWN_REGION, rig.drop(scattered + mib + 4 * kib, mib - 4 * kib));
	EXPECT_REFUSED(UNKNOWN_REGION, rig.drop(scattered + mib + 1, mib));
	ASSERT_EQ(rig.map(0, scattered + 2 * mib - 4 * kib, 4 * kib, TCEWIN_READ), TCEWIN_OK);
	EXPECT_REFUSED(STILL_MAPPED, rig.drop(scattered + mib, mib));
	rig.expect_mapped(0, scattered + 2 * mib - 4 * kib, 4 * kib, TCEWIN_READ);
	EXPECT_EQ(rig.unmap(0, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered + mib, mib), TCEWIN_OK);
	EXPECT_REFUSED(UNKNOWN_REGION, rig.drop(scattered + mib, mib));
}

// Two containers of one process share a region; the second may not register it differently.
void region_of_another_container(Test &t)
{
	Rig rig{t};
	tcewin_container *other = nullptr;
	ASSERT_EQ(tcewin_container_create(rig.mm, TCEWIN_CONTAINER_V2, &other), TCEWIN_OK);
	EXPECT_EQ(tcewin_register_memory(other, scattered, mib), TCEWIN_OK);
	EXPECT_REFUSED(OVERLAP, rig.add(scattered, 2 * mib));
	EXPECT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	EXPECT_EQ(tcewin_unregister_memory(other, scattered, mib), TCEWIN_OK);
	rig.expect_mapped(0, scattered, mib);
	tcewin_container_destroy(other);
}

void nothing_registered(Test &t)
{
	Rig rig{t};
	EXPECT_REFUSED(NOTHING_REGISTERED, rig.map(0, scattered, 4 * kib));
	EXPECT_REFUSED(NOTHING_REGISTERED, rig.unmap(0, 4 * kib));
	EXPECT_REFUSED(NOTHING_REGISTERED, rig.map(nowhere, scattered, 4 * kib));
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(0, 4 * kib), TCEWIN_OK);
}

// The first page of a range is not all of it.
void bad_ranges(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, 16 * mib), TCEWIN_OK);
	const u64 ddw = rig.start, end = ddw + 16 * mib, low_end = rig.personality().default_size;
	ASSERT_EQ(rig.map(ddw, block, mib), TCEWIN_OK);

	EXPECT_REFUSED(ZERO_SIZE, rig.map(ddw, block, 0));
	EXPECT_REFUSED(ZERO_SIZE, rig.unmap(ddw, 0));
	EXPECT_REFUSED(UNALIGNED, rig.map(ddw + 4 * kib, block, 64 * kib));
	EXPECT_REFUSED(UNALIGNED, rig.map(ddw, block + 4 * kib, 64 * kib));
	EXPECT_REFUSED(UNALIGNED, rig.map(ddw, block, 4 * kib));
	EXPECT_REFUSED(UNALIGNED, rig.map(1, block, 4 * kib));
	EXPECT_REFUSED(UNALIGNED, rig.unmap(ddw + 4 * kib, 64 * kib));
	EXPECT_REFUSED(UNALIGNED, rig.unmap(ddw, 68 * kib));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.map(end - 64 * kib, block, 128 * kib));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.map(ddw, block, 16 * mib + 64 * kib));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.map(low_end - 4 * kib, block, 8 * kib));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.map(0, block, u64{1} << 60));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.unmap(ddw, 16 * mib + 64 * kib));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.unmap(0, u64{1} << 60));
	EXPECT_REFUSED(OVERFLOW, rig.map(ddw, block, ~u64{0xffff}));
	EXPECT_REFUSED(OVERFLOW, rig.unmap(ddw, ~u64{0xffff}));
	EXPECT_REFUSED(NO_WINDOW, rig.map(end, block, 64 * kib));
	EXPECT_REFUSED(NO_WINDOW, rig.map(ddw - 64 * kib, block, 128 * kib));
	EXPECT_REFUSED(NO_WINDOW, rig.map(low_end, block, 4 * kib));
	EXPECT_REFUSED(NO_WINDOW, rig.map(~u64{0xffff}, block, 64 * kib));
	EXPECT_REFUSED(NO_WINDOW, rig.unmap(end, 64 * kib));
	EXPECT_REFUSED(NO_DIRECTION, rig.map(ddw, block, 64 * kib, 0));
	EXPECT_REFUSED(NO_DIRECTION, rig.map(ddw, block, 64 * kib, 4));
	rig.expect_mapped(ddw, block, mib);
	EXPECT_EQ(rig.map(end - 64 * kib, block, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(low_end - 4 * kib, block, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(ddw, 16 * mib), TCEWIN_OK);
	rig.expect_unmapped(ddw, 16 * mib);
}

void memory_not_registered(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(scattered + mib + 4 * kib, mib), TCEWIN_OK);
	EXPECT_REFUSED(NOT_REGISTERED, rig.map(0, nowhere, 4 * kib));
	EXPECT_REFUSED(NOT_REGISTERED, rig.map(0, scattered - 4 * kib, 8 * kib));
	EXPECT_REFUSED(NOT_REGISTERED, rig.map(0, scattered, mib + 4 * kib));
	EXPECT_REFUSED(NOT_REGISTERED, rig.map(0, scattered, 2 * mib));
	EXPECT_REFUSED(NOT_REGISTERED, rig.map(0, scattered + mib, 4 * kib));
	EXPECT_REFUSED(OVERFLOW, rig.map(0, end_of_space, 8 * kib));
	ASSERT_EQ(rig.add(scattered + mib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, 2 * mib), TCEWIN_OK);
	rig.expect_mapped(0, scattered, 2 * mib);
}

// An IOMMU page must have one piece of registered memory behind it.
void iommu_page_too_large(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 at = rig.start;
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, 2 * mib + 68 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, mib + 4 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.add(block + mib + 4 * kib, mib - 4 * kib), TCEWIN_OK);
	EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(at, scattered, 64 * kib));
	EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(at, huge + 2 * mib, 128 * kib));
	EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(at, huge + 2 * mib + 64 * kib, 64 * kib));
	EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(at, block, 2 * mib));
	EXPECT_EQ(rig.map(at, huge, 2 * mib + 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(at + 4 * mib, block, mib), TCEWIN_OK);
	rig.expect_mapped(at, huge, 2 * mib + 64 * kib);
	rig.expect_mapped(at + 4 * mib, block, mib);

	// 2 MiB pieces one behind the other are no 4 MiB piece, a first huge page says nothing of the next ones
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	ASSERT_EQ(rig.remove(at), TCEWIN_OK);
	ASSERT_EQ(rig.create(21, tib), TCEWIN_OK);
	EXPECT_REFUSED(PAGE_TOO_LARGE, rig.map(rig.start, huge, 4 * mib));
	EXPECT_EQ(rig.map(rig.start, huge, 2 * mib), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, 2 * mib);
}

// A host of 64 KiB pages: 4 KiB IOMMU pages inside one host page.
void host_page_larger_than_iommu_page(Test &t)
{
	Rig rig{t, {.page_shift = 16}};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(4 * kib, scattered + 60 * kib, 12 * kib), TCEWIN_OK);
	rig.expect_mapped(4 * kib, scattered + 60 * kib, 12 * kib);
	rig.expect_unmapped(16 * kib, 64 * kib);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start, scattered, mib), TCEWIN_OK);
	rig.expect_mapped(rig.start, scattered, mib);
}

// The hypervisor wants for memory, whichever call it is that says so, and for no longer than until the next try.
void hypervisor_without_memory(Test &t)
{
	Rig rig{t};
	constexpr long h_resource = -16, h_not_enough_resources = -44;
	ASSERT_EQ(rig.add(scattered, 4 * mib), TCEWIN_OK);
	for (Point p : {Point::put, Point::put_indirect, Point::stuff})
		for (u64 size : {4 * kib, 4 * mib}) {
			if ((p == Point::put) != (size == 4 * kib))
				continue;
			Note which{t, "point", static_cast<u64>(p)};
			if (p == Point::stuff)
				ASSERT_EQ(rig.map(0, scattered, size), TCEWIN_OK);
			const Snapshot before{rig};
			for (long status : {h_resource, h_not_enough_resources}) {
				rig.host.injector.arm(p, {.at = 1, .status = status});
				EXPECT_EQ(p == Point::stuff ? rig.unmap(0, size) : rig.map(0, scattered, size),
					  TCEWIN_NO_MEMORY);
				Snapshot{rig}.expect_same(t, before);
			}
		}
	EXPECT_EQ(rig.host.events[TCEWIN_EVENT_FIRMWARE], 0);
	EXPECT_EQ(rig.unmap(0, 4 * mib), TCEWIN_OK);
}

// There is no memory for a container: its maker keeps what he had, and nothing is lost.
void container_without_memory(Test &t)
{
	FakeHost &host = t.host();
	FakeMm *mm = host.memory.new_mm();
	for (u64 k = 1;; k++) {
		Note at{t, "k", k};
		tcewin_container *made = nullptr;
		host.injector.arm(Point::alloc, {.at = k});
		const int status = tcewin_container_create(mm, TCEWIN_CONTAINER_V2, &made);
		if (!host.injector.hits(Point::alloc)) {
			ASSERT_EQ(status, TCEWIN_OK);
			tcewin_container_destroy(made);
			EXPECT(k > 2);
			return;
		}
		EXPECT_EQ(status, TCEWIN_NO_MEMORY);
		EXPECT(!made);
		EXPECT_EQ(host.heap.count(), 0);
		host.locks.finish(); // says what is left
		ASSERT(!t.failed());
	}
}

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(bad_regions),
	CASE_ON_BOTH(overlapping_regions),
	CASE_ON_BOTH(memory_limit),
	CASE_ON_BOTH(bad_unregisters),
	CASE_ON_BOTH(region_of_another_container),
	CASE_ON_BOTH(nothing_registered),
	CASE_ON_BOTH(bad_ranges),
	CASE_ON_BOTH(memory_not_registered),
	CASE_ON_BOTH(iommu_page_too_large),
	CASE_ON_BOTH(host_page_larger_than_iommu_page),
	CASE(hypervisor_without_memory),
	CASE(container_without_memory),
};

} // namespace

TCEWIN_SUITE(refusals_memory, cases);
