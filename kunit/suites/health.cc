// SPDX-License-Identifier: GPL-2.0-only
// Several PEs in a container, each with a table of its own, and something cannot be undone in one of them: what that
// table may translate stays pinned as long as it may, whatever becomes of the others; and the others give back what is
// theirs, and serve again when it is gone.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 low = 0x10000000;		 // where PowerVM's default window is
constexpr u64 second = block + 64 * mib; // a region of its own

// With two regions, and 8 MiB mapped in one window: 4 hypercalls for each table. A DDW can be removed; the default
// window, where it is the only one, is emptied instead, which is as good.
struct Pes {
	enum class In { default_window, ddw };
	Pes(Test &test, unsigned n, In window = In::ddw) : t{test}, rig{test, {Personality::powervm(), n}}
	{
		for (unsigned i = 1; i < n; i++)
			EXPECT_EQ(rig.attach(i), TCEWIN_OK);
		if (window == In::ddw) {
			EXPECT_EQ(rig.create(12, gib), TCEWIN_OK);
			start = rig.start;
		}
		EXPECT_EQ(rig.add(block, 64 * mib), TCEWIN_OK);
		EXPECT_EQ(rig.add(second, 64 * mib), TCEWIN_OK);
		EXPECT_EQ(rig.map(start, block, 8 * mib), TCEWIN_OK);
	}
	// The table of PE number @pe is stuck, half empty; or half full of the second region, where something was
	// mapped and where nothing was. Those before it are stuck, too: they cannot be written back.
	void get_stuck(unsigned pe, bool by_map)
	{
		rig.host.injector.arm(Point::any_hcall,
				      {.at = 4 * pe + (by_map ? 4U : 2U), .onwards = true, .partial = 100});
		const int status = by_map ? rig.map(start + 4 * mib, second, 8 * mib) : rig.unmap(start, 8 * mib);
		EXPECT_EQ(status, TCEWIN_STUCK);
		hypercalls_work();
		EXPECT_EQ(rig.unmap(start, 8 * mib), TCEWIN_STUCK);
		rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	}
	void hypercalls_work() { rig.host.injector.disarm(); }
	void refuse_hcalls() { rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true}); }
	void refuse_removal() { rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true}); }
	// The window serves, for who is left, and both regions are given back.
	void expect_service()
	{
		EXPECT_EQ(rig.map(start + 16 * mib, second, mib), TCEWIN_OK);
		rig.expect_mapped(start + 16 * mib, second, mib);
		EXPECT_EQ(rig.map(start, second, 4 * kib), TCEWIN_OK);
		rig.expect_mapped(start, second, 4 * kib);
		EXPECT_EQ(rig.unmap(start, 4 * kib), TCEWIN_OK);
		EXPECT_EQ(rig.unmap(start, 32 * mib), TCEWIN_OK);
		rig.expect_unmapped(start, 32 * mib);
	}
	void expect_given_back()
	{
		EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_OK);
		EXPECT_EQ(rig.drop(second, 64 * mib), TCEWIN_OK);
		rig.host.firmware.check_reach("reaches memory that is not pinned");
	}

	Test &t;
	Rig rig;
	u64 start = low; // of the window
};

// f(value) on a fresh host for each of @values, which a failure calls @what.
template <class T, class F>
void each(Test &t, const char *what, std::initializer_list<T> values, F f)
{
	for (const T value : values) {
		Note which{t, what, value};
		f(value);
		t.fresh_host();
	}
}

// Nothing is left that somebody pays for, where the host's own look at the end is skipped: a PE keeps something.
void expect_nothing_charged(Test &t, Rig &rig)
{
	rig.close();
	EXPECT_EQ(rig.mm->charged, 0);
}

// The stuck one leaves, and is taken away: nobody is stuck any more.
void stuck_one_leaves(Test &t)
{
	each(t, "by map", {false, true}, [&](bool by_map) {
		Pes p{t, 2};
		p.get_stuck(0, by_map);
		EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
		p.rig.expect_mapped(p.start, block, 8 * mib);
		p.expect_service();
		p.expect_given_back();
		EXPECT_EQ(p.rig.attach(0), TCEWIN_OK);
	});
}

// The one in the middle; those on both sides of it are as they were.
void one_of_three_leaves(Test &t)
{
	Pes p{t, 3};
	p.rig.host.injector.arm(Point::any_hcall, {.at = 6, .partial = 100});
	p.rig.host.injector.arm(Point::put_indirect, {.at = 5, .onwards = true}); // the first one is written back
	EXPECT_EQ(p.rig.unmap(p.start, 8 * mib), TCEWIN_STUCK);
	p.hypercalls_work();
	p.rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	p.rig.expect_mapped(p.start + 4 * mib, block + 4 * mib, 4 * mib);
	EXPECT_EQ(p.rig.map(p.start, block, 4 * kib), TCEWIN_STUCK);
	EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(p.rig.map(p.start, block, 4 * kib), TCEWIN_STUCK);
	EXPECT_EQ(p.rig.detach(1), TCEWIN_OK);
	p.rig.expect_mapped(p.start, block, 8 * mib);
	p.expect_service();
	p.expect_given_back();
}

// One that is as it should be leaves beside it. Firmware keeps its window, which is empty: nothing of it has to stay.
void sound_one_leaves(Test &t)
{
	Pes p{t, 2};
	p.get_stuck(0, true);
	p.refuse_removal();
	EXPECT_EQ(p.rig.detach(1), TCEWIN_OK);
	EXPECT_EQ(tcewin_pe_owner(p.rig.pe[1]), TCEWIN_OWNER_USER);
	p.hypercalls_work();
	EXPECT_EQ(p.rig.map(p.start, block, mib), TCEWIN_STUCK);
	EXPECT_EQ(p.rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(p.rig.drop(second, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
	p.expect_given_back();
}

// Firmware keeps the stuck one's window, but the hypervisor listens again: each of its entries can be written.
void stuck_one_is_emptied(Test &t)
{
	each(t, "by map", {false, true}, [&](bool by_map) {
		Pes p{t, 2};
		p.get_stuck(0, by_map);
		p.refuse_removal();
		EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
		EXPECT_EQ(tcewin_pe_owner(p.rig.pe[0]), TCEWIN_OWNER_USER);
		for (u64 at = 0; at < 16 * mib; at += 4 * kib)
			EXPECT(!p.rig.reach(p.start + at, false, 0));
		p.hypercalls_work();
		p.expect_service();
		p.expect_given_back();
	});
}

// The stuck one can be neither emptied nor removed: what was mapped, and what was about to be, is in its device's reach
// for good. The other one goes on, and gives back what it maps from then on.
void stuck_one_is_lost(Test &t)
{
	each(t, "by map", {false, true}, [&](bool by_map) {
		Pes p{t, 2};
		p.rig.host.stuck_is_expected = true;
		p.get_stuck(0, by_map);
		EXPECT_EQ(p.rig.host.kvm.clear(p.rig.fake[0]->tables[1]->object, 2049), TCEWIN_OK);
		EXPECT(!p.rig.reach(p.start + 2049 * 4 * kib, false, 0));
		p.refuse_hcalls();
		p.refuse_removal();
		EXPECT_EQ(p.rig.detach(0), TCEWIN_STUCK);
		EXPECT_EQ(tcewin_pe_owner(p.rig.pe[0]), TCEWIN_OWNER_QUARANTINED);
		p.hypercalls_work();
		p.rig.expect_mapped(p.start, block, 8 * mib);
		p.expect_service();
		EXPECT_EQ(p.rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
		EXPECT_EQ(p.rig.drop(second, 64 * mib), by_map ? TCEWIN_STILL_MAPPED : TCEWIN_OK);
		EXPECT_EQ(p.rig.add(scattered, scattered_size), TCEWIN_OK);
		EXPECT_EQ(p.rig.map(p.start, scattered, mib), TCEWIN_OK);
		EXPECT_EQ(p.rig.remove(p.start), TCEWIN_OK);
		EXPECT_EQ(p.rig.drop(scattered, scattered_size), TCEWIN_OK);
		EXPECT_EQ(p.rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
		p.rig.host.firmware.check_reach("reaches memory that is not pinned");
		expect_nothing_charged(t, p.rig);
	});
}

// REMOVE, where firmware keeps the window of one that is as it should be: that one is empty.
void remove_beside_a_stuck_one(Test &t)
{
	each(t, "stuck", {0U, 1U}, [&](unsigned stuck) {
		Pes p{t, 2};
		p.get_stuck(stuck, false);
		p.rig.host.injector.arm(Point::remove, {.at = 2});
		EXPECT_EQ(p.rig.remove(p.start), TCEWIN_OK);
		p.expect_given_back();
	});
}

// REMOVE has emptied both tables and is refused, and they cannot be filled again.
void remove_is_not_undone(Test &t)
{
	Pes p{t, 2};
	p.rig.host.injector.arm(Point::any_hcall, {.at = 8 + 1, .onwards = true});
	p.refuse_removal();
	EXPECT_EQ(p.rig.remove(p.start), TCEWIN_STUCK);
	p.hypercalls_work();
	EXPECT_EQ(p.rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(p.rig.remove(p.start), TCEWIN_OK);
	p.expect_given_back();
}

// REMOVE, where the stuck one is neither emptied nor removed: all of them are still there, and REMOVE is all that is
// accepted, whoever leaves.
void remove_of_a_stuck_one_fails(Test &t)
{
	each(t, "leaves", {false, true}, [&](bool leaves) {
		Pes p{t, 3};
		p.get_stuck(0, true);
		p.rig.host.injector.arm(Point::any_hcall, {.at = 8 + 1, .onwards = true});
		p.refuse_removal();
		EXPECT_EQ(p.rig.remove(p.start), TCEWIN_STUCK);
		p.hypercalls_work();
		p.rig.host.events[TCEWIN_EVENT_STUCK] = 0;
		for (const FakePe *pe : p.rig.fake)
			EXPECT_EQ(pe->tables.size(), 2);
		EXPECT_EQ(p.rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
		EXPECT_EQ(p.rig.drop(second, 64 * mib), TCEWIN_STILL_MAPPED);
		// what KVM leaves to be followed changes nothing about that
		EXPECT_EQ(p.rig.host.kvm.clear(p.rig.fake[1]->tables[1]->object, 0), TCEWIN_OK);
		if (leaves)
			EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
		EXPECT_EQ(p.rig.map(p.start, block, mib), TCEWIN_STUCK);
		EXPECT_EQ(p.rig.map(p.start, block, 4 * kib), TCEWIN_STUCK);
		EXPECT_EQ(p.rig.unmap(p.start, 4 * kib), TCEWIN_STUCK);
		if (leaves)
			EXPECT_EQ(p.rig.attach(0), TCEWIN_FIRMWARE_ERROR);
		EXPECT_EQ(p.rig.remove(p.start), TCEWIN_OK);
		p.expect_given_back();
	});
}

// REMOVE takes the window from one of two that are stuck, and the other one, which it fails at, leaves: the window has
// no table, so nothing of it has to stay, although its user has yet to remove it.
void last_table_leaves_before_a_pe(Test &t)
{
	Pes p{t, 2};
	p.get_stuck(1, true);
	p.rig.host.injector.arm(Point::remove, {.at = 2});
	p.refuse_hcalls();
	EXPECT_EQ(p.rig.remove(p.start), TCEWIN_STUCK);
	p.hypercalls_work();
	p.rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	EXPECT_EQ(p.rig.drop(block, 64 * mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(p.rig.detach(1), TCEWIN_OK);
	EXPECT_EQ(p.rig.map(p.start, block, mib), TCEWIN_STUCK);
	EXPECT_EQ(p.rig.attach(1), TCEWIN_FIRMWARE_ERROR);
	p.expect_given_back();
	EXPECT_EQ(p.rig.remove(p.start), TCEWIN_OK);
	EXPECT_EQ(p.rig.attach(1), TCEWIN_OK);
}

// KVM's entries in the table of the one that goes on are given back as ever; those in the lost one never.
void kvms_beside_a_lost_one(Test &t)
{
	Pes p{t, 2, Pes::In::default_window};
	ASSERT_EQ(p.rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(p.rig.add(scattered + mib, mib), TCEWIN_OK);
	ASSERT_EQ(p.rig.add(scattered + 2 * mib, mib), TCEWIN_OK);
	ASSERT_EQ(p.rig.kvm_put(4096, scattered, rw, 0), TCEWIN_OK);
	ASSERT_EQ(p.rig.kvm_put(4097, scattered + mib, rw, 1), TCEWIN_OK);
	p.rig.host.stuck_is_expected = true;
	p.refuse_hcalls();
	p.refuse_removal();
	EXPECT_EQ(p.rig.detach(0), TCEWIN_STUCK);
	p.hypercalls_work();
	EXPECT_EQ(p.rig.kvm_put(4098, scattered + 2 * mib, rw, 1), TCEWIN_OK);
	EXPECT_EQ(p.rig.kvm_put(4098, 0, rw, 1), TCEWIN_OK);
	EXPECT_EQ(p.rig.drop(scattered + 2 * mib, mib), TCEWIN_OK);
	EXPECT_EQ(p.rig.drop(scattered + mib, mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(p.rig.detach(1), TCEWIN_OK);
	EXPECT_EQ(p.rig.drop(scattered + mib, mib), TCEWIN_OK);
	EXPECT_EQ(p.rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	p.rig.host.firmware.check_reach("reaches memory that is not pinned");
	expect_nothing_charged(t, p.rig);
}

// What KVM clears beside a stuck one is given back, in both tables, and what an ioctl had there does not come back.
void kvm_clears_beside_a_stuck_one(Test &t)
{
	each(t, "PE", {0U, 1U}, [&](unsigned pe) {
		Pes p{t, 2, Pes::In::default_window};
		ASSERT_EQ(p.rig.add(scattered, mib), TCEWIN_OK);
		ASSERT_EQ(p.rig.kvm_put(4096, scattered, rw, pe), TCEWIN_OK);
		p.get_stuck(0, false);
		EXPECT_EQ(p.rig.kvm_put(4096, 0, rw, pe), TCEWIN_OK);
		EXPECT_EQ(p.rig.host.kvm.counts(), 0);
		EXPECT_EQ(p.rig.drop(scattered, mib), TCEWIN_OK);
		EXPECT_EQ(p.rig.kvm_put(2047, 0, rw, pe), TCEWIN_OK);
		p.rig.expect_unmapped(p.start + 2047 * 4 * kib, 4 * kib);
		EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
		// a MAP that is undone writes what is known
		p.rig.host.injector.arm(Point::any_hcall, {.at = 2});
		EXPECT_EQ(p.rig.map(p.start + 4 * mib, second, 4 * mib), TCEWIN_FIRMWARE_ERROR);
		p.rig.expect_unmapped(p.start + 2047 * 4 * kib, 4 * kib);
		p.rig.expect_mapped(p.start, block, 4 * mib);
		p.expect_service();
		p.expect_given_back();
	});
}

// A put of KVM's over what an ioctl has in both tables: the other table's entry is not written back. KVM's own is, and
// so the put is one that has failed.
void kvms_put_gets_the_other_stuck(Test &t)
{
	Pes p{t, 2, Pes::In::default_window};
	p.rig.host.injector.arm(Point::put,
				{.at = 2, .onwards = false}); // the other one's is empty, this one's not put
	p.rig.host.injector.arm(Point::any_hcall, {.at = 4, .onwards = true});
	EXPECT_EQ(p.rig.kvm_put(3, second, rw, 0), TCEWIN_FIRMWARE_ERROR);
	p.hypercalls_work();
	EXPECT_EQ(p.rig.host.events[TCEWIN_EVENT_STUCK], 1);
	p.rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	EXPECT_EQ(p.rig.host.kvm.counts(), 0);
	EXPECT_EQ(p.rig.drop(second, 64 * mib), TCEWIN_OK);
	EXPECT_EQ(p.rig.add(second, 64 * mib), TCEWIN_OK);
	EXPECT_EQ(p.rig.kvm_put(3, second, rw, 0), TCEWIN_STUCK);
	EXPECT_EQ(p.rig.detach(1), TCEWIN_OK);
	p.rig.expect_mapped(p.start, block, 8 * mib);
	p.expect_service();
	p.expect_given_back();
}

// A put of KVM's over what an ioctl has failed halfway, so that either may be there; KVM clears the entry of the other
// PE while an ioctl has the window. What the ioctl has there ends in both.
void kvm_clears_what_is_in_doubt(Test &t)
{
	constexpr u64 entry = 4096;
	Pes p{t, 2, Pes::In::default_window};
	ASSERT_EQ(p.rig.map(p.start + entry * 4 * kib, second, 4 * kib), TCEWIN_OK);
	ASSERT_EQ(p.rig.add(scattered, mib), TCEWIN_OK);
	p.rig.host.injector.arm(Point::put, {.at = 2});	      // the other one's is empty, this one's not put
	p.rig.host.injector.arm(Point::any_hcall, {.at = 3}); // nor written back
	EXPECT_EQ(p.rig.kvm_put(entry, scattered, rw, 0), TCEWIN_STUCK);
	p.hypercalls_work();
	p.rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	struct Guest {
		Pes &p;
		bool came;
	} guest{p, false};
	p.rig.host.meanwhile_context = &guest;
	p.rig.host.meanwhile = [](void *context) {
		auto &g = *static_cast<Guest *>(context);
		Test &t = g.p.t;
		if (g.came || !g.p.rig.host.locks.holds(TCEWIN_LOCK_WINDOW))
			return;
		g.came = true;
		EXPECT_EQ(g.p.rig.host.kvm.clear(g.p.rig.fake[1]->tables[0]->object, entry), TCEWIN_OK);
	};
	EXPECT_EQ(p.rig.detach(1), TCEWIN_OK);
	p.rig.host.meanwhile = nullptr;
	EXPECT(guest.came);
	EXPECT_EQ(p.rig.drop(second, 64 * mib), TCEWIN_OK);
	p.rig.host.firmware.check_reach("reaches memory that is not pinned");
	EXPECT(!p.rig.reach(p.start + entry * 4 * kib, false, 0));
}

// What a MAP that failed has left is in no book of KVM's, but a guest's clear of it is written all the same.
void kvm_clears_what_a_map_left(Test &t)
{
	constexpr u64 entry = 4096;
	Pes p{t, 1, Pes::In::default_window};
	const u64 at = p.start + entry * 4 * kib;
	ASSERT_EQ(p.rig.kvm_put(entry + 40, second, rw, 0), TCEWIN_OK); // there is a page of KVM's entries
	p.rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true, .partial = 10, .fades = true});
	EXPECT_EQ(p.rig.map(at, second, 128 * kib), TCEWIN_STUCK);
	p.hypercalls_work();
	p.rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	ASSERT(p.rig.reach(at, false, 0));
	EXPECT_EQ(p.rig.host.kvm.clear(p.rig.fake[0]->tables[0]->object, entry), TCEWIN_OK);
	EXPECT(!p.rig.reach(at, false, 0));
}

// A put where nothing is concerns one table. That it fails changes nothing for the other.
void kvms_put_fails_alone(Test &t)
{
	Pes p{t, 2, Pes::In::default_window};
	p.rig.host.injector.arm(Point::put, {.at = 1});
	p.rig.host.injector.arm(Point::any_hcall, {.at = 3});
	EXPECT_EQ(p.rig.kvm_put(5000, second, rw, 0), TCEWIN_FIRMWARE_ERROR);
	p.hypercalls_work();
	EXPECT_EQ(p.rig.host.events[TCEWIN_EVENT_STUCK], 0);
	p.expect_service();
	p.expect_given_back();
}

// Firmware keeps a window whose table could not be emptied at the first try, and can be at the second.
void sound_one_is_emptied_again(Test &t)
{
	Pes p{t, 2};
	p.rig.host.injector.arm(Point::any_hcall, {.at = 1});
	p.refuse_removal();
	EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(tcewin_pe_owner(p.rig.pe[0]), TCEWIN_OWNER_USER);
	p.hypercalls_work();
	p.expect_service();
	p.expect_given_back();
}

// A stuck one is emptied again, and the hypervisor stops listening somewhere: it is lost, unless that is behind the
// last entry.
void stuck_one_is_emptied_in_part(Test &t)
{
	constexpr unsigned most = 100;
	int status = TCEWIN_STUCK;
	for (unsigned at = 1; status != TCEWIN_OK && at < most && !t.failed(); at++) {
		Note where{t, "at", at};
		{
			Pes p{t, 2};
			p.rig.host.stuck_is_expected = true;
			p.get_stuck(0, true);
			p.rig.host.injector.arm(Point::any_hcall, {.at = at, .onwards = true});
			p.refuse_removal();
			status = p.rig.detach(0);
			p.hypercalls_work();
			if (status != TCEWIN_OK) {
				EXPECT_EQ(status, TCEWIN_STUCK);
				EXPECT_EQ(p.rig.drop(second, 64 * mib), TCEWIN_STILL_MAPPED);
			}
			p.rig.host.firmware.check_reach("reaches memory that is not pinned");
			expect_nothing_charged(t, p.rig);
		}
		t.fresh_host();
	}
	EXPECT_EQ(status, TCEWIN_OK);
}

// A newcomer to a stuck window, while nothing works: its table has never had an entry, and nothing of it is stuck.
void newcomer_is_not_lost(Test &t)
{
	Pes p{t, 3, Pes::In::default_window};
	ASSERT_EQ(p.rig.detach(2), TCEWIN_OK);
	p.get_stuck(0, false);
	p.refuse_hcalls();
	p.refuse_removal();
	EXPECT_EQ(p.rig.attach(2), TCEWIN_FIRMWARE_ERROR);
	EXPECT(tcewin_pe_owner(p.rig.pe[2]) != TCEWIN_OWNER_QUARANTINED);
	p.hypercalls_work();
	EXPECT_EQ(p.rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(p.rig.detach(1), TCEWIN_OK);
	p.expect_given_back();
}

constexpr tcewin_case cases[] = {
	CASE(stuck_one_leaves),
	CASE(one_of_three_leaves),
	CASE(sound_one_leaves),
	CASE(stuck_one_is_emptied),
	CASE(stuck_one_is_lost),
	CASE(remove_beside_a_stuck_one),
	CASE(remove_is_not_undone),
	CASE(remove_of_a_stuck_one_fails),
	CASE(last_table_leaves_before_a_pe),
	CASE(kvms_beside_a_lost_one),
	CASE(kvm_clears_beside_a_stuck_one),
	CASE(kvms_put_gets_the_other_stuck),
	CASE(kvm_clears_what_is_in_doubt),
	CASE(kvm_clears_what_a_map_left),
	CASE(kvms_put_fails_alone),
	CASE(sound_one_is_emptied_again),
	CASE(stuck_one_is_emptied_in_part),
	CASE(newcomer_is_not_lost),
};

} // namespace

TCEWIN_SUITE(health, cases);
