// SPDX-License-Identifier: GPL-2.0-only
// Levels of tables in our memory: they come with the first MAP that needs them, cost what they are, and go with their
// window.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// The bytes of levels that a window has beside its root.
u64 below_root(const Rig &rig, u64 levels_before) { return rig.host.levels.bytes() - levels_before; }

// log2 of the words of each level of the window beside the default one.
u32 words_shift(const Rig &rig) { return rig.fake[0]->tables[1]->in_memory->info.level_shift; }

// Each level of a MAP over several fails in turn: nothing is mapped, no level is left, nor is a charge.
void no_level(Test &t, Point point)
{
	for (u64 k = 1; k < 16; k++) {
		Note at{t, "k", k};
		bool more = false;
		{
			Rig rig{t};
			ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
			ASSERT_EQ(rig.create(16, 64 * tib, 3), TCEWIN_OK);
			// the last leaf below one word and the first below the next
			const u64 ioba = rig.start + (u64{64} * kib << 2 * words_shift(rig)) - 2 * mib;
			const Snapshot before{rig};
			rig.host.injector.arm(point, {.at = k});
			const int status = rig.map(ioba, huge, 4 * mib);
			more = rig.host.injector.hits(point) != 0;
			rig.host.injector.disarm();
			EXPECT_EQ(status, more ? TCEWIN_NO_MEMORY : TCEWIN_OK);
			if (more) {
				Snapshot{rig}.expect_same(t, before);
				EXPECT_EQ(rig.map(ioba, huge, 4 * mib), TCEWIN_OK);
			}
			rig.expect_mapped(ioba, huge, 4 * mib);
			// the default window's root, and three levels with two of each below the root
			EXPECT_EQ(rig.host.levels.count(), 1 + 1 + 2 + 2);
		}
		t.fresh_host();
		if (!more || t.failed())
			return;
	}
	EXPECT(false);
}

void no_level_to_be_had(Test &t) { no_level(t, Point::level); }
void no_level_to_be_paid(Test &t) { no_level(t, Point::charge); }

// The whole bookkeeping of a window goes with it, and so do levels that were made in vain.
void paid_back(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	const u64 charged = rig.mm->charged, levels = rig.host.levels.bytes();
	ASSERT_EQ(rig.create(16, 64 * tib, 3), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, huge, 2 * mib), TCEWIN_OK);
	rig.mm->limit = rig.mm->locked + 4 * kib;
	EXPECT_EQ(rig.map(rig.start + 32 * tib, huge, 2 * mib), TCEWIN_NO_MEMORY);
	EXPECT(rig.mm->locked <= rig.mm->limit);
	rig.expect_unmapped(rig.start + 32 * tib, 2 * mib);
	rig.mm->limit = ~u64{0};
	EXPECT_EQ(rig.unmap(rig.start, 64 * tib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.mm->charged, charged);
	EXPECT_EQ(rig.host.levels.bytes(), levels);
}

// 64 TiB of 2 MiB pages at 0, asked for with more levels each time until it is there, mapped by segment where the
// memory is; a second port comes and goes. Its UNMAP says the segment's address as size.
void as_dpdk(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	int status = TCEWIN_BAD_LEVELS;
	for (u32 levels = 1; status != TCEWIN_OK && levels <= 5; levels++)
		status = rig.create(21, 64 * tib, levels);
	ASSERT_EQ(status, TCEWIN_OK);
	ASSERT_EQ(rig.start, 0);
	const u64 empty = rig.host.levels.bytes(), charged = rig.mm->charged;
	EXPECT(empty <= 64 * kib);
	for (u64 at = 0; at < huge_size; at += 16 * mib) {
		ASSERT_EQ(rig.add(huge + at, 16 * mib), TCEWIN_OK);
		ASSERT_EQ(rig.map(huge + at, huge + at, 16 * mib), TCEWIN_OK);
	}
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(block, block, block_size), TCEWIN_OK);
	EXPECT(below_root(rig, empty) <= 2 * 64 * kib);
	EXPECT(rig.mm->charged - charged >= below_root(rig, empty));
	EXPECT(rig.mm->charged - charged <= below_root(rig, empty) + 8 * 256);
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	rig.expect_mapped(huge, huge, huge_size);
	rig.expect_mapped(block, block, block_size);
	EXPECT_EQ(rig.unmap(huge, 32 * mib), TCEWIN_OK);
	rig.expect_unmapped(huge, 32 * mib);
	rig.expect_mapped(huge + 32 * mib, huge + 32 * mib, 32 * mib);
	EXPECT_EQ(rig.drop(huge, 16 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	rig.expect_mapped(block, block, block_size);
	EXPECT_EQ(rig.unmap(0, 64 * tib), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(block, block_size), TCEWIN_OK);
}

// What a window costs does not depend on its size, and what is mapped in it costs what it needs.
void cost(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	const u64 heap = rig.host.heap.bytes(), charged = rig.mm->charged, levels = rig.host.levels.bytes();
	for (u64 size : {gib, 64 * tib}) {
		Note at{t, "size", size};
		ASSERT_EQ(rig.create(16, size), TCEWIN_OK);
		EXPECT(rig.host.heap.bytes() - heap <= 4 * kib);
		EXPECT(rig.host.levels.bytes() - levels <= 64 * kib);
		const u64 empty = rig.host.levels.count();
		const u32 below = rig.fake[0]->tables[1]->in_memory->info.levels - 1;
		for (u64 i = 0; i < 16; i++)
			ASSERT_EQ(rig.map(rig.start + i * (size / 16), huge, 2 * mib), TCEWIN_OK);
		EXPECT(rig.host.levels.count() - empty <= 16 * below);
		EXPECT(rig.host.heap.bytes() - heap <= 4 * kib + 16 * 256);
		EXPECT(rig.mm->charged - charged >= rig.host.levels.bytes() - levels);
		ASSERT_EQ(rig.remove(rig.start), TCEWIN_OK);
		EXPECT_EQ(rig.host.heap.bytes(), heap);
		EXPECT_EQ(rig.mm->charged, charged);
		EXPECT_EQ(rig.host.levels.bytes(), levels);
	}
}

constexpr tcewin_case cases[] = {
	CASE_ON_IODA2(no_level_to_be_had),
	CASE_ON_IODA2(no_level_to_be_paid),
	CASE_ON_IODA2(paid_back),
	CASE_ON_IODA2(as_dpdk),
	CASE_ON_IODA2(cost),
};

} // namespace

TCEWIN_SUITE(ioda2_levels, cases);
