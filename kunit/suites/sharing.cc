// SPDX-License-Identifier: GPL-2.0-only
// Several PEs in one container: every window and mapping on each, whenever it comes, and the others' stay when one
// goes.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

void mirrored(Test &t, const Personality &p)
{
	Rig rig{t, {p, 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(p.default_start, huge, 64 * kib, TCEWIN_READ), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, 4 * mib);
	rig.expect_mapped(p.default_start, huge, 64 * kib, TCEWIN_READ);
	EXPECT(rig.reach(rig.start, true, 1));
	EXPECT_EQ(rig.unmap(rig.start, mib), TCEWIN_OK);
	rig.expect_unmapped(rig.start, mib);
	rig.expect_mapped(rig.start + mib, huge + mib, 3 * mib);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	rig.expect_unmapped(rig.start, 4 * mib);
	EXPECT_EQ(rig.fake[0]->tables.size(), 1);
	EXPECT_EQ(rig.fake[1]->tables.size(), 1);
}

void mirrored_on_qemu(Test &t) { mirrored(t, Personality::qemu()); }
void mirrored_on_powervm(Test &t) { mirrored(t, Personality::powervm()); }
void mirrored_on_ioda2(Test &t) { mirrored(t, Personality::ioda2()); }

// The second joins a container at work.
void second_joins_later(Test &t, const Personality &p)
{
	Rig rig{t, {p, 2}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start + gib, huge, 40 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge + 44 * mib, mib, TCEWIN_READ), TCEWIN_OK);
	ASSERT_EQ(rig.map(p.default_start + 64 * kib, huge, 64 * kib), TCEWIN_OK);
	const u64 valid = rig.valid();
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 2 * valid);
	rig.expect_mapped(rig.start + gib, huge, 40 * mib);
	rig.expect_mapped(rig.start, huge + 44 * mib, mib, TCEWIN_READ);
	rig.expect_mapped(p.default_start + 64 * kib, huge, 64 * kib);
	EXPECT_EQ(rig.unmap(rig.start + gib, 40 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + 2 * gib, huge, mib), TCEWIN_OK);
	rig.expect_unmapped(rig.start + gib, 40 * mib);
	rig.expect_mapped(rig.start + 2 * gib, huge, mib);
}

void second_joins_later_on_qemu(Test &t) { second_joins_later(t, Personality::qemu()); }
void second_joins_later_on_powervm(Test &t) { second_joins_later(t, Personality::powervm()); }
void second_joins_later_on_ioda2(Test &t) { second_joins_later(t, Personality::ioda2()); }

// Only a DDW is left: the newcomer's must be at the same address, though its firmware would give it another one first.
void second_joins_without_default(Test &t, const Personality &p)
{
	Rig rig{t, {p, 2}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(21, tib), TCEWIN_OK);
	ASSERT_EQ(rig.remove(p.default_start), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 16 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, 16 * mib);
	EXPECT_EQ(rig.fake[1]->tables.size(), 1);
	EXPECT_EQ(rig.fake[1]->tables[0]->start, rig.start);
}

void second_joins_without_default_on_qemu(Test &t) { second_joins_without_default(t, Personality::qemu()); }
void second_joins_without_default_on_powervm(Test &t) { second_joins_without_default(t, Personality::powervm()); }
void second_joins_without_default_on_ioda2(Test &t) { second_joins_without_default(t, Personality::ioda2()); }

// Both of the container's windows are DDWs: the newcomer has no room for its default window beside them.
void second_joins_two_ddws(Test &t, const Personality &p)
{
	Rig rig{t, {p, 2}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.remove(p.default_start), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	const u64 first = rig.start;
	ASSERT_EQ(rig.create(12, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge + 4 * mib, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	rig.expect_mapped(first, huge, 4 * mib);
	rig.expect_mapped(rig.start, huge + 4 * mib, 4 * mib);
}

void second_joins_two_ddws_on_powervm(Test &t) { second_joins_two_ddws(t, Personality::powervm()); }
void second_joins_two_ddws_on_ioda2(Test &t) { second_joins_two_ddws(t, Personality::ioda2()); }

// One VF's only window is a DDW; the other's firmware has room for one at a time too.
void vf_joins(Test &t)
{
	Rig rig{t, {Personality::powervm_vf(), 2}};
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	ASSERT_EQ(rig.create(21, tib), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 16 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, 16 * mib);
}

// Firmware has no such window for the newcomer: it stays outside, and nothing happens to the others.
void second_cannot_follow(Test &t)
{
	Rig rig{t, {Personality::powervm(), 2}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 16 * mib), TCEWIN_OK);
	rig.fake[1]->personality.ddw_start = u64{1} << 57;
	EXPECT_EQ(rig.attach(1), TCEWIN_INCOMPATIBLE);
	EXPECT(rig.idle(1));
	rig.expect_mapped(rig.start, huge, 16 * mib);
	rig.fake[1]->personality.ddw_start = rig.start;
	EXPECT_EQ(rig.attach(1), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, 16 * mib);
}

// DPDK's second port must not go silent.
void one_leaves(Test &t, const Personality &p)
{
	Rig rig{t, {p, 3}};
	const u64 low = p.default_start;
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.attach(2), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(low, huge, mib), TCEWIN_OK);
	for (unsigned gone : {0U, 2U}) {
		const u64 from = rig.host.firmware.history.size();
		EXPECT_EQ(rig.detach(gone), TCEWIN_OK);
		EXPECT(rig.idle(gone));
		EXPECT(!rig.reach(rig.start, false, gone));
		rig.expect_mapped(rig.start, huge, 4 * mib);
		rig.expect_mapped(low, huge, mib);
		// only tables of the one that left were written
		for (u64 i = from; i < rig.host.firmware.history.size(); i++)
			EXPECT_EQ(rig.host.firmware.history[i].after, 0);
		EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_STILL_MAPPED);
	}
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	rig.expect_mapped(rig.start, huge, 4 * mib);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
	EXPECT_EQ(rig.detach(1), TCEWIN_NO_GROUP);
}

void one_leaves_on_powervm(Test &t) { one_leaves(t, Personality::powervm()); }
void one_leaves_on_ioda2(Test &t) { one_leaves(t, Personality::ioda2()); }

// Firmware places the windows of two PEs differently: none is made.
void create_at_different_places(Test &t)
{
	Rig rig{t, {Personality::powervm(), 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	rig.fake[1]->personality.ddw_start = u64{1} << 57;
	EXPECT_REFUSED(FIRMWARE_ERROR, rig.create(16, tib));
	rig.fake[1]->personality.ddw_start = u64{1} << 58;
	EXPECT_EQ(rig.create(16, tib), TCEWIN_OK);
}

constexpr tcewin_case cases[] = {
	CASE(mirrored_on_qemu),
	CASE(mirrored_on_powervm),
	CASE(mirrored_on_ioda2),
	CASE(second_joins_later_on_qemu),
	CASE(second_joins_later_on_powervm),
	CASE(second_joins_later_on_ioda2),
	CASE(second_joins_without_default_on_qemu),
	CASE(second_joins_without_default_on_powervm),
	CASE(second_joins_without_default_on_ioda2),
	CASE(second_joins_two_ddws_on_powervm),
	CASE(second_joins_two_ddws_on_ioda2),
	CASE(vf_joins),
	CASE(second_cannot_follow),
	CASE(one_leaves_on_powervm),
	CASE(one_leaves_on_ioda2),
	CASE(create_at_different_places),
};

} // namespace

TCEWIN_SUITE(sharing, cases);
