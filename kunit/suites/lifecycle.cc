// SPDX-License-Identifier: GPL-2.0-only
// The life of a container with one PE: default window, DDW, both gone and back, on each firmware.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// The default window needs no create.
void default_window(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0x10000, scattered, 64 * kib), TCEWIN_OK);
	rig.expect_mapped(0x10000, scattered, 64 * kib);
	rig.expect_unmapped(0, 0x10000);
	rig.expect_unmapped(0x20000, 0x10000);
	EXPECT_EQ(rig.unmap(0x10000, 64 * kib), TCEWIN_OK);
	rig.expect_unmapped(0, 0x30000);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.mm->locked, rig.mm->charged);
}

// A window of each page size beside the default window.
void ddw(Test &t, const Personality &p)
{
	for (u32 shift : {12U, 16U, 21U}) {
		if (!(p.page_sizes >> shift & 1))
			continue;
		Note at{t, "page shift", shift};
		Rig rig{t, {.personality = p}};
		ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
		ASSERT_EQ(rig.create(shift, gib << 8), TCEWIN_OK);
		EXPECT_EQ(rig.start, p.ddw_start);
		const u64 last = rig.start + (gib << 8) - 2 * mib;
		EXPECT_EQ(rig.map(rig.start, huge, 8 * mib), TCEWIN_OK);
		EXPECT_EQ(rig.map(last, huge + 16 * mib, 2 * mib), TCEWIN_OK);
		EXPECT_EQ(rig.map(p.default_start, huge, 64 * kib), TCEWIN_OK);
		rig.expect_mapped(rig.start, huge, 8 * mib);
		rig.expect_mapped(last, huge + 16 * mib, 2 * mib);
		rig.expect_mapped(p.default_start, huge, 64 * kib);
		EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
		EXPECT_EQ(rig.fake[0]->tables.size(), 1);
		rig.expect_mapped(p.default_start, huge, 64 * kib);
	}
}

void ddw_on_qemu(Test &t) { ddw(t, Personality::qemu()); }
void ddw_on_powervm(Test &t) { ddw(t, Personality::powervm()); }
void ddw_on_ioda2(Test &t) { ddw(t, Personality::ioda2()); }

// QEMU's first act: remove the default window that nobody has touched, then make it again.
void default_window_removed_first(Test &t, const Personality &p)
{
	Rig rig{t, {.personality = p}};
	EXPECT_EQ(rig.remove(p.default_start), TCEWIN_OK);
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(p.default_start, scattered, 4 * kib), TCEWIN_NO_WINDOW);
	EXPECT_EQ(rig.unmap(p.default_start, 4 * kib), TCEWIN_NO_WINDOW);
	EXPECT_EQ(rig.remove(p.default_start), TCEWIN_UNKNOWN_WINDOW);
	EXPECT_EQ(rig.valid(), 0);
	ASSERT_EQ(rig.create(12, p.default_size), TCEWIN_OK);
	EXPECT_EQ(rig.start, p.default_start);
	EXPECT_EQ(rig.map(p.default_start + p.default_size - 4 * kib, scattered, 4 * kib), TCEWIN_OK);
	rig.expect_mapped(p.default_start + p.default_size - 4 * kib, scattered, 4 * kib);
}

void removed_first_on_qemu(Test &t) { default_window_removed_first(t, Personality::qemu()); }
void removed_first_on_powervm(Test &t) { default_window_removed_first(t, Personality::powervm()); }
void removed_first_on_ioda2(Test &t) { default_window_removed_first(t, Personality::ioda2()); }
void removed_first_on_vf(Test &t) { default_window_removed_first(t, Personality::powervm_vf()); }

// Less of the default window than there is: the end that was asked for counts.
void default_window_in_part(Test &t)
{
	Rig rig{t};
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	ASSERT_EQ(rig.create(12, 16 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0);
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(16 * mib - 4 * kib, scattered, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(16 * mib - 4 * kib, scattered, 8 * kib), TCEWIN_OUT_OF_WINDOW);
	EXPECT_EQ(rig.map(16 * mib, scattered, 4 * kib), TCEWIN_NO_WINDOW);
	rig.expect_unmapped(16 * mib, mib);
}

// PowerVM, whose default window is not at 0, where the case runs on an LPAR.
Personality powervm_or_ioda2(const Test &t)
{
	return t.machine() == Machine::ioda2 ? Personality::ioda2() : Personality::powervm();
}

// Removing a window ends what is mapped in it, and the memory can go.
void remove_with_maps(Test &t)
{
	Rig rig{t, {.personality = powervm_or_ioda2(t)}};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	const u64 ddw = rig.start, low = rig.personality().default_start;
	EXPECT_EQ(rig.map(low, scattered, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	EXPECT_EQ(rig.remove(low), TCEWIN_OK);
	rig.expect_unmapped(low, 64 * kib);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(ddw), TCEWIN_OK);
	EXPECT(rig.idle(0));
}

// The user is gone with everything mapped: no device reaches anything.
void closed_with_maps(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start, huge, huge_size), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	rig.close();
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.mm->locked, 0);
}

// SIGKILL in the middle of a MAP: it is undone, and the release that follows runs to its end though the signal is still
// there.
void killed(Test &t)
{
	Rig rig{t, {powervm_or_ioda2(t), 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(12, gib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, 8 * mib), TCEWIN_OK);
	rig.host.injector.arm(Point::yield, {.at = 7, .onwards = true});
	EXPECT_EQ(rig.map(rig.start, block + 8 * mib, 32 * mib), TCEWIN_INTERRUPTED);
	rig.expect_mapped(rig.start, block, 8 * mib);
	rig.expect_unmapped(rig.start + 8 * mib, 24 * mib);
	for (unsigned i : {0U, 1U})
		EXPECT_EQ(rig.detach(i), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(block, block_size), TCEWIN_OK);
}

// Nor does it need memory that there is no more of.
void released_without_memory(Test &t)
{
	Rig rig{t, {powervm_or_ioda2(t), 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(12, gib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, 8 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start + 10 * mib, block, 8 * mib), TCEWIN_OK);
	rig.host.injector.arm(Point::alloc, {.at = 1, .onwards = true});
	rig.host.injector.arm(Point::charge, {.at = 1, .onwards = true});
	for (unsigned i : {0U, 1U})
		EXPECT_EQ(rig.detach(i), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
}

// DPDK: the default window goes, a window of tens of TiB comes at 0, segments are mapped where they are. The UNMAP of
// its release 22.11 says the page's address as size: all below is unmapped and the page itself is not.
void as_dpdk(Test &t)
{
	Rig rig{t};
	tcewin_container_info info{};
	ASSERT_EQ(tcewin_container_get_info(rig.container, &info), TCEWIN_OK);
	ASSERT_EQ(rig.remove(info.default_start), TCEWIN_OK);
	ASSERT_EQ(rig.create(21, 64 * tib), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(huge, huge, huge_size), TCEWIN_OK);
	rig.expect_mapped(huge, huge, huge_size);
	EXPECT_EQ(rig.unmap(0, huge), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_STILL_MAPPED);
	rig.close();
	EXPECT_EQ(rig.mm->pins.size(), 0);
}

// QEMU: the default window goes untouched and comes back at the guest's wish, page by page; the DDW with one level more
// each time.
void as_qemu(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.create(12, 0x40000000, 2), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0);
	for (u64 at = 0; at < mib; at += 4 * kib)
		ASSERT_EQ(rig.map(at, block + at, 4 * kib), TCEWIN_OK);
	ASSERT_EQ(rig.create(16, gib, 2), TCEWIN_OK);
	const u64 ddw = rig.start;
	ASSERT_EQ(rig.map(ddw, block, block_size), TCEWIN_OK);
	rig.expect_mapped(0, block, mib);
	// the guest resets its PHB
	EXPECT_EQ(rig.unmap(ddw, gib), TCEWIN_OK);
	EXPECT_EQ(rig.remove(ddw), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(0, 0x40000000), TCEWIN_OK);
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.create(12, 0x40000000, 2), TCEWIN_OK);
	EXPECT_EQ(rig.start, 0);
}

void ten_thousand_windows(Test &t)
{
	Rig rig{t};
	for (unsigned i = 0, n = t.rounds(10000); i < n; i++) {
		ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
		ASSERT_EQ(rig.remove(rig.start), TCEWIN_OK);
	}
}

void info(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	tcewin_container_info i{};
	ASSERT_EQ(tcewin_container_get_info(rig.container, &i), TCEWIN_OK);
	EXPECT_EQ(i.default_start, 0x10000000);
	EXPECT_EQ(i.default_size, 0x10000000);
	EXPECT_EQ(i.page_sizes, 0x400311000);
	EXPECT_EQ(i.max_windows, 2);
	EXPECT_EQ(i.max_levels, 1);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(tcewin_container_get_info(rig.container, &i), TCEWIN_NO_GROUP);
}

// GET_INFO has no room for such a window: it is used where it is, and removed by the 0 that GET_INFO says.
void default_window_above_4g(Test &t, u32 max_windows)
{
	Personality p = Personality::powervm_vf_above_4g();
	p.max_windows = max_windows;
	Rig rig{t, {.personality = p}};
	tcewin_container_info i{};
	ASSERT_EQ(tcewin_container_get_info(rig.container, &i), TCEWIN_OK);
	EXPECT_EQ(i.default_start, 0);
	EXPECT_EQ(i.default_size, 0);
	EXPECT_EQ(i.max_windows, max_windows);
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, 4 * kib), TCEWIN_NO_WINDOW);
	ASSERT_EQ(rig.map(p.default_start, scattered, 4 * kib), TCEWIN_OK);
	rig.expect_mapped(p.default_start, scattered, 4 * kib);
	ASSERT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.map(p.default_start, scattered, 4 * kib), TCEWIN_NO_WINDOW);
	EXPECT_EQ(rig.remove(0), TCEWIN_UNKNOWN_WINDOW);
	ASSERT_EQ(rig.create(12, gib), TCEWIN_OK);
	EXPECT_EQ(rig.start, p.ddw_start);
	EXPECT_EQ(rig.map(rig.start, scattered, 4 * kib), TCEWIN_OK);
	rig.expect_mapped(rig.start, scattered, 4 * kib);
	EXPECT_EQ(rig.remove(0), TCEWIN_UNKNOWN_WINDOW);
	ASSERT_EQ(rig.remove(rig.start), TCEWIN_OK);
	ASSERT_EQ(rig.create(12, p.default_size), TCEWIN_OK);
	EXPECT_EQ(rig.start, p.default_start);
	EXPECT_EQ(rig.remove(p.default_start), TCEWIN_OK);
}

void above_4g(Test &t) { default_window_above_4g(t, 2); }
void above_4g_on_vf(Test &t) { default_window_above_4g(t, 1); }

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(default_window),
	CASE(ddw_on_qemu),
	CASE(ddw_on_powervm),
	CASE(ddw_on_ioda2),
	CASE(removed_first_on_qemu),
	CASE(removed_first_on_powervm),
	CASE(removed_first_on_vf),
	CASE(removed_first_on_ioda2),
	CASE_ON_BOTH(default_window_in_part),
	CASE_ON_BOTH(remove_with_maps),
	CASE_ON_BOTH(closed_with_maps),
	CASE_ON_BOTH(ten_thousand_windows),
	CASE_ON_BOTH(killed),
	CASE_ON_BOTH(released_without_memory),
	CASE_ON_BOTH(as_dpdk),
	CASE_ON_BOTH(as_qemu),
	CASE(info),
	CASE(above_4g),
	CASE(above_4g_on_vf),
};

} // namespace

TCEWIN_SUITE(lifecycle, cases);
