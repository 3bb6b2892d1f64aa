// SPDX-License-Identifier: GPL-2.0-only
// Bad input to CREATE and REMOVE, containers without a group, groups that do not fit: nothing is changed, and the next
// good call works.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

void bad_page_shifts(Test &t)
{
	Rig rig{t};
	for (u32 shift : {0U, 1U, 11U, 13U, 24U, 33U, 62U, 63U, 64U, 65U, 76U, 0x8000000cU, ~0U}) {
		Note at{t, "page shift", shift};
		EXPECT_REFUSED(BAD_PAGE_SHIFT, rig.create(shift, gib));
	}
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
}

void bad_sizes(Test &t)
{
	Rig rig{t};
	for (u64 size : {u64{0}, u64{1}, 4 * kib, 32 * kib, 64 * kib + 1, 96 * kib, gib - 64 * kib, gib + 64 * kib,
			 ~u64{0}, ~u64{0xffff}, u64{3} << 62}) {
		Note at{t, "size", size};
		EXPECT_REFUSED(BAD_SIZE, rig.create(16, size));
	}
	// a power of two, but more entries than 32 bits count, or firmware has, or no address for it
	const u64 asked = rig.calls(Point::create);
	for (u32 shift : {48U, 53U, 60U, 63U}) {
		Note at{t, "window shift", shift};
		EXPECT_REFUSED(TOO_LARGE, rig.create(16, u64{1} << shift));
	}
	EXPECT_EQ(rig.calls(Point::create), asked);
	EXPECT_EQ(rig.create(16, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.create(16, u64{1} << 47), TCEWIN_OK);
}

// QEMU asks an LPAR for 0 levels, which means one. PowerNV's are in ioda2_windows.
void bad_levels(Test &t)
{
	Rig rig{t};
	for (u32 levels : {6U, 7U, 64U, 0x80000001U, ~0U})
		EXPECT_REFUSED(BAD_LEVELS, rig.create(16, gib, levels));
	for (u32 levels = 0; levels <= 5; levels++) {
		Note at{t, "levels", levels};
		ASSERT_EQ(rig.create(16, gib, levels), TCEWIN_OK);
		ASSERT_EQ(rig.remove(rig.start), TCEWIN_OK);
	}
}

void no_slot(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 at = rig.start;
	EXPECT_REFUSED(NO_SLOT, rig.create(16, gib));
	EXPECT_REFUSED(NO_SLOT, rig.create(12, gib));
	EXPECT_EQ(rig.remove(at), TCEWIN_OK);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
}

// The default window counts as there before anybody has used it.
void no_slot_beside_unused_default(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm_vf()}};
	EXPECT_REFUSED(NO_SLOT, rig.create(16, gib));
	EXPECT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_REFUSED(NO_SLOT, rig.create(16, gib));
}

// A reset would remove the DDW that is there.
void default_window_in_the_way(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 ddw = rig.start;
	ASSERT_EQ(rig.map(ddw, huge, mib), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0x10000000), TCEWIN_OK);
	EXPECT_REFUSED(IN_THE_WAY, rig.create(12, 0x10000000));
	rig.expect_mapped(ddw, huge, mib);
	EXPECT_EQ(rig.remove(ddw), TCEWIN_OK);
	EXPECT_EQ(rig.create(12, 0x10000000), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0x10000000);
}

void bad_removes(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 ddw = rig.start;
	for (u64 at : {ddw + 64 * kib, ddw + 1, ddw + gib, ddw - 64 * kib, u64{4096}, u64{1}, u64{0x40000000}, ~u64{0}})
		EXPECT_REFUSED(UNKNOWN_WINDOW, rig.remove(at));
	EXPECT_EQ(rig.remove(ddw), TCEWIN_OK);
	EXPECT_REFUSED(UNKNOWN_WINDOW, rig.remove(ddw));
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_REFUSED(UNKNOWN_WINDOW, rig.remove(0));
	EXPECT_EQ(rig.create(12, 0x40000000), TCEWIN_OK);
}

void no_group(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.detach(0), TCEWIN_OK);
	tcewin_container_info info{};
	EXPECT_REFUSED(NO_GROUP, tcewin_container_get_info(rig.container, &info));
	EXPECT_REFUSED(NO_GROUP, rig.create(16, gib));
	EXPECT_REFUSED(NO_GROUP, rig.remove(0));
	EXPECT_REFUSED(NO_GROUP, rig.map(0, scattered, 4 * kib));
	EXPECT_REFUSED(NO_GROUP, rig.unmap(0, 4 * kib));
	EXPECT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, 4 * kib), TCEWIN_OK);
}

void pe_without_ddw(Test &t)
{
	Personality p = Personality::qemu();
	p.max_windows = 0;
	FakePe *fake = t.host().firmware.new_pe(p);
	tcewin_pe *pe = nullptr;
	ASSERT_EQ(tcewin_pe_create(fake, TCEWIN_LPAR, &fake->info, &pe), TCEWIN_OK);
	Rig rig{t};
	EXPECT_REFUSED(NO_DDW, tcewin_container_attach(rig.container, pe));
	tcewin_pe_destroy(pe);
}

// What a second PE must share with the first.
void incompatible_pes(Test &t, const Personality &ours)
{
	Rig rig{t, {.personality = ours}};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(ours.default_start, scattered, mib), TCEWIN_OK);
	// where LPAR's second window lies is firmware's to say, each time
	for (int i = 0; i < (ours.in_memory() ? 4 : 3); i++) {
		Personality p = ours;
		u64 *const facts[] = {&p.default_start, &p.default_size, &p.page_sizes, &p.ddw_start};
		*facts[i] = *facts[i] ? 2 * *facts[i] : 0x10000000;
		FakePe *fake = t.host().firmware.new_pe(p);
		tcewin_pe *pe = nullptr;
		ASSERT_EQ(tcewin_pe_create(fake, p.platform, &fake->info, &pe), TCEWIN_OK);
		EXPECT_REFUSED(INCOMPATIBLE, tcewin_container_attach(rig.container, pe));
		tcewin_pe_destroy(pe);
	}
	rig.expect_mapped(ours.default_start, scattered, mib);
}

void incompatible_on_powervm(Test &t) { incompatible_pes(t, Personality::powervm()); }
void incompatible_on_ioda2(Test &t) { incompatible_pes(t, Personality::ioda2()); }

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(bad_page_shifts),
	CASE(bad_sizes),
	CASE(bad_levels),
	CASE_ON_BOTH(no_slot),
	CASE(no_slot_beside_unused_default),
	CASE(default_window_in_the_way),
	CASE_ON_BOTH(bad_removes),
	CASE_ON_BOTH(no_group),
	CASE(pe_without_ddw),
	CASE(incompatible_on_powervm),
	CASE(incompatible_on_ioda2),
};

} // namespace

TCEWIN_SUITE(refusals_windows, cases);
