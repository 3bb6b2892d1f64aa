// SPDX-License-Identifier: GPL-2.0-only
// MAP and UNMAP in tables in our memory: what PHBs are told and when, levels that come with the first entry, and what
// they cost.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 high = u64{1} << 59;

// What was invalidated since it was asked last.
class Told
{
public:
	explicit Told(Rig &r) : rig{r}, from{r.host.ioda.invalidations.size()} {}
	// Exactly [first, first + count), in pages.
	void expect(u64 first, u64 count)
	{
		Test &t = rig.t;
		const auto &all = rig.host.ioda.invalidations;
		EXPECT_EQ(all.size() - from, 1);
		if (all.size() == from)
			return;
		EXPECT_EQ(all[from].first, first);
		EXPECT_EQ(all[from].count, count);
		from = all.size();
	}
	// So many pieces, of so many pages together.
	void expect_pieces(u64 pieces, u64 pages)
	{
		Test &t = rig.t;
		const auto &all = rig.host.ioda.invalidations;
		EXPECT_EQ(all.size() - from, pieces);
		u64 n = 0;
		for (; from < all.size(); from++)
			n += all[from].count;
		EXPECT_EQ(n, pages);
	}

private:
	Rig &rig;
	u64 from;
};

void map_tells_once(Test &t)
{
	Rig rig{t};
	for (u64 i = 0; i < 4; i++)
		ASSERT_EQ(rig.add(scattered + i * mib, mib), TCEWIN_OK);
	Told told{rig};
	ASSERT_EQ(rig.map(16 * kib, scattered, 4 * mib), TCEWIN_OK);
	told.expect(4, 1024);
	ASSERT_EQ(rig.map(0, scattered, 8 * kib), TCEWIN_OK);
	told.expect(0, 2);
	// over part of it, and to the window's last page
	ASSERT_EQ(rig.map(mib, scattered, 64 * kib, TCEWIN_READ), TCEWIN_OK);
	told.expect(256, 16);
	const u64 size = rig.personality().default_size;
	ASSERT_EQ(rig.map(size - 4 * kib, scattered, 4 * kib), TCEWIN_OK);
	told.expect((size >> 12) - 1, 1);
	EXPECT_REFUSED(NOT_REGISTERED, rig.map(0, scattered + 3 * mib, 2 * mib));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.unmap(0, 2 * size));
	told.expect_pieces(0, 0);
}

// Holes are not worth a word: UNMAP of all of a window of 2^34 pages is about what is mapped there.
void unmap_tells_of_each_run(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.create(12, 64 * tib), TCEWIN_OK);
	for (u64 i = 0; i < 16; i++)
		ASSERT_EQ(rig.map(high + i * 4 * tib, scattered + i * 128 * kib, 64 * kib), TCEWIN_OK);
	Told told{rig};
	EXPECT_EQ(rig.unmap(high + 64 * kib, tib), TCEWIN_OK);
	told.expect_pieces(0, 0);
	EXPECT_EQ(rig.unmap(high + 32 * kib, 4 * tib), TCEWIN_OK);
	told.expect_pieces(2, 16);
	EXPECT_EQ(rig.unmap(high, 64 * tib), TCEWIN_OK);
	told.expect_pieces(16, 15 * 16);
	EXPECT_EQ(rig.unmap(high, 64 * tib), TCEWIN_OK);
	told.expect_pieces(0, 0);
}

// A signal on the way: all is as it was, and a PHB that has seen more is told.
void interrupted(Test &t)
{
	for (u64 k = 1; k < 64; k++) {
		Note at{t, "k", k};
		bool more = false;
		{
			Rig rig{t};
			ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
			ASSERT_EQ(rig.map(0, scattered, 3 * mib), TCEWIN_OK);
			ASSERT_EQ(rig.map(4 * mib, scattered + 4 * mib, mib, TCEWIN_READ), TCEWIN_OK);
			const Snapshot before{rig};
			rig.host.injector.arm(Point::yield, {.at = k, .onwards = true});
			const int status = rig.map(mib, scattered, 8 * mib, TCEWIN_WRITE);
			more = rig.host.injector.hits(Point::yield) != 0;
			rig.host.injector.disarm();
			EXPECT_EQ(status, more ? TCEWIN_INTERRUPTED : TCEWIN_OK);
			if (more)
				Snapshot{rig}.expect_same(t, before);
			EXPECT_EQ(rig.unmap(0, 16 * mib), TCEWIN_OK);
			// dirty is what a device could write for a while, too: the fake host looks
			EXPECT_EQ(rig.drop(scattered, scattered_size), TCEWIN_OK);
		}
		t.fresh_host();
		if (!more || t.failed())
			return;
	}
	EXPECT(false);
}

void writing_is_reading(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 4 * kib, TCEWIN_WRITE), TCEWIN_OK);
	EXPECT(rig.reach(0, false) && rig.reach(0, true));
	ASSERT_EQ(rig.map(0, scattered, 4 * kib, TCEWIN_READ), TCEWIN_OK);
	EXPECT(rig.reach(0, false) && !rig.reach(0, true));
}

constexpr tcewin_case cases[] = {
	CASE_ON_IODA2(map_tells_once),
	CASE_ON_IODA2(unmap_tells_of_each_run),
	CASE_ON_IODA2(interrupted),
	CASE_ON_IODA2(writing_is_reading),
};

} // namespace

TCEWIN_SUITE(ioda2_maps, cases);
