// SPDX-License-Identifier: GPL-2.0-only
// MAP and UNMAP of single entries where the short way ends: in another level of the table than the last one used, and
// when the hypervisor refuses half way.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 page = 4 * kib;

// A leaf holds the entries of 32 MiB: each of these calls comes to another one than the call before.
void far_entries(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	const u64 places[] = {0, 64 * mib, 512 * mib, 32 * mib - page, rig.personality().default_size - page};
	for (u64 i = 0; i < 5; i++)
		ASSERT_EQ(rig.map(places[i], scattered + i * page, page), TCEWIN_OK);
	for (u64 i = 0; i < 5; i++)
		rig.expect_mapped(places[i], scattered + i * page, page);
	for (u64 i = 0; i < 5; i++) {
		EXPECT_EQ(rig.unmap(places[i], page), TCEWIN_OK);
		rig.expect_unmapped(places[i], page);
	}
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// The hypervisor clears the entry and says that it has not, or does not even clear it: both ways it is as it was.
void refused_unmap(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 16 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.map(mib, scattered + 64 * kib, page, TCEWIN_READ), TCEWIN_OK);
	for (u64 written : {0, 1})
		for (u64 at : {u64{0}, 12 * kib, mib}) {
			Note part{t, "written", written}, where{t, "at", at};
			const Snapshot before{rig};
			rig.host.injector.arm(Point::put, {.at = 1, .partial = written});
			EXPECT_EQ(rig.unmap(at, page), TCEWIN_FIRMWARE_ERROR);
			EXPECT_EQ(rig.host.injector.hits(Point::put), 1);
			rig.expect_mapped(0, scattered, 16 * kib);
			rig.expect_mapped(mib, scattered + 64 * kib, page, TCEWIN_READ);
			Snapshot{rig}.expect_same(t, before);
		}
	EXPECT_EQ(rig.unmap(0, page), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(page, 2 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// It refuses to put the entry back as well: nobody knows what is there, so what was mapped stays pinned.
void refused_undo(Test &t)
{
	for (u64 written : {0, 1}) {
		{
			Note part{t, "written", written};
			Rig rig{t};
			ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
			ASSERT_EQ(rig.map(0, scattered, page), TCEWIN_OK);
			rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true, .partial = written});
			EXPECT_EQ(rig.unmap(0, page), TCEWIN_STUCK);
			rig.host.injector.disarm();
			EXPECT_EQ(rig.host.events[TCEWIN_EVENT_STUCK], 1);
			EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
			EXPECT_EQ(rig.unmap(0, page), TCEWIN_STUCK);
			rig.host.firmware.check_reach("reaches memory that is not pinned");
			EXPECT_EQ(rig.remove(0), TCEWIN_OK);
			EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
			rig.host.events[TCEWIN_EVENT_STUCK] = 0;
		}
		t.fresh_host();
	}
}

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(far_entries),
	CASE(refused_unmap),
	CASE(refused_undo),
};

} // namespace

TCEWIN_SUITE(one_entry, cases);
