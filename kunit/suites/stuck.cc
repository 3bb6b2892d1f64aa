// SPDX-License-Identifier: GPL-2.0-only
// Hypervisor and firmware refuse for good, in the middle of something: whatever a table may still translate stays
// pinned, the window takes nothing but its removal, and all is well again once it is gone.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 low = 0x10000000; // where PowerVM's default window is

void refuse_hcalls(Rig &rig, u64 from, u64 partial = 100)
{
	rig.host.injector.arm(Point::any_hcall, {.at = from, .onwards = true, .partial = partial});
}
void refuse_removal(Rig &rig) { rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true}); }

// Once it is stuck: refuses everything, keeps what is reachable pinned, and can be removed.
void expect_stuck(Rig &rig, u64 start, u64 page = 4 * kib)
{
	Test &t = rig.t;
	EXPECT(rig.host.events[TCEWIN_EVENT_STUCK] > 0);
	EXPECT_EQ(rig.map(start, block, mib), TCEWIN_STUCK);
	EXPECT_EQ(rig.unmap(start, mib), TCEWIN_STUCK);
	EXPECT_EQ(rig.map(start + 16 * mib, block, page), TCEWIN_STUCK);
	EXPECT_EQ(rig.unmap(start + 16 * mib, page), TCEWIN_STUCK);
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.drop(block + 64 * mib, 64 * mib), TCEWIN_STILL_MAPPED);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
	rig.host.events[TCEWIN_EVENT_STUCK] = 0;
}

void prepare(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.add(block, 64 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.add(block + 64 * mib, 64 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(low, block, 8 * mib), TCEWIN_OK);
}

// Neither new nor old: both regions are held.
void map_gets_stuck(Test &t, const Personality &p)
{
	Rig rig{t, {p}};
	prepare(rig);
	refuse_hcalls(rig, 2);
	EXPECT_EQ(rig.map(low, block + 64 * mib, 8 * mib), TCEWIN_STUCK);
	expect_stuck(rig, low);
	EXPECT_EQ(rig.remove(low), TCEWIN_OK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block + 64 * mib, 64 * mib), TCEWIN_OK);
	// firmware may show the same table again
	ASSERT_EQ(rig.create(12, p.default_size), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
}

void map_on_powervm(Test &t) { map_gets_stuck(t, Personality::powervm()); }
void map_on_vf(Test &t) { map_gets_stuck(t, Personality::powervm_vf()); }

void unmap_gets_stuck(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	prepare(rig);
	ASSERT_EQ(rig.map(low + 64 * mib, block + 64 * mib, mib), TCEWIN_OK);
	refuse_hcalls(rig, 2);
	EXPECT_EQ(rig.unmap(low, 8 * mib), TCEWIN_STUCK);
	rig.host.injector.disarm();
	expect_stuck(rig, low);
	EXPECT_EQ(rig.remove(low), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_OK);
}

// REMOVE finds that it cannot empty the window; the next one takes it away with what is in it.
void remove_gets_stuck(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	prepare(rig);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, 64 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start + gib, block + 64 * mib, 64 * mib), TCEWIN_OK);
	refuse_hcalls(rig, 2);
	refuse_removal(rig);
	const u64 ddw = rig.start;
	EXPECT_EQ(rig.remove(ddw), TCEWIN_STUCK);
	expect_stuck(rig, ddw, 64 * kib);
	EXPECT_EQ(rig.remove(ddw), TCEWIN_STUCK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.remove(ddw), TCEWIN_OK);
	rig.expect_mapped(low, block, 8 * mib);
	EXPECT_EQ(rig.drop(block + 64 * mib, 64 * mib), TCEWIN_OK);
	// the DDW that is made again does not show what the hypervisor would not give up
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	rig.expect_unmapped(rig.start, 64 * mib);
}

// A stuck window does not hold up the others.
void other_window_works(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	prepare(rig);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, 64 * mib), TCEWIN_OK);
	refuse_hcalls(rig, 1);
	EXPECT_EQ(rig.unmap(low, 8 * mib), TCEWIN_STUCK);
	rig.host.injector.disarm();
	rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	EXPECT_EQ(rig.map(rig.start + gib, block + 64 * mib, mib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(rig.start, 64 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(low), TCEWIN_OK);
	rig.expect_mapped(rig.start + gib, block + 64 * mib, mib);
}

// A newcomer cannot get what nobody knows.
void nobody_joins_a_stuck_window(Test &t)
{
	Rig rig{t, {Personality::powervm(), 2}};
	prepare(rig);
	refuse_hcalls(rig, 2);
	EXPECT_EQ(rig.unmap(low, 8 * mib), TCEWIN_STUCK);
	rig.host.injector.disarm();
	rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	EXPECT_EQ(rig.attach(1), TCEWIN_FIRMWARE_ERROR);
	EXPECT(rig.idle(1));
	EXPECT_EQ(rig.remove(low), TCEWIN_OK);
	EXPECT_EQ(rig.attach(1), TCEWIN_OK);
}

// One of two PEs leaves, and its table can be neither emptied nor removed: its device goes on reaching what is mapped
// now. So that stays pinned whatever the other one's user does, who goes on.
void one_of_two_is_stuck(Test &t)
{
	Rig rig{t, {Personality::powervm(), 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	prepare(rig);
	rig.host.stuck_is_expected = true;
	refuse_hcalls(rig, 1, 0);
	refuse_removal(rig);
	EXPECT_EQ(rig.detach(0), TCEWIN_STUCK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.unmap(low, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(low, 8 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(low, block + 64 * mib, 8 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(low, block + 64 * mib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block + 64 * mib, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.unmap(low, 8 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.drop(block + 64 * mib, 64 * mib), TCEWIN_OK);
	EXPECT(rig.reach(low, true, 0));
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

// What firmware denies to have, without its having been emptied, may still be there.
void denied(Test &t)
{
	Rig rig{t, {Personality::powervm(), 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	prepare(rig);
	rig.host.stuck_is_expected = true;
	refuse_hcalls(rig, 1, 0);
	rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true, .status = -3});
	rig.fake[0]->denies = true;
	EXPECT_EQ(rig.detach(0), TCEWIN_STUCK);
	rig.host.injector.disarm();
	EXPECT(rig.reach(low, true, 0));
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

// A newcomer's table is half filled, and can be neither emptied nor removed.
void newcomer_is_stuck(Test &t)
{
	Rig rig{t, {Personality::powervm(), 2}};
	prepare(rig);
	rig.host.stuck_is_expected = true;
	rig.host.injector.arm(Point::put_indirect, {.at = 2, .onwards = true});
	rig.host.injector.arm(Point::stuff, {.at = 1, .onwards = true});
	refuse_removal(rig);
	EXPECT_EQ(rig.attach(1), TCEWIN_STUCK);
	EXPECT_EQ(tcewin_pe_owner(rig.pe[1]), TCEWIN_OWNER_QUARANTINED);
	rig.host.injector.disarm();
	EXPECT(rig.reach(low, true, 1));
	EXPECT_EQ(rig.unmap(low, 8 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

// The user dies while neither hypervisor nor firmware listens: the device keeps its reach and the pages stay pinned for
// good.
void death(Test &t, bool mapped_twice)
{
	Rig rig{t, {Personality::powervm(), mapped_twice ? 2U : 1U}};
	if (mapped_twice)
		ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	prepare(rig);
	rig.host.stuck_is_expected = true;
	refuse_hcalls(rig, 1, 0);
	refuse_removal(rig);
	EXPECT_EQ(rig.detach(0), TCEWIN_STUCK);
	if (mapped_twice) {
		rig.host.injector.disarm();
		EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	}
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.drop(block + 64 * mib, 64 * mib), TCEWIN_OK);
	tcewin_container_destroy(rig.container);
	rig.container = nullptr;
	EXPECT(rig.reach(low, true));
	EXPECT_EQ(rig.mm->pins.size(), 1);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

void death_of_one(Test &t) { death(t, false); }
void death_of_two(Test &t) { death(t, true); }

// A user of v1 is gone, and his device reaches what he had mapped: of his pages those that were unmapped before are
// unpinned, and no others.
void lost_in_v1(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm(), .kind = TCEWIN_CONTAINER_V1}};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	ASSERT_EQ(rig.map(low, scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.unmap(low, 64 * kib), TCEWIN_OK);
	rig.host.stuck_is_expected = true;
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(0), TCEWIN_STUCK);
	rig.host.injector.disarm();
	tcewin_container_destroy(rig.container);
	rig.container = nullptr;
	EXPECT(rig.reach(low + 64 * kib, true));
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

constexpr tcewin_case cases[] = {
	CASE(map_on_powervm),
	CASE(map_on_vf),
	CASE(unmap_gets_stuck),
	CASE(remove_gets_stuck),
	CASE(other_window_works),
	CASE(nobody_joins_a_stuck_window),
	CASE(death_of_one),
	CASE(death_of_two),
	CASE(one_of_two_is_stuck),
	CASE(newcomer_is_stuck),
	CASE(denied),
	CASE(lost_in_v1),
};

} // namespace

TCEWIN_SUITE(stuck, cases);
