// SPDX-License-Identifier: GPL-2.0-only
// PEs without DDW: what the other sweeps do, with a failure at every call.
#include "tcewin/engine.h"

#include "sweep.hh"

using namespace tcewin::test;

namespace
{

constexpr Personality borrowed = with_small_default(Personality::without_ddw());

constexpr Setup borrowed_v1{.personality = borrowed, .kind = TCEWIN_CONTAINER_V1};
constexpr Setup any_pe{.personality = borrowed, .pes = 2, .kind = TCEWIN_CONTAINER_V2_ANY_PE};
// A little is enough here: MAP and UNMAP know nothing of the PE.
void enabled_a_little(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.enable(), TCEWIN_OK);
	EXPECT_EQ(rig.map(64 * kib, scattered, 128 * kib), TCEWIN_OK);
}
int replace_default(Rig &rig) { return rig.map(rig.start + 32 * kib, scattered + mib, 64 * kib); }
int unmap_default(Rig &rig) { return rig.unmap(rig.start + 32 * kib, mib); }
void disable_v1(Test &t)
{
	sweep(t, {borrowed_v1, enabled_a_little, [](Rig &rig) { return rig.disable(); }});
}
void map_v1(Test &t)
{
	sweep(t, {borrowed_v1, enabled_a_little, [](Rig &rig) { return rig.map(0, scattered, 128 * kib); }});
}
void unmap_v1(Test &t)
{
	sweep(t, {borrowed_v1, enabled_a_little, [](Rig &rig) { return rig.unmap(0, 128 * kib); }});
}
void attach_first(Test &t) { sweep(t, {any_pe, before::detached, act::attach_first}); }
void attach_second(Test &t) { sweep(t, {any_pe, before::default_maps, act::attach_second}); }
void attach_to_none(Test &t) { sweep(t, {any_pe, before::no_default, act::attach_second}); }
void create(Test &t) { sweep(t, {any_pe, before::second_without_default, act::create_default}); }
void remove(Test &t) { sweep(t, {any_pe, before::default_maps, act::remove_default}); }
void remove_on_two(Test &t) { sweep(t, {any_pe, before::default_maps_on_two, act::remove_default}); }
void replace(Test &t) { sweep(t, {any_pe, before::default_maps_on_two, replace_default}); }
void unmap(Test &t) { sweep(t, {any_pe, before::default_maps_on_two, unmap_default}); }

constexpr tcewin_case cases[] = {CASE(disable_v1),    CASE(map_v1),	    CASE(unmap_v1), CASE(attach_first),
				 CASE(attach_second), CASE(attach_to_none), CASE(create),   CASE(remove),
				 CASE(remove_on_two), CASE(replace),	    CASE(unmap)};

} // namespace

TCEWIN_SUITE(sweep_borrowed, cases);
