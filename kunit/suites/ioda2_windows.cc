// SPDX-License-Identifier: GPL-2.0-only
// Windows of PEs whose tables are in our memory: where they lie, what shapes they have, who shares them, and what is
// left when the platform refuses.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 low = 0, high = u64{1} << 59;
constexpr u64 default_size = Personality::ioda2().default_size;

// The window of PE number @pe in @place, if there is one.
const FakeTable *window(const Rig &rig, u32 place, unsigned pe = 0)
{
	for (const FakeTable *t : rig.fake[pe]->tables)
		if (t->liobn == place)
			return t;
	return nullptr;
}

void info(Test &t)
{
	Rig rig{t};
	tcewin_container_info i{};
	ASSERT_EQ(tcewin_container_get_info(rig.container, &i), TCEWIN_OK);
	EXPECT_EQ(i.default_start, low);
	EXPECT_EQ(i.default_size, default_size);
	EXPECT_EQ(i.page_sizes, 0x40211000);
	EXPECT_EQ(i.max_windows, 2);
	EXPECT_EQ(i.max_levels, 5);
}

// The first that is free, whatever the page size and whatever was there before.
void places(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.create(12, default_size), TCEWIN_OK);
	EXPECT_EQ(rig.start, high);
	EXPECT_REFUSED(NO_SLOT, rig.create(12, default_size));
	EXPECT_EQ(rig.remove(low), TCEWIN_OK);
	EXPECT_REFUSED(UNKNOWN_WINDOW, rig.remove(low));
	ASSERT_EQ(rig.create(21, 64 * tib), TCEWIN_OK);
	EXPECT_EQ(rig.start, low);
	EXPECT_REFUSED(NO_SLOT, rig.create(16, gib));
	EXPECT_EQ(rig.remove(high), TCEWIN_OK);
	ASSERT_EQ(rig.create(30, 16 * tib), TCEWIN_OK);
	EXPECT_EQ(rig.start, high);
	EXPECT_EQ(rig.remove(low), TCEWIN_OK);
	EXPECT_EQ(rig.remove(high), TCEWIN_OK);
	EXPECT(rig.idle(0));
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_EQ(rig.start, low);
	ASSERT_EQ(rig.create(12, mib), TCEWIN_OK);
	EXPECT_EQ(rig.start, high);
}

// Not what its last level could hold.
void ends_where_it_was_asked_to(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	for (u32 shift : {12U, 16U, 21U}) {
		Note at{t, "page shift", shift};
		const u64 page = u64{1} << shift, end = high + 4 * page;
		ASSERT_EQ(rig.create(shift, 4 * page), TCEWIN_OK);
		ASSERT_EQ(rig.map(high, block, 4 * page), TCEWIN_OK);
		EXPECT_REFUSED(OUT_OF_WINDOW, rig.map(end - page, block, 2 * page));
		EXPECT_REFUSED(OUT_OF_WINDOW, rig.unmap(high, 5 * page));
		EXPECT_REFUSED(NO_WINDOW, rig.map(end, block, page));
		EXPECT_EQ(window(rig, 1)->entries, 4);
		EXPECT_EQ(rig.remove(high), TCEWIN_OK);
	}
}

// At least as many levels as were asked for, and no more memory than the root.
void levels(Test &t)
{
	Rig rig{t};
	for (u32 shift : {12U, 16U, 21U, 30U})
		for (u32 asked = 1; asked <= 5; asked++) {
			Note page{t, "page shift", shift}, at{t, "levels", asked};
			const u64 before = rig.host.levels.count(), charged = rig.mm->charged;
			// as many bits as a level of 4 KiB has words
			const bool walked = 9 * asked + shift < 55;
			const int status = rig.create(shift, 8 * tib, asked);
			if (!walked) {
				EXPECT_EQ(status, TCEWIN_BAD_LEVELS);
				EXPECT_EQ(rig.host.levels.count(), before);
				continue;
			}
			ASSERT_EQ(status, TCEWIN_OK);
			const tcewin_table_info &i = window(rig, 1)->in_memory->info;
			EXPECT(i.levels >= asked);
			EXPECT_EQ(i.size, 8 * tib);
			EXPECT_EQ(rig.host.levels.count(), before + 1);
			EXPECT(rig.mm->charged - charged >= u64{8} << i.level_shift);
			ASSERT_EQ(rig.remove(high), TCEWIN_OK);
			EXPECT_EQ(rig.mm->charged, charged);
		}
	for (u32 asked : {0U, 6U, 7U, 64U, 0x80000001U, ~0U})
		EXPECT_REFUSED(BAD_LEVELS, rig.create(16, gib, asked));
}

// A table that no PHB walks is refused before any PHB hears of it.
void too_large(Test &t)
{
	Rig rig{t};
	for (u32 window_shift : {55U, 58U, 63U})
		for (u32 page : {12U, 16U, 21U, 30U}) {
			Note at{t, "window shift", window_shift};
			const Snapshot before{rig};
			const int status = rig.create(page, u64{1} << window_shift);
			EXPECT(status == TCEWIN_BAD_LEVELS || status == TCEWIN_TOO_LARGE);
			Snapshot{rig}.expect_same(t, before);
		}
	EXPECT_EQ(rig.calls(Point::set_window), 1);
}

// One table a window, whoever comes and goes; its levels are there once and written once.
void one_table(Test &t)
{
	Rig rig{t, {.pes = 3}};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(low, huge, mib, TCEWIN_READ), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start + 8 * mib, huge, mib), TCEWIN_OK);
	ASSERT_EQ(rig.unmap(rig.start + 8 * mib, mib), TCEWIN_OK); // leaves a run for the next MAP
	const u64 levels = rig.host.levels.count(), charged = rig.mm->charged;
	const auto expect_shared = [&] {
		EXPECT_EQ(rig.host.ioda.count(), 2);
		EXPECT_EQ(rig.host.levels.count(), levels);
		EXPECT_EQ(rig.mm->charged, charged);
		rig.expect_mapped(rig.start, huge, 4 * mib);
		rig.expect_mapped(low, huge, mib, TCEWIN_READ);
	};
	for (unsigned i : {1U, 2U}) {
		ASSERT_EQ(rig.attach(i), TCEWIN_OK);
		expect_shared();
		for (u32 place : {0U, 1U})
			EXPECT_EQ(window(rig, place, i)->in_memory, window(rig, place)->in_memory);
	}
	const u64 told = rig.host.ioda.invalidations.size();
	ASSERT_EQ(rig.map(rig.start + 8 * mib, huge, mib), TCEWIN_OK);
	ASSERT_EQ(rig.unmap(rig.start + 8 * mib, mib), TCEWIN_OK);
	EXPECT_EQ(rig.host.ioda.invalidations.size() - told, 2);
	// the first that came may go first
	for (unsigned i : {0U, 2U}) {
		const u64 writes = rig.host.firmware.history.size();
		EXPECT_EQ(rig.detach(i), TCEWIN_OK);
		EXPECT(rig.idle(i));
		EXPECT_EQ(rig.host.firmware.history.size(), writes);
		expect_shared();
	}
	EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	EXPECT_EQ(rig.host.ioda.count(), 0);
	EXPECT_EQ(rig.host.levels.count(), 0);
	EXPECT_EQ(rig.mm->charged, 0);
}

constexpr tcewin_case cases[] = {
	CASE_ON_IODA2(info),   CASE_ON_IODA2(places),	 CASE_ON_IODA2(ends_where_it_was_asked_to),
	CASE_ON_IODA2(levels), CASE_ON_IODA2(too_large), CASE_ON_IODA2(one_table),
};

} // namespace

TCEWIN_SUITE(ioda2_windows, cases);
