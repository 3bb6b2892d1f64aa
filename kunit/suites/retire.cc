// SPDX-License-Identifier: GPL-2.0-only
// The machine goes down, or another kernel comes: a container in use is left without PEs, windows and translations, and
// every PE with its empty default window, whatever fails on the way.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr Personality small(Personality p)
{
	p.default_size = 4 * mib;
	return p;
}
constexpr Personality qemu = small(Personality::qemu()), powervm = small(Personality::powervm()),
		      vf = small(Personality::powervm_vf()), ioda2 = small(Personality::ioda2()),
		      borrowed = small(Personality::without_ddw());

// Registered, from block on.
u64 memory(const Rig &rig) { return (rig.t.thorough() ? 64 : 16) * mib; }

u64 low(const Rig &rig) { return rig.fake[0]->info.default_start; }

// All the windows that the PEs can have, with mappings in each.
void prepare(Rig &rig)
{
	Test &t = rig.t;
	for (unsigned i = 1; i < rig.pes; i++)
		EXPECT_EQ(rig.attach(i), TCEWIN_OK);
	EXPECT_EQ(rig.add(block, memory(rig)), TCEWIN_OK);
	EXPECT_EQ(rig.map(low(rig), block, (rig.t.thorough() ? 2048 : 64) * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(low(rig) + 3 * mib, block + 8 * mib, 4 * kib, TCEWIN_READ), TCEWIN_OK);
	if (rig.fake[0]->info.max_windows < 2)
		return;
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start, block, (rig.t.thorough() ? 1024 : 64) * 64 * kib), TCEWIN_OK);
}

// It is no more than a container with regions.
void expect_retired(Rig &rig)
{
	Test &t = rig.t;
	tcewin_container_info info{};
	EXPECT_EQ(tcewin_container_get_info(rig.container, &info), TCEWIN_NO_GROUP);
	for (u64 at : {low(rig), rig.start}) {
		EXPECT_EQ(rig.map(at, block, 64 * kib), TCEWIN_NO_GROUP);
		EXPECT_EQ(rig.unmap(at, 64 * kib), TCEWIN_NO_GROUP);
		EXPECT_EQ(rig.remove(at), TCEWIN_NO_GROUP);
	}
	EXPECT_EQ(rig.create(12, rig.fake[0]->info.default_size), TCEWIN_NO_GROUP);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_NO_GROUP);
	for (unsigned i = 0; i < rig.pes; i++)
		EXPECT_EQ(rig.detach(i), TCEWIN_NO_GROUP);
}

void expect_idle(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.valid(), 0);
	for (unsigned i = 0; i < rig.pes; i++) {
		EXPECT(rig.idle(i));
		for (u64 at : {low(rig), rig.start})
			EXPECT(!rig.reach(at, false, i) && !rig.reach(at, true, i));
	}
}

void with_everything(Test &t, const Personality &p, unsigned pes)
{
	Rig rig{t, {.personality = p, .pes = pes, .kind = TCEWIN_CONTAINER_V2_ANY_PE}};
	prepare(rig);
	EXPECT(rig.valid() > 0);
	rig.retire();
	expect_idle(rig);
	expect_retired(rig);
	rig.retire();
	expect_idle(rig);
	EXPECT_EQ(rig.drop(block, memory(rig)), TCEWIN_OK);
	EXPECT_EQ(rig.mm->pins.size(), 0);
	EXPECT_EQ(rig.mm->charged, 0);
	for (unsigned i = 0; i < pes; i++) {
		EXPECT_EQ(rig.release(i), TCEWIN_OK);
		EXPECT(rig.fake[i]->kernels);
	}
}

void on_qemu(Test &t) { with_everything(t, qemu, 1); }
void on_powervm(Test &t) { with_everything(t, powervm, 1); }
void on_vf(Test &t) { with_everything(t, vf, 1); }
void on_ioda2(Test &t) { with_everything(t, ioda2, 1); }
void on_borrowed(Test &t) { with_everything(t, borrowed, 1); }
void two_on_qemu(Test &t) { with_everything(t, qemu, 2); }
void two_on_powervm(Test &t) { with_everything(t, powervm, 2); }
void two_on_vf(Test &t) { with_everything(t, vf, 2); }
void two_on_ioda2(Test &t) { with_everything(t, ioda2, 2); }
void two_borrowed(Test &t) { with_everything(t, borrowed, 2); }

// A DDW alone: what is left is not what was there.
void without_default(Test &t)
{
	for (const Personality &p : {qemu, powervm, vf, ioda2}) {
		{
			Rig rig{t, {.personality = p, .pes = 2}};
			ASSERT_EQ(rig.attach(1), TCEWIN_OK);
			ASSERT_EQ(rig.remove(p.default_start), TCEWIN_OK);
			ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
			ASSERT_EQ(rig.add(block, memory(rig)), TCEWIN_OK);
			ASSERT_EQ(rig.map(rig.start, block, memory(rig)), TCEWIN_OK);
			rig.retire();
			expect_idle(rig);
			expect_retired(rig);
		}
		t.fresh_host();
	}
}

void without_windows(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	rig.retire();
	expect_idle(rig);
	expect_retired(rig);
	rig.close();
}

void without_groups(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.detach(0), TCEWIN_OK);
	rig.retire();
	expect_idle(rig);
	expect_retired(rig);
}

// What MAP has pinned is given back, and what ENABLE has charged when the user says so or goes.
void v1(Test &t)
{
	for (const Personality &p : {qemu, borrowed, ioda2}) {
		{
			Rig rig{t, {.personality = p, .kind = TCEWIN_CONTAINER_V1}};
			ASSERT_EQ(rig.enable(), TCEWIN_OK);
			ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
			rig.retire();
			expect_idle(rig);
			expect_retired(rig);
			EXPECT_EQ(rig.mm->pins.size(), 0);
			EXPECT_EQ(rig.disable(), TCEWIN_OK);
			EXPECT_EQ(rig.mm->charged, 0);
			EXPECT_EQ(rig.enable(), TCEWIN_NOTHING_TO_ENABLE);
		}
		t.fresh_host();
	}
}

// Any one call fails: all is ended nevertheless, and only a window that firmware does not let go or does not make
// differs.
void with_faults(Test &t, const Personality &p, unsigned pes)
{
	for (Point point : {Point::alloc, Point::charge, Point::announce, Point::yield, Point::query, Point::remove,
			    Point::reset, Point::any_hcall}) {
		Note which{t, "point", static_cast<u64>(point)};
		bool more = true;
		for (u64 k = 1; more && !t.failed(); k += t.thorough() || k < 3 ? 1 : 4) {
			Note nth{t, "k", k};
			{
				Rig rig{t, {.personality = p, .pes = pes, .kind = TCEWIN_CONTAINER_V2_ANY_PE}};
				prepare(rig);
				rig.host.injector.arm(
					point,
					{.at = k, .onwards = k == 1 && point != Point::any_hcall, .partial = 100});
				rig.retire();
				more = rig.host.injector.hits(point) != 0;
				rig.host.injector.disarm();
				EXPECT_EQ(rig.valid(), 0);
				// nor is a spare made that could show what the hypervisor did not clear
				const bool stale = point == Point::any_hcall && p.max_windows == 2;
				if (!rig.host.firmware.default_window_faults && point != Point::remove && !stale)
					expect_idle(rig);
				expect_retired(rig);
				EXPECT_EQ(rig.drop(block, memory(rig)), TCEWIN_OK);
				EXPECT_EQ(rig.attach(0), TCEWIN_OK);
			}
			t.fresh_host();
		}
	}
}

void faults_on_qemu(Test &t) { with_faults(t, qemu, 2); }
void faults_on_powervm(Test &t) { with_faults(t, powervm, 2); }
void faults_on_vf(Test &t) { with_faults(t, vf, 2); }
void faults_on_ioda2(Test &t) { with_faults(t, ioda2, 2); }
void faults_on_borrowed(Test &t) { with_faults(t, borrowed, 2); }

// Neither hypervisor nor firmware listens: what the devices reach stays pinned, and nobody gets the PEs.
void gets_stuck(Test &t, const Personality &p)
{
	Rig rig{t, {.personality = p, .pes = 2, .kind = TCEWIN_CONTAINER_V2_ANY_PE}};
	prepare(rig);
	rig.host.stuck_is_expected = true;
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
	rig.retire();
	EXPECT(rig.host.events[TCEWIN_EVENT_STUCK] > 0);
	expect_retired(rig);
	EXPECT_EQ(rig.drop(block, memory(rig)), TCEWIN_STILL_MAPPED);
	for (unsigned i : {0U, 1U}) {
		EXPECT(rig.reach(low(rig), true, i));
		EXPECT_EQ(rig.release(i), TCEWIN_QUARANTINED);
		EXPECT(!rig.fake[i]->kernels);
	}
	tcewin_container_destroy(rig.container);
	rig.container = nullptr;
	EXPECT_EQ(rig.mm->pins.size(), 1);
	rig.host.firmware.check_reach("reaches memory that is not pinned");
}

void stuck_on_powervm(Test &t) { gets_stuck(t, powervm); }
void stuck_on_borrowed(Test &t) { gets_stuck(t, borrowed); }

constexpr tcewin_case cases[] = {
	CASE(on_qemu),
	CASE(on_powervm),
	CASE(on_vf),
	CASE(on_borrowed),
	CASE(two_on_qemu),
	CASE(two_on_powervm),
	CASE(two_on_vf),
	CASE(two_borrowed),
	CASE(without_default),
	CASE_ON_BOTH(without_windows),
	CASE_ON_BOTH(without_groups),
	CASE(v1),
	CASE(faults_on_qemu),
	CASE(faults_on_powervm),
	CASE(faults_on_vf),
	CASE(faults_on_borrowed),
	CASE(on_ioda2),
	CASE(two_on_ioda2),
	CASE(faults_on_ioda2),
	CASE(stuck_on_powervm),
	CASE(stuck_on_borrowed),
};

} // namespace

TCEWIN_SUITE(retire, cases);
