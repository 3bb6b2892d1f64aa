// SPDX-License-Identifier: GPL-2.0-only
// REGISTER, MAP and UNMAP, v1 and v2, with a failure at every call.
#include "tcewin/engine.h"

#include "sweep.hh"

using namespace tcewin::test;

namespace
{

constexpr Personality qemu = with_small_default(Personality::qemu()),
		      powervm = with_small_default(Personality::powervm());
constexpr Personality without_batches()
{
	Personality p = qemu;
	p.default_size = 64 * kib;
	p.batches = false;
	return p;
}

void register_memory(Test &t) { sweep(t, {{qemu}, before::nothing, act::register_}); }
void unregister_memory(Test &t) { sweep(t, {{qemu}, before::registered, act::unregister}); }
void map(Test &t) { sweep(t, {{qemu}, before::with_maps, act::map}); }
void replace(Test &t) { sweep(t, {{qemu}, before::with_maps, act::replace}); }
void replace_on_two(Test &t) { sweep(t, {{powervm, 2}, before::both_attached, act::replace}); }
void replace_one_by_one(Test &t)
{
	sweep(t,
	      {{without_batches()}, before::few_maps, [](Rig &rig) { return rig.map(8 * kib, scattered, 24 * kib); }});
}
void unmap_one_by_one(Test &t)
{
	sweep(t, {{without_batches()}, before::few_maps, [](Rig &rig) { return rig.unmap(8 * kib, 24 * kib); }});
}
void unmap(Test &t) { sweep(t, {{qemu}, before::with_maps, act::unmap}); }
void unmap_inside(Test &t) { sweep(t, {{qemu}, before::with_maps, act::unmap_inside}); }
void unmap_all(Test &t) { sweep(t, {{powervm}, before::with_maps, act::unmap_all}); }
void unmap_on_two(Test &t) { sweep(t, {{qemu, 2}, before::both_attached, act::unmap}); }
constexpr Setup v1{.personality = qemu, .kind = TCEWIN_CONTAINER_V1};
void enable_v1(Test &t) { sweep(t, {v1, before::nothing, act::enable}); }
void disable_v1(Test &t) { sweep(t, {v1, before::enabled, act::disable}); }
void map_v1(Test &t) { sweep(t, {v1, before::enabled, act::map_v1}); }
void unmap_v1(Test &t) { sweep(t, {v1, before::enabled, act::unmap_v1}); }

constexpr tcewin_case cases[] = {
	CASE(register_memory),	  CASE(unregister_memory), CASE(map),	     CASE(replace),	 CASE(replace_on_two),
	CASE(replace_one_by_one), CASE(unmap_one_by_one),  CASE(unmap),	     CASE(unmap_inside), CASE(unmap_all),
	CASE(unmap_on_two),	  CASE(enable_v1),	   CASE(disable_v1), CASE(map_v1),	 CASE(unmap_v1)};

} // namespace

TCEWIN_SUITE(sweep_maps, cases);
