// SPDX-License-Identifier: GPL-2.0-only
// KVM's entries when something goes wrong beside them, and when what KVM says of an entry is not what is in it: they
// are what they were, and memory that they lead into stays pinned.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 page = 4 * kib;

u64 word_of(Rig &rig, u64 address) { return *rig.host.memory.real_of(rig.mm, address) | rw; }
// As Rig::kvm_put(), but whoever does it has not (or not any more) said what the user's address is. What was there
// before is his to make dirty.
int put_unnamed(Rig &rig, u64 i, u64 address)
{
	u64 tce = address ? word_of(rig, address) : 0;
	const int status = tcewin_table_exchange(rig.default_table()->kvm.engine, i, &tce);
	if (status == TCEWIN_OK && tce & TCEWIN_WRITE)
		rig.host.memory.dirty(tce & ~u64{0xfff}, page, FakeMemory::Precision::rough);
	rig.host.settled();
	return status;
}

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

// Nobody says which address is behind the entry: all memory that it can be keeps its pins.
void of_no_address(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, 8 * mib), TCEWIN_OK);
	for (u64 offset : {u64{0}, 3 * page, mib - page}) {
		Note at{t, "offset", offset};
		ASSERT_EQ(put_unnamed(rig, 5, scattered + offset), TCEWIN_OK);
		EXPECT_REFUSED(STILL_MAPPED, rig.drop(scattered, mib));
		ASSERT_EQ(put_unnamed(rig, 5, 0), TCEWIN_OK);
	}
	ASSERT_EQ(put_unnamed(rig, 5, huge + 4 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
	EXPECT_REFUSED(STILL_MAPPED, rig.drop(huge, 8 * mib));
	ASSERT_EQ(put_unnamed(rig, 5, 0), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, 8 * mib), TCEWIN_OK);
}

// Two processors of the guest put the same entry: the address that is told is the one's, and the other's word is there.
void of_another_address(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, 8 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(5, scattered), TCEWIN_OK);
	ASSERT_EQ(put_unnamed(rig, 5, huge), TCEWIN_OK);
	EXPECT_REFUSED(STILL_MAPPED, rig.drop(huge, 8 * mib));
	ASSERT_EQ(put_unnamed(rig, 5, scattered), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, 8 * mib), TCEWIN_OK);
	EXPECT_REFUSED(STILL_MAPPED, rig.drop(scattered, mib));
	ASSERT_EQ(rig.kvm_put(5, 0), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

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
	CASE_ON_BOTH(undone_for_a_signal), CASE(undone_for_the_hypervisor), CASE_ON_BOTH(of_no_address),
	CASE_ON_BOTH(of_another_address),  CASE(refused_but_written),
};

} // namespace

TCEWIN_SUITE(foreign, cases);
