// SPDX-License-Identifier: GPL-2.0-only
// KVM's entries when something goes wrong beside them: they are what they were, and memory that they lead into stays
// pinned.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 page = 4 * kib;

// MAP and UNMAP over KVM's entries end half way: those are back, of the same memory, and nobody counts less.
void undone_around_them(Test &t, Point point, int refused)
{
	for (bool maps : {true, false})
		for (u64 k = 1;; k++) {
			Note which{t, "maps", maps}, at{t, "k", k};
			bool hit = false;
			{
				Rig rig{t};
				ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
				ASSERT_EQ(rig.add(huge, 8 * mib), TCEWIN_OK);
				ASSERT_EQ(rig.map(0, scattered, 16 * kib), TCEWIN_OK);
				for (u64 i : {1, 2, 9, 600, 1023})
					ASSERT_EQ(rig.kvm_put(i, scattered + 64 * kib + i % 16 * page), TCEWIN_OK);
				EXPECT_EQ(rig.drop(block, mib), TCEWIN_UNKNOWN_REGION); // the ledger follows KVM
				const Snapshot before{rig};
				rig.host.injector.arm(point, {.at = k, .partial = 300});
				const int status = maps ? rig.map(0, huge, 8 * mib) : rig.unmap(0, 8 * mib);
				hit = status != TCEWIN_OK;
				rig.host.injector.disarm();
				EXPECT_EQ(status, hit ? refused : TCEWIN_OK);
				EXPECT_EQ(rig.host.kvm.counts(), hit ? 5 : 0);
				for (u64 i : {1, 2, 9, 600, 1023})
					if (hit)
						rig.expect_mapped(i * page, scattered + 64 * kib + i % 16 * page, page);
				if (hit)
					Snapshot{rig}.expect_same(t, before);
				EXPECT_EQ(rig.unmap(0, 16 * mib), TCEWIN_OK);
				EXPECT_EQ(rig.host.kvm.counts(), 0);
			}
			t.fresh_host();
			if (!hit || t.failed())
				break;
		}
}

void undone_for_a_signal(Test &t) { undone_around_them(t, Point::yield, TCEWIN_INTERRUPTED); }
void undone_for_the_hypervisor(Test &t) { undone_around_them(t, Point::any_hcall, TCEWIN_FIRMWARE_ERROR); }

// The hypervisor writes KVM's entry and says that it has not. A device could write the page for a while.
void refused_but_written(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	rig.host.injector.arm(Point::put, {.at = 1, .partial = 1});
	EXPECT_EQ(rig.kvm_put(5, scattered), TCEWIN_FIRMWARE_ERROR);
	rig.expect_unmapped(0, mib);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT(rig.mm->dirty.contains(scattered, scattered + page));
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(undone_for_a_signal),
	CASE(undone_for_the_hypervisor),
	CASE(refused_but_written),
};

} // namespace

TCEWIN_SUITE(foreign, cases);
