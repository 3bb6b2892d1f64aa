// SPDX-License-Identifier: GPL-2.0-only
// Windows of PEs whose tables are in our memory when the platform refuses to set or to unset one: all or nothing, and
// what a PHB may walk stays.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// The platform refuses one window of the newcomer: it gets none, and the others go on.
void all_or_nothing_when_one_comes(Test &t)
{
	for (u64 k : {1, 2}) {
		Note at{t, "k", k};
		{
			Rig rig{t, {.pes = 2}};
			ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
			ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
			ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
			rig.host.injector.arm(Point::set_window, {.at = k});
			EXPECT_EQ(rig.attach(1), TCEWIN_FIRMWARE_ERROR);
			EXPECT(rig.idle(1));
			rig.expect_mapped(rig.start, huge, 4 * mib);
			EXPECT_EQ(rig.attach(1), TCEWIN_OK);
			rig.expect_mapped(rig.start, huge, 4 * mib);
		}
		t.fresh_host();
	}
}

// Or of one PE's part of a new window: nobody has it.
void all_or_nothing_when_one_is_made(Test &t)
{
	Rig rig{t, {.pes = 3}};
	for (unsigned i : {1U, 2U})
		ASSERT_EQ(rig.attach(i), TCEWIN_OK);
	for (u64 k : {1, 2, 3}) {
		Note at{t, "k", k};
		const Snapshot before{rig};
		const u64 levels = rig.host.levels.count();
		rig.host.injector.arm(Point::set_window, {.at = k});
		EXPECT_EQ(rig.create(16, tib), TCEWIN_FIRMWARE_ERROR);
		Snapshot{rig}.expect_same(t, before);
		EXPECT_EQ(rig.host.levels.count(), levels);
	}
	EXPECT_EQ(rig.create(16, tib), TCEWIN_OK);
}

// REMOVE: the window is gone for its user, for what the PHB keeps is empty. Its place is had again in time.
void unset_fails_in_remove(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	const u64 high = rig.start;
	rig.host.injector.arm(Point::unset_window, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.remove(high), TCEWIN_OK);
	rig.expect_unmapped(high, 4 * mib);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(high, mib), TCEWIN_NO_WINDOW);
	EXPECT_EQ(rig.remove(high), TCEWIN_UNKNOWN_WINDOW);
	EXPECT_EQ(rig.create(16, tib), TCEWIN_FIRMWARE_ERROR);
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.create(16, tib), TCEWIN_FIRMWARE_ERROR);
	rig.host.injector.disarm();
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT_EQ(rig.start, high);
}

// Only one of two places is left.
void unset_fails_beside_a_free_place(Test &t)
{
	Rig rig{t};
	rig.host.injector.arm(Point::unset_window, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT(rig.start != 0);
	EXPECT_EQ(rig.create(16, tib), TCEWIN_FIRMWARE_ERROR);
	rig.host.injector.disarm();
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0);
}

// The user leaves, the PHB keeps walking: what it walks stays and is empty. If it does not let go when the kernel wants
// the PE back, nobody gets it.
void unset_fails_in_detach(Test &t, bool in_time)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, huge, 4 * mib), TCEWIN_OK);
	rig.host.injector.arm(Point::unset_window, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
	const u64 levels = rig.host.levels.count();
	EXPECT(levels > 0);
	if (in_time) {
		rig.host.injector.disarm();
		EXPECT_EQ(rig.release(0), TCEWIN_OK);
		EXPECT(rig.fake[0]->kernels);
	} else {
		EXPECT_EQ(rig.release(0), TCEWIN_QUARANTINED);
		EXPECT_EQ(tcewin_pe_owner(rig.pe[0]), TCEWIN_OWNER_QUARANTINED);
		EXPECT_EQ(rig.host.events[TCEWIN_EVENT_STUCK], 1);
		EXPECT(!rig.fake[0]->kernels);
		EXPECT_EQ(rig.calls(Point::platform_release), 0);
		rig.host.stuck_is_expected = true;
		rig.close();
	}
	// kept for good: nobody knows since when the PHB has let go
	EXPECT_EQ(rig.host.ioda.count(), 1);
	EXPECT_EQ(rig.host.levels.count(), levels);
}

void unset_fails_once(Test &t) { unset_fails_in_detach(t, true); }
void unset_fails_always(Test &t) { unset_fails_in_detach(t, false); }

// The next user begins with what the last one could not be rid of gone.
void unset_fails_and_another_comes(Test &t)
{
	Rig rig{t};
	rig.host.injector.arm(Point::unset_window, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.attach(0), TCEWIN_FIRMWARE_ERROR);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	EXPECT_EQ(rig.fake[0]->tables.size(), 1);
}

// One of two leaves, but its PHB keeps the table that the other one needs, and no invalidation reaches it: what is
// mapped there stays pinned for good, and the other one can neither map more nor unmap.
void unset_fails_for_one_of_two(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, huge, 4 * mib), TCEWIN_OK);
	rig.host.stuck_is_expected = true;
	rig.host.injector.arm(Point::unset_window, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(1), TCEWIN_STUCK);
	EXPECT_EQ(tcewin_pe_owner(rig.pe[1]), TCEWIN_OWNER_QUARANTINED);
	rig.host.injector.disarm();
	EXPECT(rig.reach(0, true, 1));
	rig.expect_mapped(0, huge, 4 * mib);
	EXPECT_EQ(rig.map(4 * mib, huge + 4 * mib, 4 * mib), TCEWIN_STUCK);
	EXPECT_EQ(rig.unmap(0, 4 * mib), TCEWIN_STUCK);
	EXPECT_EQ(rig.unmap(0, 64 * kib), TCEWIN_STUCK);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_STILL_MAPPED);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
	EXPECT_EQ(rig.release(0), TCEWIN_OK);
	EXPECT_EQ(rig.release(1), TCEWIN_QUARANTINED);
}

// A PE that has left reaches the table for good, as it is or as it was, so nobody else gets it, and what KVM clears
// there stays pinned as well.
void nobody_joins_a_lost_table(Test &t)
{
	Rig rig{t, {.pes = 3}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, 64 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, block, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(4096, scattered), TCEWIN_OK);
	rig.host.stuck_is_expected = true;
	rig.host.injector.arm(Point::unset_window, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(1), TCEWIN_STUCK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.kvm_put(4096, 0), TCEWIN_OK);
	rig.expect_unmapped(16 * mib, 4 * kib);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.attach(2), TCEWIN_FIRMWARE_ERROR);
	EXPECT_EQ(tcewin_pe_owner(rig.pe[2]), TCEWIN_OWNER_USER);
	EXPECT(rig.idle(2));
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.attach(2), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

constexpr tcewin_case cases[] = {
	CASE_ON_IODA2(all_or_nothing_when_one_comes),
	CASE_ON_IODA2(all_or_nothing_when_one_is_made),
	CASE_ON_IODA2(unset_fails_in_remove),
	CASE_ON_IODA2(unset_fails_beside_a_free_place),
	CASE_ON_IODA2(unset_fails_once),
	CASE_ON_IODA2(unset_fails_always),
	CASE_ON_IODA2(unset_fails_and_another_comes),
	CASE_ON_IODA2(unset_fails_for_one_of_two),
	CASE_ON_IODA2(nobody_joins_a_lost_table),
};

} // namespace

TCEWIN_SUITE(ioda2_refused, cases);
