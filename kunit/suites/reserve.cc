// SPDX-License-Identifier: GPL-2.0-only
// tcewin_table_begin(): KVM asks for room before it counts, and then an exchange never fails for want of memory. Nor
// does a clear, which nobody asks for.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

int reserve(Rig &rig, u64 i)
{
	tcewin_host_table *table = rig.default_table();
	rig.host.enter(table->kvm.gate);
	const int status = tcewin_table_begin(table->kvm.engine, i);
	rig.host.leave(table->kvm.gate);
	rig.host.settled();
	return status;
}

// No memory is to be had any more, of whatever kind.
void starve(Rig &rig)
{
	for (Point p : {Point::alloc, Point::level, Point::charge})
		rig.host.injector.arm(p, {.at = 1, .onwards = true});
}

void nothing_is_wanted_for(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
	const u64 last = (rig.personality().default_size >> 12) - 1;
	// in the middle of what an ioctl has, where nobody has anything, and at the end
	for (u64 i : {u64{3}, last / 2, last}) {
		Note at{t, "entry", i};
		ASSERT_EQ(reserve(rig, i), TCEWIN_OK);
		starve(rig);
		EXPECT_EQ(rig.kvm_put(i, scattered + 512 * kib), TCEWIN_OK);
		rig.expect_mapped(i * 4 * kib, scattered + 512 * kib, 4 * kib);
		EXPECT_EQ(rig.kvm_put(i, 0), TCEWIN_OK);
		rig.host.injector.disarm();
	}
	rig.expect_mapped(0, scattered, 12 * kib);
	rig.expect_mapped(16 * kib, scattered + 16 * kib, 48 * kib);
	EXPECT_EQ(rig.unmap(0, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// Nor once a MAP over the entry has failed, which takes back the room that it made.
void nor_after_a_failed_map(Test &t)
{
	Rig rig{t};
	constexpr u64 from = 512 * mib;
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	for (u64 k = 1;; k++) {
		Note at{t, "k", k};
		ASSERT_EQ(reserve(rig, from >> 12), TCEWIN_OK);
		rig.host.injector.arm(Point::yield, {.at = k});
		const int status = rig.map(from, huge, huge_size);
		rig.host.injector.disarm();
		if (status == TCEWIN_OK)
			break;
		ASSERT_EQ(status, TCEWIN_INTERRUPTED);
		starve(rig);
		EXPECT_EQ(rig.kvm_put(from >> 12, huge), TCEWIN_OK);
		EXPECT_EQ(rig.kvm_put(from >> 12, 0), TCEWIN_OK);
		rig.host.injector.disarm();
	}
	EXPECT_EQ(rig.unmap(0, gib), TCEWIN_OK);
}

// Room that cannot be made is said at once, and nothing is left of what was.
void no_room(Test &t)
{
	for (Point point : {Point::alloc, Point::level, Point::charge})
		for (u64 k = 1;; k++) {
			Note which{t, "point", static_cast<u64>(point)}, at{t, "k", k};
			bool hit = false;
			{
				Rig rig{t};
				ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
				ASSERT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
				const u64 last = (rig.personality().default_size >> 12) - 1;
				rig.host.injector.arm(point, {.at = k});
				const int status = reserve(rig, last);
				hit = rig.host.injector.hits(point) != 0;
				EXPECT_EQ(status, hit ? TCEWIN_NO_MEMORY : TCEWIN_OK);
				rig.host.injector.disarm();
				EXPECT_EQ(reserve(rig, last), TCEWIN_OK);
				rig.expect_mapped(0, scattered, 64 * kib);
			}
			t.fresh_host();
			if (!hit || t.failed())
				break;
		}
}

void of_no_entry(Test &t)
{
	Rig rig{t};
	const u64 end = rig.personality().default_size >> 12;
	for (u64 i : {end, end + 1, end << 8, ~u64{0} >> 12, ~u64{0}})
		EXPECT_REFUSED(OUT_OF_WINDOW, reserve(rig, i));
	EXPECT_EQ(reserve(rig, end - 1), TCEWIN_OK);
}

// What nobody knows the state of takes nothing, neither a promise nor an entry.
void of_a_stuck_window(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 16 * kib), TCEWIN_OK);
	ASSERT_EQ(reserve(rig, 8), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true, .partial = 2});
	ASSERT_EQ(rig.unmap(0, 16 * kib), TCEWIN_STUCK);
	rig.host.injector.disarm();
	EXPECT_REFUSED(STUCK, reserve(rig, 8));
	EXPECT_REFUSED(STUCK, rig.kvm_put(8, scattered + 64 * kib));
	EXPECT_EQ(rig.kvm_put(1, 0), TCEWIN_OK); // a clear is done whatever else is not
	rig.expect_unmapped(4 * kib, 4 * kib);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
	rig.host.events[TCEWIN_EVENT_STUCK] = 0;
}

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(nothing_is_wanted_for),
	CASE_ON_BOTH(nor_after_a_failed_map),
	CASE_ON_BOTH(no_room),
	CASE_ON_BOTH(of_no_entry),
	CASE(of_a_stuck_window),
};

} // namespace

TCEWIN_SUITE(reserve, cases);
