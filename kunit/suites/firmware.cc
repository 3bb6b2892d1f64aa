// SPDX-License-Identifier: GPL-2.0-only
// What PowerVM's firmware may do and QEMU's does not, and the other way round: busy, errors, windows in strange places,
// old TCEs in a table, windows that somebody left. The right error, nothing lost, and the next try is free to succeed.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// Every busy status, several times each, for every call.
void busy(Test &t)
{
	Personality p = Personality::powervm();
	p.busy = 17;
	Rig rig{t, {p, 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.remove(p.default_start), TCEWIN_OK);
	EXPECT_EQ(rig.create(12, p.default_size), TCEWIN_OK);
}

// A hypervisor that is busy, before and in the middle of a batch, now and then.
void busy_hypervisor(Test &t)
{
	for (long status : {1L, 9900L, 9901L, 9902L, 9903L, 9904L, 9905L}) {
		Note at{t, "status", static_cast<u64>(status)};
		Rig rig{t};
		ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
		for (u64 partial : {0, 1, 511, 512}) {
			rig.host.injector.arm(Point::any_hcall, {.at = 2, .status = status, .partial = partial});
			EXPECT_EQ(rig.map(0, scattered, scattered_size), TCEWIN_OK);
			rig.expect_mapped(0, scattered, scattered_size);
			rig.host.injector.arm(Point::any_hcall, {.at = 2, .status = status, .partial = partial});
			EXPECT_EQ(rig.unmap(0, scattered_size), TCEWIN_OK);
			EXPECT_EQ(rig.valid(), 0);
		}
		rig.host.injector.arm(Point::put, {.at = 1, .status = status});
		EXPECT_EQ(rig.map(0, scattered, 4 * kib), TCEWIN_OK);
		rig.expect_mapped(0, scattered, 4 * kib);
	}
}

// What the query answers on the day, not what it answered before.
void query_counts(Test &t)
{
	Rig rig{t};
	Personality &p = rig.fake[0]->personality;
	const Personality as_was = p;
	p.largest_block = 1024;
	EXPECT_REFUSED(TOO_LARGE, rig.create(16, 128 * mib));
	EXPECT_EQ(rig.create(16, 64 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	p = as_was;
	p.page_sizes = 0x1000;
	EXPECT_REFUSED(BAD_PAGE_SHIFT, rig.create(16, gib));
	p = as_was;
	rig.fake[0]->info.max_windows = 1;
	EXPECT_REFUSED(NO_SLOT, rig.create(16, gib));
	rig.fake[0]->info.max_windows = 2;
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	// more than the kernel has places for
	rig.fake[0]->info.max_windows = 5;
	EXPECT_REFUSED(NO_SLOT, rig.create(16, gib));
	rig.fake[0]->info.max_windows = 2;
}

// Takes the empty default window of a PE that has no other: a DDW comes for a while, and firmware fails when it goes.
void lose_spare(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
	rig.host.injector.arm(Point::reset, {.at = 1});
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.fake[0]->tables.size(), 0);
}

void errors(Test &t)
{
	for (long status : {-1L, -5L, -9000L, 1L, 9906L}) {
		Note at{t, "status", static_cast<u64>(-status)};
		Rig rig{t, {.personality = Personality::powervm()}};
		ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
		for (Point p : {Point::query, Point::create}) {
			const Snapshot before{rig};
			rig.host.injector.arm(p, {.at = 1, .status = status});
			EXPECT(rig.create(16, tib) != TCEWIN_OK);
			Snapshot{rig}.expect_same(t, before);
		}
		ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
		ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
		const Snapshot with_window{rig};
		rig.host.injector.arm(Point::remove, {.at = 1, .status = status});
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_FIRMWARE_ERROR);
		Snapshot{rig}.expect_same(t, with_window);
		EXPECT_EQ(rig.map(rig.start, huge + 4 * mib, 4 * mib), TCEWIN_OK);
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
		EXPECT_EQ(rig.remove(0x10000000), TCEWIN_OK);
		EXPECT(rig.idle(0));
		lose_spare(rig);
		rig.host.injector.arm(Point::reset, {.at = 1, .status = status});
		EXPECT_REFUSED(FIRMWARE_ERROR, rig.create(12, mib));
		EXPECT_EQ(rig.create(12, mib), TCEWIN_OK);
	}
}

// "Parameter error": no such window can be made, and of one that is to be removed, that firmware has none of that name.
void no_such_thing(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	rig.host.injector.arm(Point::create, {.at = 1, .status = -3});
	EXPECT_REFUSED(TOO_LARGE, rig.create(16, tib));
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	rig.host.injector.arm(Point::remove, {.at = 1, .status = -3});
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
	EXPECT_EQ(rig.create(16, tib), TCEWIN_OK);
}

// Firmware gives a new window the name of one that is there: that one stays as it is, and nothing was made.
void one_name_twice(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0x10000000, huge, mib), TCEWIN_OK);
	rig.fake[0]->override_liobn = rig.fake[0]->info.default_liobn;
	EXPECT_REFUSED(FIRMWARE_ERROR, rig.create(16, tib));
	rig.expect_mapped(0x10000000, huge, mib);
	EXPECT_EQ(rig.create(16, tib), TCEWIN_OK);
}

// Of one that should be gone and is not: nothing is made, what is there is nobody's, and the next try ends it.
void name_of_an_orphan(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	rig.host.injector.arm(Point::announce, {.at = 1});
	rig.host.injector.arm(Point::remove, {.at = 1});
	EXPECT(rig.create(16, tib) != TCEWIN_OK);
	ASSERT_EQ(rig.fake[0]->tables.size(), 2);
	const u32 name = rig.fake[0]->tables[1]->liobn;
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	rig.host.injector.arm(Point::remove, {.at = 1});
	rig.fake[0]->override_liobn = name;
	EXPECT_EQ(rig.create(16, tib), TCEWIN_FIRMWARE_ERROR);
	EXPECT_EQ(rig.fake[0]->tables.size(), 1);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT_EQ(rig.fake[0]->tables[0]->liobn, name);
	ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	const u64 first = rig.start;
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK); // looks for orphans
	rig.expect_mapped(first, huge, 4 * mib);
}

// A DDW over another window, not on its page, or past the end of the space. The administrator hears of it once, and not
// of a place that is a window's of ours already: QEMU's firmware gives that, so it can be had at will.
void out_of_place(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0x10000000, block, mib), TCEWIN_OK);
	for (u64 start : {u64{0x10000000}, u64{0x10000000 + 4 * mib}, u64{0x1fff0000}, u64{0},
			  u64{0x10000000} - gib / 2, (u64{1} << 58) + 4 * kib, ~u64{0xffff}, 0 - gib / 2}) {
		Note at{t, "start", start};
		rig.fake[0]->override_start = start ? start : 0x10000; // a GiB from here reaches the default window
		EXPECT_REFUSED(FIRMWARE_ERROR, rig.create(16, gib));
		EXPECT_EQ(rig.host.events[TCEWIN_EVENT_FIRMWARE], start > 0x20000000 ? 1 : 0);
	}
	rig.expect_mapped(0x10000000, block, mib);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
}

// QEMU's second DDW is where the first is.
void second_ddw_over_first(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, mib), TCEWIN_OK);
	const u64 first = rig.start;
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_REFUSED(FIRMWARE_ERROR, rig.create(16, gib));
	EXPECT_EQ(rig.host.events[TCEWIN_EVENT_FIRMWARE], 0);
	rig.expect_mapped(first, block, mib);
	EXPECT_EQ(rig.remove(first), TCEWIN_OK);
	// and the first one after everything is gone is where the default window was
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0);
	EXPECT_EQ(rig.map(0, block, mib), TCEWIN_OK);
	rig.expect_mapped(0, block, mib);
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.create(12, 0x40000000), TCEWIN_OK);
}

// PowerVM can have two DDWs where the default window is gone.
void two_ddws(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 first = rig.start;
	ASSERT_EQ(rig.create(12, gib), TCEWIN_OK);
	const u64 second = rig.start;
	EXPECT_REFUSED(NO_SLOT, rig.create(16, gib));
	EXPECT_EQ(rig.map(first, block, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(second, block + mib, mib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(first), TCEWIN_OK);
	rig.expect_mapped(second, block + mib, mib);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_EQ(rig.start, first);
	rig.expect_unmapped(first, 4 * mib);
}

// On a PE with one window everything shares one table, which keeps what it held.
void one_window(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm_vf()}};
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(rig.map(0x10000000, block, 4 * mib), TCEWIN_OK);
		ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
		ASSERT_EQ(rig.create(16, 16 * gib), TCEWIN_OK);
		EXPECT_EQ(rig.valid(), 0);
		ASSERT_EQ(rig.map(rig.start, block, 64 * mib), TCEWIN_OK);
		ASSERT_EQ(rig.remove(rig.start), TCEWIN_OK);
		ASSERT_EQ(rig.create(12, 0x10000000), TCEWIN_OK);
		EXPECT_EQ(rig.valid(), 0);
	}
}

// The kernel or another user left a DDW behind, full, beside the default window.
void windows_left_behind(Test &t)
{
	FakeHost &host = t.host();
	FakePe *fake = host.firmware.new_pe(Personality::powervm());
	tcewin_ddw_window left{};
	while (host.firmware.reset(fake))
		host.firmware.waits_owed = 0;
	while (host.firmware.create(fake, 16, 40, &left))
		host.firmware.waits_owed = 0;
	fake->tables[1]->words->set(5, 0x40000803);
	fake->tables[0]->left_behind = true;
	tcewin_pe *pe = nullptr;
	ASSERT_EQ(tcewin_pe_create(fake, TCEWIN_LPAR, &fake->info, &pe), TCEWIN_OK);
	{
		Rig rig{t};
		EXPECT_EQ(rig.detach(0), TCEWIN_OK);
		EXPECT_EQ(tcewin_container_attach(rig.container, pe), TCEWIN_OK);
		EXPECT_EQ(fake->tables.size(), 1);
		EXPECT_EQ(rig.valid(), 0);
		ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
		EXPECT_EQ(rig.valid(), 0);
		EXPECT_EQ(tcewin_container_detach(rig.container, pe), TCEWIN_OK);
	}
	EXPECT(host.firmware.idle(fake));
	tcewin_pe_destroy(pe);
	EXPECT_EQ(fake->tables.size(), 0);
}

// The window could not be announced, and then not removed either: it is empty, and the next call gets rid of it.
void removal_of_a_failed_create_fails(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	for (u64 failures : {1, 2, 3}) {
		Note at{t, "failures", failures};
		rig.host.injector.arm(Point::announce, {.at = 1});
		rig.host.injector.arm(Point::remove, {.at = 1});
		EXPECT(tcewin_create_window(rig.container, 16, tib, 1, &rig.start) != TCEWIN_OK);
		EXPECT_EQ(rig.valid(), 0);
		rig.host.injector.disarm();
		EXPECT_EQ(rig.create(16, tib), TCEWIN_OK);
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	}
}

// A PE goes though firmware does not let its windows go: they are empty, and gone when the PE is.
void detach_while_firmware_refuses(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, 64 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0x10000000, block, mib), TCEWIN_OK);
	rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(block, block_size), TCEWIN_OK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	EXPECT_EQ(rig.create(16, tib), TCEWIN_OK);
}

constexpr tcewin_case cases[] = {
	CASE(busy),
	CASE(busy_hypervisor),
	CASE(query_counts),
	CASE(errors),
	CASE(no_such_thing),
	CASE(one_name_twice),
	CASE(name_of_an_orphan),
	CASE(out_of_place),
	CASE(second_ddw_over_first),
	CASE(two_ddws),
	CASE(one_window),
	CASE(windows_left_behind),
	CASE(removal_of_a_failed_create_fails),
	CASE(detach_while_firmware_refuses),
};

} // namespace

TCEWIN_SUITE(firmware, cases);
