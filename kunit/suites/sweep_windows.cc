// SPDX-License-Identifier: GPL-2.0-only
// CREATE and REMOVE, and PEs that come, with a failure at every call.
#include "tcewin/engine.h"

#include "sweep.hh"

using namespace tcewin::test;

namespace
{

constexpr Personality qemu = with_small_default(Personality::qemu()),
		      powervm = with_small_default(Personality::powervm()),
		      vf = with_small_default(Personality::powervm_vf());

void create(Test &t) { sweep(t, {{qemu}, before::nothing, act::create}); }
void create_powervm(Test &t) { sweep(t, {{powervm}, before::nothing, act::create}); }
void create_beside_none(Test &t) { sweep(t, {{powervm}, before::no_default, act::create}); }
void create_beside_none_on_two(Test &t) { sweep(t, {{powervm, 2}, before::second_without_default, act::create}); }
void create_vf(Test &t) { sweep(t, {{vf}, before::no_default, act::create}); }
void create_default(Test &t) { sweep(t, {{qemu}, before::no_default, act::create_default}); }
void create_default_vf(Test &t) { sweep(t, {{vf}, before::no_default, act::create_default}); }
void create_on_two(Test &t) { sweep(t, {{qemu, 2}, before::second_attached, act::create}); }
void create_default_on_two(Test &t) { sweep(t, {{powervm, 2}, before::second_without_default, act::create_default}); }
void remove(Test &t) { sweep(t, {{qemu}, before::with_maps, act::remove}); }
void remove_powervm(Test &t) { sweep(t, {{powervm}, before::with_maps, act::remove}); }
void remove_default(Test &t) { sweep(t, {{powervm}, before::with_maps, act::remove_default}); }
void remove_last(Test &t) { sweep(t, {{powervm}, before::maps_in_last, act::remove}); }
void remove_last_vf(Test &t) { sweep(t, {{vf}, before::maps_in_last, act::remove}); }
void remove_untouched(Test &t) { sweep(t, {{qemu}, before::nothing, act::remove_default}); }
void attach_first(Test &t) { sweep(t, {{qemu}, before::detached, act::attach_first}); }
void attach_first_vf(Test &t) { sweep(t, {{vf}, before::detached, act::attach_first}); }
void attach_second(Test &t) { sweep(t, {{powervm, 2}, before::with_maps, act::attach_second}); }
void attach_second_qemu(Test &t) { sweep(t, {{qemu, 2}, before::with_maps, act::attach_second}); }
// Not even the empty default window is there: the hypervisor would not empty it, and firmware took it away.
void detached_bare(Rig &rig)
{
	Test &t = rig.t;
	before::detached(rig);
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.fake[0]->tables.size(), 0);
}
void attach_first_bare(Test &t) { sweep(t, {{qemu}, detached_bare, act::attach_first}); }
void attach_first_bare_vf(Test &t) { sweep(t, {{vf}, detached_bare, act::attach_first}); }

constexpr tcewin_case cases[] = {CASE(create),
				 CASE(create_powervm),
				 CASE(create_beside_none),
				 CASE(create_beside_none_on_two),
				 CASE(create_vf),
				 CASE(create_default),
				 CASE(create_default_vf),
				 CASE(create_on_two),
				 CASE(create_default_on_two),
				 CASE(remove),
				 CASE(remove_powervm),
				 CASE(remove_default),
				 CASE(remove_last),
				 CASE(remove_last_vf),
				 CASE(remove_untouched),
				 CASE(attach_first),
				 CASE(attach_first_vf),
				 CASE(attach_second),
				 CASE(attach_second_qemu),
				 CASE(attach_first_bare),
				 CASE(attach_first_bare_vf)};

} // namespace

TCEWIN_SUITE(sweep_windows, cases);
