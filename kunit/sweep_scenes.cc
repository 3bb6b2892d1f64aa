// SPDX-License-Identifier: GPL-2.0-only
// The states and operations of sweep.hh.
#include "sweep.hh"

namespace tcewin::test
{

namespace
{

// What mappings are measured in: enough for several batches, no more than a slow runner can bear.
u64 unit(const Rig &rig) { return rig.t.thorough() ? mib : mib / 2; }

} // namespace

namespace act
{

int register_(Rig &rig) { return rig.add(scattered, 2 * unit(rig)); }
int unregister(Rig &rig) { return rig.drop(scattered, 4 * unit(rig)); }
int create(Rig &rig) { return rig.create(16, gib); }
int remove(Rig &rig) { return rig.remove(rig.start); }
int remove_default(Rig &rig) { return rig.remove(rig.fake[0]->info.default_start); }
int create_default(Rig &rig) { return rig.create(12, rig.fake[0]->info.default_size); }
int attach_first(Rig &rig) { return rig.attach(0); }
int map(Rig &rig) { return rig.map(rig.start + 16 * unit(rig), scattered + 3 * unit(rig), 4 * unit(rig)); }
int replace(Rig &rig) { return rig.map(rig.start + unit(rig), scattered, 7 * unit(rig) + 8 * kib); }
int unmap(Rig &rig) { return rig.unmap(rig.start + unit(rig), 3 * unit(rig)); }
int unmap_inside(Rig &rig) { return rig.unmap(rig.start + 4 * kib, 4 * kib); }
int unmap_all(Rig &rig) { return rig.unmap(rig.start, gib); }
int attach_second(Rig &rig) { return rig.attach(1); }
int enable(Rig &rig) { return rig.enable(); }
int disable(Rig &rig) { return rig.disable(); }
int map_v1(Rig &rig) { return rig.map(mib / 2, scattered, 3 * mib); }
int unmap_v1(Rig &rig) { return rig.unmap(mib / 2, mib); }

} // namespace act

namespace before
{

void nothing(Rig &) {}
void registered(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.add(scattered, 4 * unit(rig)), TCEWIN_OK);
	EXPECT_EQ(rig.add(scattered + 4 * unit(rig), 4 * unit(rig)), TCEWIN_OK);
}
void with_ddw(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	EXPECT_EQ(rig.create(12, gib), TCEWIN_OK);
}
void with_maps(Rig &rig)
{
	Test &t = rig.t;
	with_ddw(rig);
	EXPECT_EQ(rig.map(rig.start, scattered, 2 * unit(rig)), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + 3 * unit(rig), scattered + 3 * unit(rig), 2 * unit(rig), TCEWIN_READ), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + 8 * unit(rig), scattered, 4 * kib, TCEWIN_WRITE), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.fake[0]->info.default_start, scattered, (rig.t.thorough() ? 4096 : 64) * kib), TCEWIN_OK);
}
void no_default(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(act::remove_default(rig), TCEWIN_OK);
}
void second_attached(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.attach(1), TCEWIN_OK);
}
void second_without_default(Rig &rig)
{
	second_attached(rig);
	no_default(rig);
}
void both_attached(Rig &rig)
{
	second_attached(rig);
	with_maps(rig);
}
void detached(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
}
void default_maps(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	rig.start = rig.fake[0]->info.default_start;
	const u64 size = (rig.t.thorough() ? 1024 : 64) * kib;
	EXPECT_EQ(rig.map(rig.start, scattered, size), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + size + 8 * kib, scattered, size, TCEWIN_READ), TCEWIN_OK);
}
void default_maps_on_two(Rig &rig)
{
	second_attached(rig);
	default_maps(rig);
}
void maps_in_last(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	no_default(rig);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 size = (rig.t.thorough() ? 640 : 16) * 64 * kib;
	EXPECT_EQ(rig.add(block, size), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start, block, size), TCEWIN_OK);
}
void few_maps(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, 16 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(20 * kib, scattered + 32 * kib, 16 * kib, TCEWIN_READ), TCEWIN_OK);
}
void enabled(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.enable(), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, 3 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(mib, scattered + 4 * mib, 8 * kib, TCEWIN_READ), TCEWIN_OK);
}

} // namespace before
} // namespace tcewin::test
