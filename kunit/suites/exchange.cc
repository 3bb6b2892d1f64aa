// SPDX-License-Identifier: GPL-2.0-only
// KVM changes entries beside the container's ioctls: what each writes the other may end, every count on memory is
// settled once, and nothing is unpinned that either maps.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

void put_replace_clear(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.kvm_put(5, 0), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(5, scattered), TCEWIN_OK);
	rig.expect_mapped(20 * kib, scattered, 4 * kib);
	ASSERT_EQ(rig.kvm_put(5, scattered + 8 * kib, TCEWIN_READ), TCEWIN_OK);
	rig.expect_mapped(20 * kib, scattered + 8 * kib, 4 * kib, TCEWIN_READ);
	EXPECT_EQ(rig.host.kvm.counts(), 1);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.kvm_put(5, 0), TCEWIN_OK);
	rig.expect_unmapped(20 * kib, 4 * kib);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT_EQ(rig.kvm_put(rig.personality().default_size >> 12, scattered), TCEWIN_OUT_OF_WINDOW);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
}

// KVM takes one entry out of the middle of what an ioctl mapped.
void over_a_mapping(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(3, scattered + 512 * kib), TCEWIN_OK);
	rig.expect_mapped(0, scattered, 12 * kib);
	rig.expect_mapped(12 * kib, scattered + 512 * kib, 4 * kib);
	rig.expect_mapped(16 * kib, scattered + 16 * kib, 48 * kib);
	EXPECT_EQ(rig.kvm_put(4, 0), TCEWIN_OK);
	rig.expect_unmapped(16 * kib, 4 * kib);
	// what the ioctl had mapped there is free to go
	ASSERT_EQ(rig.add(block, 64 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.map(128 * kib, block, 4 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(32, scattered), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(0, 256 * kib), TCEWIN_OK);
	rig.expect_unmapped(0, 256 * kib);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// An ioctl of one entry, over one of KVM's.
void one_entry(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	for (u64 i : {1, 600})
		ASSERT_EQ(rig.kvm_put(i, scattered), TCEWIN_OK);
	EXPECT_EQ(rig.map(4 * kib, scattered + 64 * kib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 1);
	rig.expect_mapped(4 * kib, scattered + 64 * kib, 4 * kib);
	EXPECT_EQ(rig.unmap(2400 * kib, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	rig.expect_unmapped(2400 * kib, 4 * kib);
	EXPECT_EQ(rig.unmap(0, 4 * mib), TCEWIN_OK);
	rig.expect_unmapped(0, 4 * mib);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// And an ioctl maps over KVM's entries.
void under_a_mapping(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	for (u64 i : {1, 2, 9, 600})
		ASSERT_EQ(rig.kvm_put(i, scattered + i % 16 * 4 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.map(8 * kib, scattered + 64 * kib, 32 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 2);
	rig.expect_mapped(8 * kib, scattered + 64 * kib, 32 * kib);
	EXPECT_EQ(rig.unmap(0, 4 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// The window goes with KVM's entries in it, by REMOVE or with its last PE; KVM finds nothing to change any more.
void window_goes(Test &t)
{
	for (bool by_remove : {true, false}) {
		{
			Rig rig{t};
			ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
			ASSERT_EQ(rig.kvm_put(7, scattered), TCEWIN_OK);
			ASSERT_EQ(rig.map(0, scattered, 16 * kib), TCEWIN_OK);
			EXPECT_EQ(by_remove ? rig.remove(rig.personality().default_start) : rig.detach(0), TCEWIN_OK);
			EXPECT_EQ(rig.host.kvm.counts(), 0);
			EXPECT_EQ(rig.valid(), 0);
			EXPECT_EQ(rig.kvm_put(7, scattered), TCEWIN_NO_WINDOW);
			EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
		}
		t.fresh_host();
	}
}

// What cannot be settled yet is handed out to the next that comes by the entry.
void a_debt(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(7, scattered), TCEWIN_OK);
	rig.host.injector.arm(Point::settle, {.at = 1});
	EXPECT_EQ(rig.unmap(0, mib), TCEWIN_OK);
	rig.expect_unmapped(0, mib);
	EXPECT_EQ(rig.host.kvm.counts(), 1);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.kvm_put(7, 0), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// Of two tables KVM changes one; what an ioctl has there ends in both.
void two_pes(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(3, scattered + 512 * kib, rw, 1), TCEWIN_OK);
	EXPECT(rig.reach(12 * kib, true, 1) == rig.host.memory.real_of(rig.mm, scattered + 512 * kib));
	if (rig.personality().in_memory())
		rig.expect_mapped(12 * kib, scattered + 512 * kib, 4 * kib);
	else
		EXPECT(!rig.reach(12 * kib, true, 0));
	// an empty entry before what is mapped is nobody else's either
	ASSERT_EQ(rig.unmap(0, 4 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(0, scattered + 516 * kib, rw, 1), TCEWIN_OK);
	rig.expect_mapped(4 * kib, scattered + 4 * kib, 8 * kib);
	rig.expect_mapped(16 * kib, scattered + 16 * kib, 48 * kib);
	EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	rig.expect_mapped(16 * kib, scattered + 16 * kib, 48 * kib);
	EXPECT_EQ(rig.unmap(0, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
}

// Whatever fails: the entry is as it was, and so are the counts.
void fails(Test &t)
{
	for (Point point : {Point::alloc, Point::charge, Point::level, Point::any_hcall})
		for (u64 k = 1; k < 16; k++) {
			Note which{t, "point", static_cast<u64>(point)}, at{t, "k", k};
			bool more = false;
			{
				Rig rig{t};
				ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
				ASSERT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
				const u64 far = (rig.personality().default_size >> 12) - 1;
				for (u64 i : {u64{3}, far}) {
					rig.host.injector.arm(point, {.at = k});
					const int status = rig.kvm_put(i, scattered + 512 * kib);
					const bool hit = rig.host.injector.hits(point) != 0;
					rig.host.injector.disarm();
					more |= hit;
					EXPECT_EQ(status != TCEWIN_OK, hit);
					EXPECT_EQ(rig.host.kvm.counts(), status == TCEWIN_OK);
					if (hit)
						rig.expect_mapped(0, scattered, 64 * kib);
					EXPECT_EQ(rig.kvm_put(i, 0), TCEWIN_OK);
					EXPECT_EQ(rig.map(0, scattered, 64 * kib), TCEWIN_OK);
				}
			}
			t.fresh_host();
			if (!more || t.failed())
				break;
		}
}

// Firmware refuses a put after it has stored the word, and then to take it back: nobody knows which of the two is
// there. Neither page is given back before the table is gone, and then both are dirty.
void stuck(Test &t)
{
	for (bool over_another : {false, true}) {
		Note which{t, "over another", over_another};
		{
			Rig rig{t};
			ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
			ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
			if (over_another)
				ASSERT_EQ(rig.kvm_put(3, block), TCEWIN_OK);
			rig.host.injector.arm(Point::put, {.at = 1, .partial = 1});
			rig.host.injector.arm(Point::any_hcall, {.at = 2, .onwards = true});
			// a later one is refused, and userspace hears of it
			EXPECT_EQ(rig.kvm_put(3, scattered), TCEWIN_STUCK);
			EXPECT_EQ(rig.kvm_put(4, scattered), TCEWIN_STUCK);
			rig.host.injector.disarm();
			EXPECT(rig.reach(12 * kib, true) == rig.host.memory.real_of(rig.mm, scattered));
			EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
			EXPECT_EQ(rig.drop(block, mib), over_another ? TCEWIN_STILL_MAPPED : TCEWIN_OK);
			// the guest takes it away, so it is there no longer
			EXPECT_EQ(rig.kvm_put(3, 0), TCEWIN_OK);
			EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
			EXPECT_EQ(rig.drop(block, mib), over_another ? TCEWIN_STILL_MAPPED : TCEWIN_UNKNOWN_REGION);
			EXPECT_EQ(rig.remove(rig.personality().default_start), TCEWIN_OK);
			EXPECT_EQ(rig.host.kvm.counts(), 0);
			if (over_another)
				EXPECT_EQ(rig.drop(block, mib), TCEWIN_OK);
			EXPECT_EQ(rig.host.events[TCEWIN_EVENT_STUCK], 1);
			rig.host.events[TCEWIN_EVENT_STUCK] = 0;
		}
		t.fresh_host();
	}
}

// KVM may put what another container of the process has registered. That one ends first: the memory stays pinned for as
// long as the entry is there, and not for longer.
void of_another_container(Test &t)
{
	enum { by_the_guest, by_unmap, by_remove, with_the_container };
	for (u64 ends : {by_the_guest, by_unmap, by_remove, with_the_container}) {
		Note which{t, "ends", ends};
		{
			Rig rig{t};
			ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
			tcewin_container *other{};
			ASSERT_EQ(tcewin_container_create(rig.mm, TCEWIN_CONTAINER_V2, &other), TCEWIN_OK);
			EXPECT_EQ(tcewin_register_memory(other, scattered, mib), TCEWIN_OK);
			EXPECT_EQ(tcewin_register_memory(other, huge, 4 * mib), TCEWIN_OK);
			EXPECT_EQ(rig.kvm_put(3, scattered), TCEWIN_OK);
			EXPECT_EQ(tcewin_unregister_memory(other, scattered, mib), TCEWIN_STILL_MAPPED);
			tcewin_container_destroy(other);
			EXPECT(FakeMemory::pin_at(rig.mm, scattered));
			EXPECT(!FakeMemory::pin_at(rig.mm, huge));
			rig.expect_mapped(12 * kib, scattered, 4 * kib);
			if (ends == by_the_guest)
				EXPECT_EQ(rig.kvm_put(3, 0), TCEWIN_OK);
			else if (ends == by_unmap)
				EXPECT_EQ(rig.unmap(0, mib), TCEWIN_OK);
			else if (ends == by_remove)
				EXPECT_EQ(rig.remove(rig.personality().default_start), TCEWIN_OK);
			else
				rig.close();
			EXPECT(!FakeMemory::pin_at(rig.mm, scattered));
		}
		t.fresh_host();
	}
}

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(put_replace_clear),
	CASE_ON_BOTH(over_a_mapping),
	CASE_ON_BOTH(one_entry),
	CASE_ON_BOTH(under_a_mapping),
	CASE_ON_BOTH(window_goes),
	CASE_ON_BOTH(a_debt),
	CASE_ON_BOTH(two_pes),
	CASE_ON_BOTH(fails),
	CASE(stuck),
	CASE_ON_BOTH(of_another_container),
};

} // namespace

TCEWIN_SUITE(exchange, cases);
