// SPDX-License-Identifier: GPL-2.0-only
// Tables in memory: what the other sweeps do, with a failure at every call.
#include "tcewin/engine.h"

#include "sweep.hh"

using namespace tcewin::test;

namespace
{

constexpr Personality ioda2 = with_small_default(Personality::ioda2());
constexpr Setup one{ioda2}, two{ioda2, 2}, v1{.personality = ioda2, .kind = TCEWIN_CONTAINER_V1};

void both_with_maps_without_default(Rig &rig)
{
	before::both_attached(rig);
	before::no_default(rig);
}

void register_memory(Test &t) { sweep(t, {one, before::nothing, act::register_}); }
void create(Test &t) { sweep(t, {one, before::nothing, act::create}); }
void create_lowest(Test &t) { sweep(t, {one, before::no_default, act::create}); }
void create_on_two(Test &t) { sweep(t, {two, before::second_attached, act::create}); }
void create_lowest_on_two(Test &t) { sweep(t, {two, before::second_without_default, act::create}); }
void remove(Test &t) { sweep(t, {one, before::with_maps, act::remove}); }
void remove_default(Test &t) { sweep(t, {one, before::with_maps, act::remove_default}); }
void remove_last(Test &t) { sweep(t, {one, before::maps_in_last, act::remove}); }
void attach_first(Test &t) { sweep(t, {one, before::detached, act::attach_first}); }
void attach_second(Test &t) { sweep(t, {two, before::with_maps, act::attach_second}); }
void attach_second_to_last(Test &t) { sweep(t, {two, before::maps_in_last, act::attach_second}); }
void attach_second_to_none(Test &t) { sweep(t, {two, before::no_default, act::attach_second}); }
void map(Test &t) { sweep(t, {one, before::with_maps, act::map}); }
void replace(Test &t) { sweep(t, {one, before::with_maps, act::replace}); }
void replace_on_two(Test &t) { sweep(t, {two, both_with_maps_without_default, act::replace}); }
void unmap(Test &t) { sweep(t, {one, before::with_maps, act::unmap}); }
void unmap_inside(Test &t) { sweep(t, {one, before::with_maps, act::unmap_inside}); }
void unmap_all(Test &t) { sweep(t, {one, before::with_maps, act::unmap_all}); }
void unmap_on_two(Test &t) { sweep(t, {two, before::both_attached, act::unmap}); }
void enable_v1(Test &t) { sweep(t, {v1, before::nothing, act::enable}); }
void disable_v1(Test &t) { sweep(t, {v1, before::enabled, act::disable}); }
void map_v1(Test &t) { sweep(t, {v1, before::enabled, act::map_v1}); }
void unmap_v1(Test &t) { sweep(t, {v1, before::enabled, act::unmap_v1}); }

constexpr tcewin_case cases[] = {
	CASE(register_memory),
	CASE(create),
	CASE(create_lowest),
	CASE(create_on_two),
	CASE(create_lowest_on_two),
	CASE(remove),
	CASE(remove_default),
	CASE(remove_last),
	CASE(attach_first),
	CASE(attach_second),
	CASE(attach_second_to_last),
	CASE(attach_second_to_none),
	CASE(map),
	CASE(replace),
	CASE(replace_on_two),
	CASE(unmap),
	CASE(unmap_inside),
	CASE(unmap_all),
	CASE(unmap_on_two),
	CASE(enable_v1),
	CASE(disable_v1),
	CASE(map_v1),
	CASE(unmap_v1),
};

} // namespace

TCEWIN_SUITE(sweep_ioda2, cases);
