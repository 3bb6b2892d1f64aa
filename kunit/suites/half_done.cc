// SPDX-License-Identifier: GPL-2.0-only
// Windows that come or go when two things fail in a row: what cannot be taken back is remembered and tried again, or
// the user is told that it is stuck and his pages stay.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 low = 0x10000000; // where PowerVM's default window is

bool in_memory(const Test &t) { return t.machine() == Machine::ioda2; }
Setup pes(const Test &t, unsigned n)
{
	return {.personality = in_memory(t) ? Personality::ioda2() : Personality::powervm(), .pes = n};
}
// The platform does not take the @k-th window back that is given up.
void refuse_taking_back(Rig &rig, u64 k, bool onwards = false)
{
	rig.host.injector.arm(in_memory(rig.t) ? Point::unset_window : Point::remove, {.at = k, .onwards = onwards});
}

// A window is made, there is no memory for its table, and then it does not go: its place is had again by the next.
void no_table_and_not_removed(Test &t)
{
	Rig rig{t, pes(t, 1)};
	for (int round = 0; round < 5; round++) {
		Note at{t, "round", static_cast<u64>(round)};
		rig.host.injector.arm(Point::table, {.at = 1});
		refuse_taking_back(rig, 1);
		EXPECT_EQ(rig.create(16, gib), TCEWIN_NO_MEMORY);
		rig.host.injector.disarm();
		ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
		EXPECT_EQ(rig.fake[0]->tables.size(), 2);
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	}
}

// The same for the one that a newcomer to the container gets.
void newcomer_without_table(Test &t)
{
	Rig rig{t, pes(t, 2)};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	for (u64 k : {1, 2}) {
		Note at{t, "k", k};
		rig.host.injector.arm(Point::table, {.at = k});
		refuse_taking_back(rig, 1);
		EXPECT_EQ(rig.attach(1), TCEWIN_NO_MEMORY);
		rig.host.injector.disarm();
		EXPECT_EQ(rig.attach(1), TCEWIN_OK);
		rig.expect_mapped(rig.start, huge, 4 * mib);
		EXPECT_EQ(rig.detach(1), TCEWIN_OK);
		EXPECT(rig.idle(1));
	}
}

// The newcomer's default window was to keep its place only; its DDW fails, and it can be neither removed nor emptied,
// though nobody has written it. It is the newcomer's no more, and the next try begins with it.
void keeper_stays(Test &t)
{
	Rig rig{t, pes(t, 2)};
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.remove(low), TCEWIN_OK);
	for (int round = 0; round < 4; round++) {
		Note at{t, "round", static_cast<u64>(round)};
		rig.host.injector.arm(Point::create, {.at = 1});
		rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
		refuse_taking_back(rig, 1, true);
		EXPECT_EQ(rig.attach(1), TCEWIN_FIRMWARE_ERROR);
		rig.host.injector.disarm();
		ASSERT_EQ(rig.attach(1), TCEWIN_OK);
		EXPECT_EQ(rig.fake[1]->tables.size(), 1);
		EXPECT_EQ(rig.detach(1), TCEWIN_OK);
		EXPECT(rig.idle(1));
	}
}

// One window of the newcomer is full when the next one fails, and does not go: that says more than what began it.
void newcomer_gets_stuck(Test &t)
{
	Rig rig{t, pes(t, 2)};
	const u64 start = rig.personality().default_start;
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(start, huge, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	rig.host.stuck_is_expected = true;
	rig.host.injector.arm(in_memory(t) ? Point::set_window : Point::create, {.at = in_memory(t) ? 2U : 1U});
	rig.host.injector.arm(Point::stuff, {.at = 1, .onwards = true});
	refuse_taking_back(rig, 1, true);
	EXPECT_EQ(rig.attach(1), TCEWIN_STUCK);
	EXPECT_EQ(tcewin_pe_owner(rig.pe[1]), TCEWIN_OWNER_QUARANTINED);
	EXPECT(rig.host.events[TCEWIN_EVENT_STUCK] > 0);
	rig.host.injector.disarm();
	EXPECT(rig.reach(start, true, 1));
	// the first one goes on, and what both had stays for good
	rig.expect_mapped(start, huge, 4 * mib);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_STILL_MAPPED);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
	EXPECT_EQ(rig.release(1), TCEWIN_QUARANTINED);
}

// KVM's entry number @i of the first window of PE number 0.
int put(Rig &rig, u64 i, u64 address)
{
	for (const FakeTable *table : rig.fake[0]->tables)
		if (table->start == rig.personality().default_start) {
			const u64 word = address ? *rig.host.memory.real_of(rig.mm, address) | rw : 0;
			const int status = rig.host.kvm.put(table->object, i, word);
			rig.host.settled();
			return status;
		}
	return TCEWIN_NO_WINDOW;
}

// REMOVE fails, and the window is what it was, for KVM as well.
void remove_fails_beside_kvm(Test &t)
{
	Rig rig{t, pes(t, 1)};
	const u64 start = rig.personality().default_start;
	ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(start, scattered, scattered_size), TCEWIN_OK);
	ASSERT_EQ(put(rig, 5, scattered + mib), TCEWIN_OK);
	rig.host.injector.arm(Point::yield, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.remove(start), TCEWIN_INTERRUPTED);
	rig.host.injector.disarm();
	rig.expect_mapped(start + 20 * kib, scattered + mib, 4 * kib);
	EXPECT_EQ(put(rig, 7, scattered + mib), TCEWIN_OK);
	EXPECT_EQ(put(rig, 5, 0), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 1);
	EXPECT_EQ(rig.remove(start), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT_EQ(rig.drop(scattered, scattered_size), TCEWIN_OK);
}

// The user dies, and KVM's entry stays in a table that can be neither emptied nor removed: so does the page behind it.
void death_beside_kvm(Test &t)
{
	Rig rig{t, pes(t, 1)};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(put(rig, 5, scattered), TCEWIN_OK);
	rig.host.stuck_is_expected = true;
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	refuse_taking_back(rig, 1, true);
	EXPECT_EQ(rig.detach(0), TCEWIN_STUCK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	tcewin_container_destroy(rig.container);
	rig.container = nullptr;
	EXPECT_EQ(rig.mm->pins.size(), 1);
	EXPECT(rig.reach(low + 20 * kib, true));
	rig.host.firmware.check_reach("reaches memory that is not pinned");
	EXPECT_EQ(rig.release(0), TCEWIN_QUARANTINED);
}

// Nor does firmware take the window that REMOVE has emptied, and then what was in it cannot be put back.
void remove_cannot_be_undone(Test &t)
{
	Rig rig{t, pes(t, 1)};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 16 * mib), TCEWIN_OK);
	for (u64 written : {0, 5}) {
		rig.host.injector.arm(Point::remove, {.at = 1});
		rig.host.injector.arm(Point::put_indirect, {.at = 1, .onwards = true, .partial = written});
		const int status = rig.remove(rig.start);
		rig.host.injector.disarm();
		EXPECT(status == TCEWIN_FIRMWARE_ERROR || status == TCEWIN_STUCK);
		EXPECT_EQ(rig.map(rig.start + gib, huge, 4 * mib), TCEWIN_STUCK);
		EXPECT_EQ(rig.unmap(rig.start, 4 * mib), TCEWIN_STUCK);
		EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_STILL_MAPPED);
		rig.host.firmware.check_reach("reaches memory that is not pinned");
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
		rig.host.events[TCEWIN_EVENT_STUCK] = 0;
		ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
		ASSERT_EQ(rig.map(rig.start, huge, 16 * mib), TCEWIN_OK);
	}
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
}

constexpr tcewin_case cases[] = {
	CASE(no_table_and_not_removed),
	CASE(newcomer_without_table),
	CASE(keeper_stays),
	CASE_ON_BOTH(newcomer_gets_stuck),
	CASE_ON_BOTH(remove_fails_beside_kvm),
	CASE(remove_cannot_be_undone),
	CASE(death_beside_kvm),
};

} // namespace

TCEWIN_SUITE(half_done, cases);
