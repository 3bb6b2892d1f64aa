// SPDX-License-Identifier: GPL-2.0-only
// The hand-over of a PE between the kernel and a user: nothing of the kernel's is left for the user, nothing of the
// user's for the kernel, and when neither can be had the PE is nobody's.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// A PE that the kernel has, and what the engine makes of it.
class Kernels
{
public:
	Kernels(Test &test, const Personality &p) : t{test}, host{test.host()}, fake{host.firmware.new_pe(p)}
	{
		host.firmware.give_to_kernel(fake);
		EXPECT_EQ(tcewin_pe_adopt(fake, p.platform, &pe), TCEWIN_OK);
	}
	Kernels(const Kernels &) = delete;
	~Kernels()
	{
		host.injector.disarm();
		tcewin_pe_destroy(pe);
	}

	int take()
	{
		fake->in_hand_over = true;
		const int status = tcewin_pe_take(pe);
		fake->in_hand_over = false;
		return status;
	}
	// A user has had it, and the platform cannot have it back.
	void get_quarantined()
	{
		ASSERT_EQ(take(), TCEWIN_OK);
		host.injector.arm(Point::platform_release, {.at = 1});
		EXPECT_EQ(tcewin_pe_release(pe), TCEWIN_QUARANTINED);
		host.injector.disarm();
	}
	int recover()
	{
		fake->in_hand_over = true;
		const int status = tcewin_pe_recover(pe);
		fake->in_hand_over = false;
		return status;
	}
	// Whether the device finds one of the kernel's translations.
	bool kernel_reachable()
	{
		return host.firmware.device_access(fake, fake->info.default_start, true).has_value();
	}
	void expect_owner(tcewin_owner owner)
	{
		EXPECT_EQ(tcewin_pe_owner(pe), owner);
		EXPECT_EQ(fake->kernels, owner == TCEWIN_OWNER_KERNEL);
	}

	Test &t;
	FakeHost &host;
	FakePe *fake;
	tcewin_pe *pe{};
};

void there_and_back(Test &t, const Personality &p)
{
	Kernels k{t, p};
	for (int round = 0; round < 3; round++) {
		EXPECT(k.kernel_reachable());
		ASSERT_EQ(k.take(), TCEWIN_OK);
		k.expect_owner(TCEWIN_OWNER_USER);
		EXPECT(!k.kernel_reachable());
		EXPECT(k.host.firmware.idle(k.fake));
		k.host.settled();
		EXPECT_EQ(k.take(), TCEWIN_OK); // the second function
		EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
		k.expect_owner(TCEWIN_OWNER_KERNEL);
		EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
	}
}

void on_qemu(Test &t) { there_and_back(t, Personality::qemu()); }
void on_powervm(Test &t) { there_and_back(t, Personality::powervm()); }
void on_vf(Test &t) { there_and_back(t, Personality::powervm_vf()); }
void on_ioda2(Test &t) { there_and_back(t, Personality::ioda2()); }
void on_borrowed(Test &t) { there_and_back(t, Personality::without_ddw()); }

// A user maps, leaves without a word, and the kernel finds nothing of it.
void used_between(Test &t, const Personality &p)
{
	Kernels k{t, p};
	Rig rig{t, {.personality = p}};
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	ASSERT_EQ(k.take(), TCEWIN_OK);
	ASSERT_EQ(tcewin_container_attach(rig.container, k.pe), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, mib), TCEWIN_OK);
	EXPECT_EQ(tcewin_container_detach(rig.container, k.pe), TCEWIN_OK);
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
}

void used_between_on_powervm(Test &t) { used_between(t, Personality::powervm()); }
void used_between_on_ioda2(Test &t) { used_between(t, Personality::ioda2()); }

// Whatever fails at whichever call: the kernel has the PE as before, or the user has it and nothing of the kernel's
// with it.
void take_fails(Test &t, const Personality &p)
{
	for (Point point : {Point::platform_take, Point::query, Point::reset, Point::remove, Point::any_hcall,
			    Point::announce, Point::yield, Point::unset_window})
		for (u64 at = 1;; at++) {
			Note which{t, "point", static_cast<u64>(point)};
			bool more = false;
			{
				Kernels k{t, p};
				k.host.injector.arm(point, {.at = at, .status = -1});
				const int status = k.take();
				more = k.host.injector.hits(point) != 0;
				k.host.injector.disarm();
				k.expect_owner(status ? TCEWIN_OWNER_KERNEL : TCEWIN_OWNER_USER);
				EXPECT_EQ(k.kernel_reachable(), status != TCEWIN_OK);
				EXPECT_EQ(k.take(), TCEWIN_OK);
				EXPECT(!k.kernel_reachable());
				EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
			}
			t.fresh_host();
			if (!more || t.failed())
				break;
		}
}

constexpr Personality small(Personality p)
{
	p.default_size = 4 * mib;
	return p;
}
void take_fails_on_qemu(Test &t) { take_fails(t, small(Personality::qemu())); }
void take_fails_on_vf(Test &t) { take_fails(t, small(Personality::powervm_vf())); }
void take_fails_on_ioda2(Test &t) { take_fails(t, small(Personality::ioda2())); }
void take_fails_on_borrowed(Test &t) { take_fails(t, small(Personality::without_ddw())); }

// The kernel cannot be told of its window, and firmware does not let it go: it gets the PE back, and has heard of no
// window.
void take_fails_for_good(Test &t)
{
	Kernels k{t, Personality::powervm()};
	k.host.injector.arm(Point::announce, {.at = 1, .onwards = true});
	k.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
	EXPECT_EQ(k.take(), TCEWIN_NO_MEMORY);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
	EXPECT_EQ(k.fake->announced.size(), 0);
	k.host.injector.disarm();
	EXPECT_EQ(k.take(), TCEWIN_OK);
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
}

void release_fails(Test &t)
{
	Kernels k{t, Personality::of(t.machine())};
	k.get_quarantined();
	EXPECT_EQ(tcewin_pe_owner(k.pe), TCEWIN_OWNER_QUARANTINED);
	EXPECT_EQ(k.take(), TCEWIN_QUARANTINED);
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_QUARANTINED);
	EXPECT(k.host.events[TCEWIN_EVENT_STUCK] > 0);
	k.host.events[TCEWIN_EVENT_STUCK] = 0;
}

// The kernel has no memory for its table: the PE is nobody's until it has some, and then it is the kernel's as ever.
void no_memory_to_release(Test &t)
{
	Kernels k{t, Personality::of(t.machine())};
	ASSERT_EQ(k.take(), TCEWIN_OK);
	k.host.injector.arm(Point::platform_release, {.at = 1, .onwards = true, .status = no_memory});
	for (int round = 0; round < 3; round++) {
		EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_NO_MEMORY);
		k.expect_owner(TCEWIN_OWNER_RETURNING);
		EXPECT(!k.kernel_reachable());
	}
	k.host.injector.disarm();
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
	EXPECT(k.kernel_reachable());
	EXPECT_EQ(k.take(), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_USER);
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
	EXPECT_EQ(k.host.events[TCEWIN_EVENT_STUCK], 0);
}

// The next user comes before the kernel has what it needs, or after.
void no_memory_to_take_again(Test &t)
{
	Kernels k{t, Personality::of(t.machine())};
	ASSERT_EQ(k.take(), TCEWIN_OK);
	k.host.injector.arm(Point::platform_release, {.at = 1, .onwards = true, .status = no_memory});
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_NO_MEMORY);
	EXPECT_EQ(k.take(), TCEWIN_NO_MEMORY);
	k.expect_owner(TCEWIN_OWNER_RETURNING);
	k.host.injector.disarm();
	EXPECT_EQ(k.take(), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_USER);
	EXPECT(!k.kernel_reachable());
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
}

// What then cannot be had is refused for another reason: that is no shortage.
void refused_after_no_memory(Test &t)
{
	Kernels k{t, Personality::of(t.machine())};
	ASSERT_EQ(k.take(), TCEWIN_OK);
	k.host.injector.arm(Point::platform_release, {.at = 1, .status = no_memory});
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_NO_MEMORY);
	k.host.injector.arm(Point::platform_release, {.at = 1});
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_QUARANTINED);
	EXPECT_EQ(tcewin_pe_owner(k.pe), TCEWIN_OWNER_QUARANTINED);
	EXPECT(k.host.events[TCEWIN_EVENT_STUCK] > 0);
	k.host.events[TCEWIN_EVENT_STUCK] = 0;
}

// The platform has let go of the PE, which then cannot be read; and it has no memory to have it back.
void no_way_back_from_take(Test &t)
{
	Kernels k{t, Personality::of(t.machine())};
	k.host.injector.arm(Point::platform_take, {.at = 1, .status = no_memory});
	EXPECT_EQ(k.take(), TCEWIN_NO_MEMORY);
	k.expect_owner(TCEWIN_OWNER_RETURNING);
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
	EXPECT_EQ(k.take(), TCEWIN_OK);
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
}

// A translation of the user's cannot be taken back: the kernel does not get the PE, nor does anyone.
void nothing_to_give_back(Test &t)
{
	Kernels k{t, Personality::powervm()};
	Rig rig{t, {.personality = Personality::powervm()}};
	rig.host.stuck_is_expected = true;
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	ASSERT_EQ(k.take(), TCEWIN_OK);
	ASSERT_EQ(tcewin_container_attach(rig.container, k.pe), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(k.fake->info.default_start, block, mib), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	EXPECT_EQ(tcewin_container_detach(rig.container, k.pe), TCEWIN_OK);
	EXPECT_EQ(tcewin_pe_owner(k.pe), TCEWIN_OWNER_USER); // the window went, and its translations with it
}

// Out of quarantine: its devices have gone and come. What was left is gone, and the kernel has the PE as ever.
void recovers(Test &t)
{
	Kernels k{t, Personality::of(t.machine())};
	k.get_quarantined();
	k.host.events[TCEWIN_EVENT_STUCK] = 0;
	EXPECT_EQ(k.recover(), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
	EXPECT(k.kernel_reachable());
	EXPECT_EQ(k.take(), TCEWIN_OK);
	EXPECT_EQ(k.recover(), TCEWIN_OK); // of a user's: a release
	k.expect_owner(TCEWIN_OWNER_KERNEL);
}

// Nothing but a reset that firmware makes, and a default window that the hypervisor empties, is a proof.
void recovers_when_proven(Test &t, const Personality &p)
{
	Kernels k{t, p};
	Rig rig{t, {.personality = p, .kind = TCEWIN_CONTAINER_V2_ANY_PE}};
	rig.host.stuck_is_expected = true;
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	ASSERT_EQ(k.take(), TCEWIN_OK);
	ASSERT_EQ(tcewin_container_attach(rig.container, k.pe), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(k.fake->info.default_start, block, mib), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	rig.host.injector.arm(Point::remove, {.at = 1, .onwards = true});
	EXPECT_EQ(tcewin_container_detach(rig.container, k.pe), TCEWIN_STUCK);
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_QUARANTINED);
	EXPECT_EQ(k.recover(), TCEWIN_QUARANTINED); // reset, but what the default window holds is not known
	rig.host.injector.disarm();
	if (p.max_windows != 0) {
		rig.host.injector.arm(Point::reset, {.at = 1});
		EXPECT_EQ(k.recover(), TCEWIN_QUARANTINED);
		rig.host.injector.disarm();
	}
	EXPECT_EQ(tcewin_pe_owner(k.pe), TCEWIN_OWNER_QUARANTINED);
	EXPECT_EQ(k.take(), TCEWIN_QUARANTINED);
	EXPECT_EQ(k.recover(), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
	ASSERT_EQ(k.take(), TCEWIN_OK);
	EXPECT(!k.kernel_reachable());
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_OK);
}

// On bare metal it is that OPAL unsets every window.
void recovers_when_unset(Test &t)
{
	Kernels k{t, Personality::of(t.machine())};
	Rig rig{t, {.kind = TCEWIN_CONTAINER_V2}};
	rig.host.stuck_is_expected = true;
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	ASSERT_EQ(k.take(), TCEWIN_OK);
	ASSERT_EQ(tcewin_container_attach(rig.container, k.pe), TCEWIN_OK);
	rig.host.injector.arm(Point::unset_window, {.at = 1, .onwards = true});
	EXPECT_EQ(tcewin_container_detach(rig.container, k.pe), TCEWIN_OK); // its table is emptied
	EXPECT_EQ(tcewin_pe_release(k.pe), TCEWIN_QUARANTINED);
	EXPECT_EQ(k.recover(), TCEWIN_QUARANTINED);
	EXPECT_EQ(tcewin_pe_owner(k.pe), TCEWIN_OWNER_QUARANTINED);
	rig.host.injector.disarm();
	EXPECT_EQ(k.recover(), TCEWIN_OK);
	k.expect_owner(TCEWIN_OWNER_KERNEL);
	EXPECT(k.kernel_reachable());
}

void recovers_on_powervm(Test &t) { recovers_when_proven(t, Personality::powervm()); }
void recovers_on_borrowed(Test &t) { recovers_when_proven(t, small(Personality::without_ddw())); }

constexpr tcewin_case cases[] = {
	CASE(on_qemu),
	CASE(on_powervm),
	CASE(on_vf),
	CASE(on_ioda2),
	CASE(on_borrowed),
	CASE(used_between_on_powervm),
	CASE(used_between_on_ioda2),
	CASE(take_fails_on_qemu),
	CASE(take_fails_on_vf),
	CASE(take_fails_on_borrowed),
	CASE(take_fails_on_ioda2),
	CASE(take_fails_for_good),
	CASE_ON_BOTH(release_fails),
	CASE_ON_BOTH(no_memory_to_release),
	CASE_ON_BOTH(no_memory_to_take_again),
	CASE_ON_BOTH(refused_after_no_memory),
	CASE_ON_BOTH(no_way_back_from_take),
	CASE(nothing_to_give_back),
	CASE_ON_BOTH(recovers),
	CASE(recovers_on_powervm),
	CASE_ON_IODA2(recovers_when_unset),
	CASE(recovers_on_borrowed),
};

} // namespace

TCEWIN_SUITE(ownership, cases);
