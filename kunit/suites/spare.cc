// SPDX-License-Identifier: GPL-2.0-only
// The empty default window of a PE that a user owns and uses no window of: it is there for what is plugged in or
// started meanwhile, out of the user's reach and in nobody's way.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr Personality kinds[] = {Personality::qemu(), Personality::powervm(), Personality::powervm_vf(),
				 Personality::without_ddw()};

// Every kind of PE in turn, in a container that takes all of them.
template <class Body>
void on_each(Test &t, Body body, unsigned pes = 1)
{
	for (Personality p : kinds) {
		Note at{t, "windows", p.max_windows};
		p.default_size = 16 * mib;
		{
			Rig rig{t, {.personality = p, .pes = pes, .kind = TCEWIN_CONTAINER_V2_ANY_PE}};
			body(rig, p);
		}
		t.fresh_host();
	}
}

// Whenever the user has no window, and only then.
void whenever_there_is_none(Test &t)
{
	on_each(t, [&](Rig &rig, const Personality &p) {
		ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
		EXPECT_EQ(rig.detach(0), TCEWIN_OK);
		EXPECT(rig.idle(0));
		EXPECT_EQ(rig.attach(0), TCEWIN_OK);
		ASSERT_EQ(rig.map(p.default_start, block, mib), TCEWIN_OK);
		EXPECT(!rig.idle(0));
		EXPECT_EQ(rig.remove(p.default_start), TCEWIN_OK);
		EXPECT(rig.idle(0));
		EXPECT_EQ(rig.map(p.default_start, block, mib), TCEWIN_NO_WINDOW);
		if (p.max_windows) {
			ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
			EXPECT_EQ(rig.fake[0]->tables.size(), 1);
			ASSERT_EQ(rig.map(rig.start, block, mib), TCEWIN_OK);
			EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
			EXPECT(rig.idle(0));
		}
		EXPECT_EQ(rig.create(12, p.default_size), TCEWIN_OK);
		EXPECT_EQ(rig.detach(0), TCEWIN_OK);
		EXPECT(rig.idle(0));
	});
}

// What the user cannot have does not cost it.
void a_create_that_fails(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	EXPECT_REFUSED(TOO_LARGE, rig.create(16, u64{1} << 63));
	EXPECT_REFUSED(BAD_PAGE_SHIFT, rig.create(13, gib));
	rig.fake[0]->personality.largest_block = 1024;
	EXPECT_EQ(rig.create(16, 128 * mib), TCEWIN_TOO_LARGE);
	EXPECT(rig.idle(0));
	rig.host.injector.arm(Point::create, {.at = 1, .status = -3});
	EXPECT_EQ(rig.create(16, 64 * mib), TCEWIN_TOO_LARGE);
	EXPECT(rig.idle(0));
	rig.host.injector.arm(Point::create, {.at = 1, .status = TCEWIN_DDW_NO_MEMORY});
	EXPECT_EQ(rig.create(16, 64 * mib), TCEWIN_NO_MEMORY);
	EXPECT(rig.idle(0));
}

// A user that asks for a part of it has that; the kernel knows the whole, which is what firmware has.
void in_part(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	ASSERT_EQ(rig.create(12, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(0x10000000, block, 2 * mib), TCEWIN_OUT_OF_WINDOW);
	ASSERT_EQ(rig.fake[0]->announced.size(), 1);
	EXPECT_EQ(rig.fake[0]->announced[0].size, 0x10000000);
	ASSERT_EQ(rig.map(0x10000000, block, mib), TCEWIN_OK);
	// firmware lets a DDW overlap what the user did not ask for
	rig.fake[0]->override_start = 0x18000000;
	EXPECT_EQ(rig.create(16, 64 * mib), TCEWIN_FIRMWARE_ERROR);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT(rig.idle(0));
}

// Firmware does not let it go: a DDW comes beside it where there is room, and it stays nobody's.
void in_the_way_of_a_ddw(Test &t)
{
	for (const Personality &p : {Personality::qemu(), Personality::powervm()}) {
		{
			Rig rig{t, {.personality = p}};
			ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
			ASSERT_EQ(rig.remove(p.default_start), TCEWIN_OK);
			rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
			ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
			EXPECT_EQ(rig.start, p.ddw_start);
			EXPECT_EQ(rig.fake[0]->tables.size(), 2);
			EXPECT_EQ(rig.map(p.default_start, block, mib), TCEWIN_NO_WINDOW);
			EXPECT_EQ(rig.remove(p.default_start), TCEWIN_UNKNOWN_WINDOW);
			EXPECT_EQ(rig.create(12, p.default_size), TCEWIN_IN_THE_WAY);
			ASSERT_EQ(rig.map(rig.start, block, mib), TCEWIN_OK);
			EXPECT_EQ(rig.remove(rig.start), TCEWIN_FIRMWARE_ERROR);
			rig.host.injector.disarm();
			rig.expect_mapped(rig.start, block, mib);
			EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
			EXPECT(rig.idle(0));
		}
		t.fresh_host();
	}
}

// Where there is no room, nothing has changed.
void in_the_way_of_the_only_window(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm_vf()}};
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
	EXPECT_REFUSED(FIRMWARE_ERROR, rig.create(16, gib));
	EXPECT(rig.idle(0));
	rig.host.injector.disarm();
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
}

// A process that was killed leaves one as well.
void killed(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm(), .pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, mib), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	rig.host.injector.arm(Point::yield, {.at = 1, .onwards = true});
	for (unsigned i : {0U, 1U}) {
		EXPECT_EQ(rig.detach(i), TCEWIN_OK);
		EXPECT(rig.idle(i));
	}
}

// It could not be made: the user is none the worse for it, and the next that brings the default window does.
void cannot_be_made(Test &t, Point point)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	rig.host.injector.arm(point, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.fake[0]->tables.size(), 0);
	rig.host.injector.disarm();
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT(rig.idle(0));
}

void cannot_be_reset(Test &t) { cannot_be_made(t, Point::reset); }
void cannot_be_announced(Test &t) { cannot_be_made(t, Point::announce); }
void cannot_be_emptied(Test &t) { cannot_be_made(t, Point::any_hcall); }

// Nor removed again, when the kernel could not be told: the next call tries once more.
void made_in_vain(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	rig.host.injector.arm(Point::announce, {.at = 1, .onwards = true});
	rig.host.injector.arm(Point::remove, {.at = 2});
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.fake[0]->tables.size(), 1);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.fake[0]->announced.size(), 0);
	rig.host.injector.disarm();
	ASSERT_EQ(rig.create(12, 0x10000000), TCEWIN_OK);
	EXPECT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	EXPECT(rig.idle(0));
}

// What the default window's table held before is in the device's reach, and cannot be ended: nobody gets the PE.
void neither_emptied_nor_removed(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	rig.host.injector.arm(Point::remove, {.at = 2, .onwards = true});
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(tcewin_pe_owner(rig.pe[0]), TCEWIN_OWNER_QUARANTINED);
	EXPECT_EQ(rig.host.events[TCEWIN_EVENT_STUCK], 1);
	rig.host.stuck_is_expected = true;
	rig.host.injector.disarm();
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.release(0), TCEWIN_QUARANTINED);
}

// A window went with entries that the hypervisor would not clear. A spare may show them again, and could neither be
// emptied nor removed: so none is made while their memory is about to be given back.
void not_after_a_stuck_window(Test &t, const Personality &p, u64 failing_removal)
{
	Rig rig{t, {.personality = p}};
	ASSERT_EQ(rig.add(block, 8 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(p.default_start, block, mib), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	rig.host.injector.arm(Point::remove, {.at = failing_removal, .onwards = true});
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, 8 * mib), TCEWIN_OK);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
	rig.host.injector.disarm();
	// in time it is as ever
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
}

void not_after_a_stuck_window_on_powervm(Test &t) { not_after_a_stuck_window(t, Personality::powervm(), 2); }
void not_after_a_stuck_window_on_vf(Test &t) { not_after_a_stuck_window(t, Personality::powervm_vf(), 2); }

// The kernel gets the PE though firmware removes nothing: it has heard of no window when the platform's reset comes.
void given_back_with_windows(Test &t)
{
	on_each(t, [&](Rig &rig, const Personality &p) {
		ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
		if (p.max_windows == 2)
			ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
		ASSERT_EQ(rig.map(p.max_windows == 2 ? rig.start : p.default_start, block, mib), TCEWIN_OK);
		rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
		EXPECT_EQ(rig.detach(0), TCEWIN_OK);
		EXPECT_EQ(rig.valid(), 0);
		EXPECT_EQ(rig.fake[0]->tables.size(), p.max_windows == 2 ? 2 : 1);
		EXPECT_EQ(rig.fake[0]->announced.size(), rig.fake[0]->tables.size());
		EXPECT_EQ(rig.release(0), TCEWIN_OK);
		EXPECT_EQ(rig.fake[0]->announced.size(), 0);
		EXPECT(rig.fake[0]->kernels);
		rig.host.injector.disarm();
		EXPECT_EQ(rig.take(0), TCEWIN_OK);
		EXPECT(rig.idle(0));
	});
}

constexpr tcewin_case cases[] = {
	CASE(whenever_there_is_none),
	CASE(a_create_that_fails),
	CASE(in_part),
	CASE(in_the_way_of_a_ddw),
	CASE(in_the_way_of_the_only_window),
	CASE(killed),
	CASE(cannot_be_reset),
	CASE(cannot_be_announced),
	CASE(cannot_be_emptied),
	CASE(made_in_vain),
	CASE(neither_emptied_nor_removed),
	CASE(not_after_a_stuck_window_on_powervm),
	CASE(not_after_a_stuck_window_on_vf),
	CASE(given_back_with_windows),
};

} // namespace

TCEWIN_SUITE(spare, cases);
