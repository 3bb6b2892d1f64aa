// SPDX-License-Identifier: GPL-2.0-only
// v1 containers: one group, its default window, ENABLE and DISABLE, memory that MAP pins and UNMAP gives back page by
// page.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr Setup v1{.kind = TCEWIN_CONTAINER_V1};

void enable_and_disable(Test &t)
{
	Rig rig{t, v1};
	EXPECT_EQ(rig.map(0, scattered, 4 * kib), TCEWIN_NOT_ENABLED);
	EXPECT_EQ(rig.unmap(0, 4 * kib), TCEWIN_NOT_ENABLED);
	EXPECT_EQ(rig.disable(), TCEWIN_OK);
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	EXPECT_EQ(rig.mm->charged, rig.personality().default_size);
	EXPECT_REFUSED(ALREADY_ENABLED, rig.enable());
	ASSERT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
	rig.expect_mapped(0, scattered, 64 * kib);
	EXPECT_EQ(rig.disable(), TCEWIN_OK);
	rig.expect_unmapped(0, 64 * kib);
	EXPECT_EQ(rig.mm->charged, 0);
	EXPECT_EQ(rig.mm->pins.size(), 0);
	EXPECT_EQ(rig.map(0, scattered, 4 * kib), TCEWIN_NOT_ENABLED);
}

void enable_at_the_limit(Test &t)
{
	Rig rig{t, v1};
	rig.mm->limit = rig.fake[0]->info.default_size - 1;
	EXPECT_REFUSED(NO_MEMORY, rig.enable());
	rig.mm->limit = ~u64{0};
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_REFUSED(NOTHING_TO_ENABLE, rig.enable());
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	EXPECT_EQ(rig.enable(), TCEWIN_OK);
}

void one_group(Test &t)
{
	Rig rig{t, {.pes = 2, .kind = TCEWIN_CONTAINER_V1}};
	EXPECT_REFUSED(ONE_GROUP_ONLY, rig.attach(1));
}

// What is unmapped is unpinned, page by page, and what is mapped over.
void pins(Test &t)
{
	Rig rig{t, v1};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 16);
	ASSERT_EQ(rig.unmap(16 * kib, 8 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 14);
	ASSERT_EQ(rig.map(0, scattered + mib, 8 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 14);
	rig.expect_mapped(0, scattered + mib, 8 * kib);
	rig.expect_mapped(8 * kib, scattered + 8 * kib, 8 * kib);
	// The same page twice takes two pins.
	ASSERT_EQ(rig.map(mib, scattered + mib, 4 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.unmap(0, 512 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 1);
	rig.expect_mapped(mib, scattered + mib, 4 * kib);
	ASSERT_EQ(rig.unmap(0, rig.fake[0]->info.default_size), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 0);
}

// IOMMU pages smaller than the host's: each pins the page it is in.
void pins_of_large_pages(Test &t)
{
	Rig rig{t, {.page_shift = 16, .kind = TCEWIN_CONTAINER_V1}};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered + 4 * kib, 128 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 3);
	rig.expect_mapped(0, scattered + 4 * kib, 128 * kib);
	ASSERT_EQ(rig.unmap(0, 60 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 2);
	ASSERT_EQ(rig.unmap(64 * kib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 2);
}

void bad_memory(Test &t)
{
	Rig rig{t, v1};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	EXPECT_REFUSED(FAULT, rig.map(0, 0x7000'0000'0000, 4 * kib));
	EXPECT_REFUSED(FAULT, rig.map(0, scattered + scattered_size - 8 * kib, 16 * kib));
	EXPECT_REFUSED(NO_DIRECTION, rig.map(0, scattered, 4 * kib, 0));
	EXPECT_REFUSED(UNALIGNED, rig.map(0, scattered + 1, 4 * kib));
	EXPECT_REFUSED(OUT_OF_WINDOW, rig.map(rig.fake[0]->info.default_size - 4 * kib, scattered, 8 * kib));
}

// Pinning gives way to a fatal signal, and leaves nothing pinned. So does what comes behind it.
void interrupted(Test &t)
{
	Rig rig{t, v1};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	u64 k = 1;
	for (;; k++) {
		Note at{t, "k", k};
		const u64 writes = rig.host.firmware.history.size();
		rig.host.injector.arm(Point::yield, {.at = k});
		const int status = rig.map(0, scattered, 4 * mib);
		rig.host.injector.disarm();
		if (k <= 2) { // 1024 pages are pinned by then, and nothing is written
			EXPECT_EQ(status, TCEWIN_INTERRUPTED);
			EXPECT_EQ(rig.host.firmware.history.size(), writes);
		}
		if (status != TCEWIN_INTERRUPTED)
			break;
		EXPECT_EQ(rig.mm->pins.size(), 0);
		EXPECT_EQ(rig.valid(), 0);
	}
	rig.expect_mapped(0, scattered, 4 * mib);
}

// Only what a device could write is made dirty: the fake host sees to that at each unpin.
void dirty(Test &t)
{
	Rig rig{t, v1};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 8 * kib, TCEWIN_READ), TCEWIN_OK);
	ASSERT_EQ(rig.map(8 * kib, scattered + 8 * kib, 8 * kib, TCEWIN_WRITE), TCEWIN_OK);
	ASSERT_EQ(rig.unmap(0, 8 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(8 * kib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 0);
}

// MAPs that are held up at a page of the user's never have more pinned than ENABLE has charged for, however many they
// are.
void held_up(Test &t)
{
	constexpr u64 size = 8 * mib;
	Personality p = Personality::qemu();
	p.default_size = 4 * size;
	Rig rig{t, {.personality = p, .kind = TCEWIN_CONTAINER_V1}};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	struct Crowd {
		Rig &rig;
		u64 inside, most, refused;
		void map()
		{
			const int status = tcewin_map(rig.container, 0, block, 8 * mib, rw);
			refused += status == TCEWIN_NO_MEMORY;
		}
	} crowd{rig, 0, 0, 0};
	rig.host.meanwhile_context = &crowd;
	rig.host.meanwhile = [](void *context) {
		auto &c = *static_cast<Crowd *>(context);
		if (c.rig.host.locks.holds(TCEWIN_LOCK_CONTAINER) || c.refused || c.inside >= 6)
			return;
		c.inside++;
		c.most = c.inside > c.most ? c.inside : c.most;
		c.map();
		c.inside--;
	};
	crowd.map();
	rig.host.meanwhile = nullptr;
	EXPECT_EQ(crowd.most, 4);
	EXPECT(crowd.refused > 0);
	EXPECT_EQ(rig.unmap(0, size), TCEWIN_OK);
	EXPECT_EQ(rig.disable(), TCEWIN_OK);
}

constexpr tcewin_case cases[] = {
	CASE(held_up),
	CASE_ON_BOTH(enable_and_disable),
	CASE_ON_BOTH(enable_at_the_limit),
	CASE_ON_BOTH(one_group),
	CASE_ON_BOTH(pins),
	CASE_ON_BOTH(pins_of_large_pages),
	CASE_ON_BOTH(bad_memory),
	CASE_ON_BOTH(interrupted),
	CASE_ON_BOTH(dirty),
};

} // namespace

TCEWIN_SUITE(v1, cases);
