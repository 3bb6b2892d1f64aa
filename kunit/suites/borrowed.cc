// SPDX-License-Identifier: GPL-2.0-only
// PEs without DDW calls: the default window is there for good, so it is emptied where others go. The fake firmware
// complains of any RTAS call on such a PE.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// Page sizes that the platform has, though not for this PE.
constexpr Personality borrowed()
{
	Personality p = Personality::without_ddw();
	p.page_sizes = 0x11000;
	p.default_size = 16 * mib;
	return p;
}
constexpr u64 size = borrowed().default_size;
constexpr Setup v1{.personality = borrowed(), .kind = TCEWIN_CONTAINER_V1};
constexpr Setup any{.personality = borrowed(), .kind = TCEWIN_CONTAINER_V2_ANY_PE};
constexpr Setup any_two{.personality = borrowed(), .pes = 2, .kind = TCEWIN_CONTAINER_V2_ANY_PE};

void refuse_hcalls(Rig &rig, u64 from) { rig.host.injector.arm(Point::any_hcall, {.at = from, .onwards = true}); }

void life_v1(Test &t)
{
	Rig rig{t, v1};
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	ASSERT_EQ(rig.map(64 * kib, scattered, mib), TCEWIN_OK);
	rig.expect_mapped(64 * kib, scattered, mib);
	EXPECT_EQ(rig.unmap(64 * kib, 512 * kib), TCEWIN_OK);
	rig.expect_unmapped(0, 576 * kib);
	ASSERT_EQ(rig.map(size - 4 * kib, scattered, 4 * kib, TCEWIN_READ), TCEWIN_OK);
	rig.expect_mapped(size - 4 * kib, scattered, 4 * kib, TCEWIN_READ);
	EXPECT_EQ(rig.disable(), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	ASSERT_EQ(rig.enable(), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT(rig.idle(0));
	EXPECT_EQ(rig.mm->pins.size(), 0);
	EXPECT_EQ(rig.release(0), TCEWIN_OK);
	EXPECT(rig.fake[0]->kernels);
}

void life_v2(Test &t)
{
	Rig rig{t, any};
	ASSERT_EQ(rig.add(scattered, 2 * mib), TCEWIN_OK);
	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(rig.map(mib, scattered, 2 * mib), TCEWIN_OK);
		rig.expect_mapped(mib, scattered, 2 * mib);
		EXPECT_EQ(rig.unmap(mib, mib), TCEWIN_OK);
		rig.expect_unmapped(0, 2 * mib);
		EXPECT_EQ(rig.remove(0), TCEWIN_OK);
		EXPECT(rig.idle(0));
		EXPECT_EQ(rig.map(mib, scattered, mib), TCEWIN_NO_WINDOW);
		EXPECT_EQ(rig.remove(0), TCEWIN_UNKNOWN_WINDOW);
		EXPECT_EQ(rig.drop(scattered, 2 * mib), TCEWIN_OK);
		EXPECT_EQ(rig.add(scattered, 2 * mib), TCEWIN_OK);
		ASSERT_EQ(rig.create(12, size), TCEWIN_OK);
		EXPECT_EQ(rig.start, 0);
	}
	ASSERT_EQ(rig.map(0, scattered, 2 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT(rig.idle(0));
	EXPECT_EQ(rig.drop(scattered, 2 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
}

// What is no default window cannot be had, whether that one is there or not.
void create_rules(Test &t)
{
	Rig rig{t, any};
	for (bool there : {true, false}) {
		EXPECT_REFUSED(BAD_PAGE_SHIFT, rig.create(21, size));
		EXPECT_REFUSED(BAD_SIZE, rig.create(12, size - 4 * kib));
		EXPECT_REFUSED(BAD_LEVELS, rig.create(12, size, 6));
		EXPECT_REFUSED(NO_DDW, rig.create(16, size));
		EXPECT_REFUSED(NO_DDW, rig.create(12, size / 2));
		EXPECT_REFUSED(NO_DDW, rig.create(12, size * 2));
		if (there) {
			EXPECT_REFUSED(NO_SLOT, rig.create(12, size));
			ASSERT_EQ(rig.remove(0), TCEWIN_OK);
		}
	}
	for (u32 levels : {0U, 5U}) {
		EXPECT_EQ(rig.create(12, size, levels), TCEWIN_OK);
		EXPECT_REFUSED(NO_SLOT, rig.create(12, size));
		ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	}
	EXPECT_EQ(rig.create(12, size), TCEWIN_OK);
}

// A v2 container is for PEs with DDW; and no container has both kinds.
void kinds_do_not_mix(Test &t)
{
	Rig rig{t, {.kind = TCEWIN_CONTAINER_V2_ANY_PE}};
	Personality p = Personality::qemu();
	p.max_windows = 0; // all else is alike
	FakePe *fake = t.host().firmware.new_pe(p);
	tcewin_pe *pe = nullptr;
	ASSERT_EQ(tcewin_pe_adopt(fake, TCEWIN_LPAR, &pe), TCEWIN_OK);
	fake->in_hand_over = true;
	ASSERT_EQ(tcewin_pe_take(pe), TCEWIN_OK);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK); // any PE is also one with DDW
	EXPECT_REFUSED(INCOMPATIBLE, tcewin_container_attach(rig.container, pe));
	EXPECT(t.host().firmware.idle(fake));
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	ASSERT_EQ(tcewin_container_attach(rig.container, pe), TCEWIN_OK);
	EXPECT_REFUSED(INCOMPATIBLE, tcewin_container_attach(rig.container, rig.pe[0]));
	EXPECT(rig.idle(0));
	EXPECT_EQ(tcewin_container_detach(rig.container, pe), TCEWIN_OK);
	tcewin_container *v2 = nullptr;
	ASSERT_EQ(tcewin_container_create(rig.mm, TCEWIN_CONTAINER_V2, &v2), TCEWIN_OK);
	EXPECT_REFUSED(NO_DDW, tcewin_container_attach(v2, pe));
	tcewin_container_destroy(v2);
	EXPECT_EQ(tcewin_pe_release(pe), TCEWIN_OK);
	tcewin_pe_destroy(pe);
}

void one_group_in_v1(Test &t)
{
	Rig rig{t, {.personality = borrowed(), .pes = 2, .kind = TCEWIN_CONTAINER_V1}};
	EXPECT_REFUSED(ONE_GROUP_ONLY, rig.attach(1));
}

void two(Test &t)
{
	Rig rig{t, any_two};
	ASSERT_EQ(rig.add(block, 8 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(mib, block, 4 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	rig.expect_mapped(mib, block, 4 * mib);
	EXPECT_EQ(rig.unmap(2 * mib, mib), TCEWIN_OK);
	rig.expect_unmapped(2 * mib, mib);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT(rig.idle(0));
	rig.expect_mapped(3 * mib, block + 2 * mib, 2 * mib);
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	rig.expect_mapped(3 * mib, block + 2 * mib, 2 * mib);
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT(rig.idle(0) && rig.idle(1));
	// the newcomer finds no window, and gets it with the others
	EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	EXPECT_EQ(rig.attach(1), TCEWIN_OK);
	EXPECT(rig.idle(1));
	ASSERT_EQ(rig.create(12, size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, block, mib), TCEWIN_OK);
	rig.expect_mapped(0, block, mib);
}

// The k-th hypercall of a detach and all behind it are refused: the window is emptied by then, or it is nobody's for
// ever and what it reaches stays.
void detach_while_refused(Test &t)
{
	bool done = false;
	for (u64 k = 1; !done && !t.failed(); k++) {
		Note at{t, "k", k};
		{
			Rig rig{t, any};
			ASSERT_EQ(rig.add(block, 8 * mib), TCEWIN_OK);
			ASSERT_EQ(rig.map(0, block, 4 * mib), TCEWIN_OK);
			refuse_hcalls(rig, k);
			const int status = rig.detach(0);
			done = !rig.host.injector.hits(Point::any_hcall);
			rig.host.firmware.check_reach("reaches memory that is not pinned");
			EXPECT_EQ(status, k <= 2 ? TCEWIN_STUCK : TCEWIN_OK); // 1024 entries
			EXPECT_EQ(tcewin_pe_owner(rig.pe[0]), k <= 2 ? TCEWIN_OWNER_QUARANTINED : TCEWIN_OWNER_USER);
			EXPECT_EQ(rig.drop(block, 8 * mib), k <= 2 ? TCEWIN_STILL_MAPPED : TCEWIN_OK);
			if (status == TCEWIN_STUCK) {
				rig.host.stuck_is_expected = true;
				EXPECT_EQ(rig.release(0), TCEWIN_QUARANTINED);
				EXPECT_EQ(rig.take(0), TCEWIN_QUARANTINED);
				tcewin_container_destroy(rig.container);
				rig.container = nullptr;
				EXPECT_EQ(rig.mm->pins.size(), 1);
				EXPECT(rig.reach(4 * mib - 4 * kib, true));
				EXPECT(!rig.fake[0]->kernels);
			} else {
				// nothing of the user's is in the way of a release that cannot write either
				refuse_hcalls(rig, 1);
				EXPECT_EQ(rig.release(0), TCEWIN_OK);
			}
		}
		t.fresh_host();
	}
}

// One hypercall fails, and detach goes on.
void detach_with_one_fault(Test &t)
{
	for (u64 k = 1; k <= 6; k++) {
		Note at{t, "k", k};
		Rig rig{t, any};
		ASSERT_EQ(rig.add(block, 8 * mib), TCEWIN_OK);
		ASSERT_EQ(rig.map(0, block, 4 * mib), TCEWIN_OK);
		rig.host.injector.arm(Point::any_hcall, {.at = k, .partial = 17});
		EXPECT_EQ(rig.detach(0), TCEWIN_OK);
		EXPECT(rig.idle(0));
		EXPECT_EQ(rig.drop(block, 8 * mib), TCEWIN_OK);
	}
}

// The other PE of a container goes on when one is quarantined, and its memory stays.
void one_of_two_is_stuck(Test &t)
{
	Rig rig{t, any_two};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, 8 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, block, 4 * mib), TCEWIN_OK);
	rig.host.stuck_is_expected = true;
	refuse_hcalls(rig, 1);
	EXPECT_EQ(rig.detach(0), TCEWIN_STUCK);
	rig.host.injector.disarm();
	rig.expect_mapped(0, block, 4 * mib);
	EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	EXPECT(rig.idle(1));
	EXPECT_EQ(rig.drop(block, 8 * mib), TCEWIN_STILL_MAPPED);
	EXPECT(rig.reach(0, true, 0));
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

// REMOVE can neither empty the window nor put back what was there; when the hypervisor listens again, it can.
void remove_gets_stuck(Test &t)
{
	Rig rig{t, any};
	ASSERT_EQ(rig.add(block, 8 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, block, 4 * mib), TCEWIN_OK);
	refuse_hcalls(rig, 2);
	EXPECT_EQ(rig.remove(0), TCEWIN_STUCK);
	EXPECT_EQ(rig.remove(0), TCEWIN_STUCK);
	EXPECT_EQ(rig.map(mib, block, mib), TCEWIN_STUCK);
	EXPECT_EQ(rig.drop(block, 8 * mib), TCEWIN_STILL_MAPPED);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
	rig.host.injector.disarm();
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT(rig.idle(0));
	EXPECT_EQ(rig.drop(block, 8 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.create(12, size), TCEWIN_OK);
	rig.host.events[TCEWIN_EVENT_STUCK] = 0;
}

// The window is empty, as far as anyone knows of entries in it, but could not be emptied as a whole: it is tried again.
void emptied_later(Test &t)
{
	Rig rig{t, any};
	ASSERT_EQ(rig.add(block, 8 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, block, 64 * kib), TCEWIN_OK);
	refuse_hcalls(rig, 2);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, 8 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.attach(0), TCEWIN_FIRMWARE_ERROR);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT(rig.idle(0));
}

// The kernel cannot be told of the window, which is there nevertheless: no call of the user's succeeds halfway.
void unknown_to_the_kernel(Test &t)
{
	Rig rig{t, any};
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.release(0), TCEWIN_OK);
	rig.host.injector.arm(Point::announce, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.take(0), TCEWIN_NO_MEMORY);
	EXPECT(rig.fake[0]->kernels);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.take(0), TCEWIN_OK);
	EXPECT(rig.idle(0));
	// the hypervisor fails at emptying it, and then it cannot be told again
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1});
	rig.host.injector.arm(Point::announce, {.at = 1});
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.fake[0]->announced.size(), 0);
	EXPECT_EQ(rig.create(12, size), TCEWIN_OK);
	EXPECT_EQ(rig.fake[0]->announced.size(), 1);
}

constexpr tcewin_case cases[] = {
	CASE(life_v1),
	CASE(life_v2),
	CASE(create_rules),
	CASE(kinds_do_not_mix),
	CASE(one_group_in_v1),
	CASE(two),
	CASE(detach_while_refused),
	CASE(detach_with_one_fault),
	CASE(one_of_two_is_stuck),
	CASE(remove_gets_stuck),
	CASE(emptied_later),
	CASE(unknown_to_the_kernel),
};

} // namespace

TCEWIN_SUITE(borrowed, cases);
