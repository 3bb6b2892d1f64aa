// SPDX-License-Identifier: GPL-2.0-only
// One operation of engine.h with a failure at every k-th call of each kind, until none is left to fail. Whatever fails:
// an error, all as before, no table ever in a state that is neither before nor after, and the next try works. With
// states to begin in and operations that several suites sweep.
#pragma once

#include "rig.hh"

namespace tcewin::test
{

struct Scenario {
	Setup setup;
	void (*prepare)(Rig &rig);
	int (*act)(Rig &rig);
};

void sweep(Test &t, const Scenario &s);

// Small enough that a reset is two H_STUFF_TCE.
constexpr Personality with_small_default(Personality p)
{
	p.default_size = 4 * mib;
	return p;
}

namespace before
{
void nothing(Rig &rig);
void registered(Rig &rig);
// A DDW beside the default window; the test's own window is rig.start.
void with_ddw(Rig &rig);
// Mappings with holes between, over two regions, reading and writing.
void with_maps(Rig &rig);
void no_default(Rig &rig);
void second_attached(Rig &rig);
void second_without_default(Rig &rig);
void both_attached(Rig &rig);
void detached(Rig &rig);
// What a PE without DDW can have, as with_maps().
void default_maps(Rig &rig);
void default_maps_on_two(Rig &rig);
// Mappings in a DDW that is the only window.
void maps_in_last(Rig &rig);
void few_maps(Rig &rig);
void enabled(Rig &rig);
} // namespace before

namespace act
{
int register_(Rig &rig);
int unregister(Rig &rig);
int create(Rig &rig);
int remove(Rig &rig);
int remove_default(Rig &rig);
int create_default(Rig &rig);
int attach_first(Rig &rig);
int attach_second(Rig &rig);
int map(Rig &rig);
// Over all of with_maps(): part of a run before, a hole, a run, a hole, and part of the run behind.
int replace(Rig &rig);
int unmap(Rig &rig);
int unmap_inside(Rig &rig);
int unmap_all(Rig &rig);
int enable(Rig &rig);
int disable(Rig &rig);
int map_v1(Rig &rig);
int unmap_v1(Rig &rig);
} // namespace act

} // namespace tcewin::test
