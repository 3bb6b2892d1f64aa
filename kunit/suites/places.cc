// SPDX-License-Identifier: GPL-2.0-only
// A DDW has to lie at the same address on each PE of a container, and firmware's first choice is not always that: what
// is tried, what is given up and removed again, and that no window is left behind. And a newcomer whose firmware fails
// half way.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 low = 0x10000000; // where PowerVM's default window is

// Firmware keeps the first PE's empty default window for one call, so that its DDW lies higher than the second PE's
// would, which begins with none.
void keep_first_spare(Rig &rig) { rig.host.injector.arm(Point::remove, {.at = 1}); }

// The second PE's first DDW lies where the default window was. It is made again beside a window that keeps that place.
void beside_a_keeper(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	for (int round = 0; round < 2; round++) {
		keep_first_spare(rig);
		ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
		EXPECT_EQ(rig.start, rig.personality().ddw_start);
		EXPECT_EQ(rig.fake[1]->tables.size(), 1);
		EXPECT_EQ(rig.fake[1]->tables[0]->start, rig.start);
		ASSERT_EQ(rig.map(rig.start, huge, mib), TCEWIN_OK);
		rig.expect_mapped(rig.start, huge, mib);
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
		EXPECT(rig.idle(0) && rig.idle(1));
	}
	EXPECT_EQ(rig.create(12, rig.personality().default_size), TCEWIN_OK);
}

// The keeper cannot be removed for now: it is empty and nobody's, and goes with a later call.
void keeper_not_removed(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	keep_first_spare(rig);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 removals = rig.calls(Point::remove);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	// the first PE's spare, then the second's and its misplaced window; the fifth is the keeper
	EXPECT(removals >= 4);
	for (u64 k = 1; k < 5; k++) {
		Note at{t, "k", k};
		rig.fake[0]->personality.first_at_default_start = false;
		rig.host.injector.arm(Point::remove, {.at = k});
		const int status = rig.create(16, gib);
		rig.host.injector.disarm();
		rig.fake[0]->personality.first_at_default_start = true;
		if (status == TCEWIN_OK)
			EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
		ASSERT_EQ(rig.create(12, rig.personality().default_size), TCEWIN_OK);
		EXPECT_EQ(rig.fake[1]->tables.size(), 1);
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
		EXPECT(rig.idle(0) && rig.idle(1));
	}
}

// Even then it lies elsewhere: there is no such window for both.
void elsewhere_each_time(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	rig.fake[1]->personality.ddw_start = u64{1} << 57;
	keep_first_spare(rig);
	EXPECT(rig.create(16, gib) != TCEWIN_OK);
	EXPECT(rig.idle(0) && rig.idle(1));
	rig.fake[1]->personality.ddw_start = rig.fake[0]->personality.ddw_start;
	keep_first_spare(rig);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, mib), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, mib);
}

// A window in the wrong place that firmware does not take back at once is nobody's, and makes room in time.
void misplaced_and_kept(Test &t)
{
	Rig rig{t, {Personality::powervm(), 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	rig.fake[1]->personality.ddw_start = u64{1} << 57;
	rig.host.injector.arm(Point::remove, {.at = 1});
	EXPECT_EQ(rig.create(16, tib), TCEWIN_FIRMWARE_ERROR);
	EXPECT_EQ(rig.fake[0]->tables.size(), 1);
	rig.fake[1]->personality.ddw_start = rig.fake[0]->personality.ddw_start;
	EXPECT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT_EQ(rig.fake[1]->tables.size(), 2);
}

// A PE that can have one window has no place for a keeper.
void vf_elsewhere(Test &t)
{
	Rig rig{t, {Personality::powervm_vf(), 2}};
	ASSERT_EQ(rig.remove(low), TCEWIN_OK);
	ASSERT_EQ(rig.create(21, tib), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 16 * mib), TCEWIN_OK);
	rig.fake[1]->personality.ddw_start = u64{1} << 57;
	EXPECT_REFUSED(INCOMPATIBLE, rig.attach(1));
	EXPECT(rig.idle(1));
	rig.fake[1]->personality.ddw_start = rig.start;
	EXPECT_EQ(rig.attach(1), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, 16 * mib);
}

// The container has no default window, so the newcomer's has to go; it does not, so the newcomer stays outside.
void default_not_removed(Test &t, const Personality &p, bool ddw)
{
	Rig rig{t, {p, 2}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.remove(low), TCEWIN_OK);
	if (ddw) {
		ASSERT_EQ(rig.create(21, tib), TCEWIN_OK);
		ASSERT_EQ(rig.map(rig.start, huge, 16 * mib), TCEWIN_OK);
	}
	// an only window is emptied, and removed where that cannot be
	rig.host.injector.arm(Point::stuff, {.at = 1});
	rig.host.injector.arm(Point::remove, {.at = 1});
	EXPECT_EQ(rig.attach(1), TCEWIN_FIRMWARE_ERROR);
	EXPECT_EQ(rig.host.injector.hits(Point::remove), 1);
	rig.host.injector.disarm();
	if (ddw)
		rig.expect_mapped(rig.start, huge, 16 * mib);
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	EXPECT_EQ(rig.fake[1]->tables.size(), 1);
	if (ddw)
		rig.expect_mapped(rig.start, huge, 16 * mib);
	else
		EXPECT(rig.idle(1));
}

void default_not_removed_beside_ddw(Test &t) { default_not_removed(t, Personality::powervm(), true); }
void default_not_removed_on_vf(Test &t) { default_not_removed(t, Personality::powervm_vf(), true); }
void default_not_removed_alone(Test &t) { default_not_removed(t, Personality::powervm(), false); }

// Firmware does not say how many windows were there before the first reset, so that any DDW may show what they held.
void nobody_knows_what_was_there(Test &t)
{
	FakeHost &host = t.host();
	Personality p = Personality::powervm();
	p.busy = 0;
	FakePe *fake = host.firmware.new_pe(p);
	tcewin_ddw_window left{};
	ASSERT_EQ(host.firmware.reset(fake), 0);
	ASSERT_EQ(host.firmware.create(fake, 16, 40, &left), 0);
	fake->tables[1]->words->set(5, 0x40000803);
	fake->tables[0]->left_behind = true;
	tcewin_pe *pe = nullptr;
	ASSERT_EQ(tcewin_pe_create(fake, TCEWIN_LPAR, &fake->info, &pe), TCEWIN_OK);
	{
		Rig rig{t};
		EXPECT_EQ(rig.detach(0), TCEWIN_OK);
		host.injector.arm(Point::query, {.at = 1});
		EXPECT_EQ(tcewin_container_attach(rig.container, pe), TCEWIN_OK);
		EXPECT_EQ(host.injector.hits(Point::query), 1);
		ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
		EXPECT_EQ(rig.valid(), 0);
		EXPECT_EQ(tcewin_container_detach(rig.container, pe), TCEWIN_OK);
	}
	tcewin_pe_destroy(pe);
}

constexpr tcewin_case cases[] = {
	CASE(beside_a_keeper),
	CASE(keeper_not_removed),
	CASE(elsewhere_each_time),
	CASE(misplaced_and_kept),
	CASE(vf_elsewhere),
	CASE(default_not_removed_beside_ddw),
	CASE(default_not_removed_on_vf),
	CASE(default_not_removed_alone),
	CASE(nobody_knows_what_was_there),
};

} // namespace

TCEWIN_SUITE(places, cases);
