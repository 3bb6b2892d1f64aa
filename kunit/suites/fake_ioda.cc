// SPDX-License-Identifier: GPL-2.0-only
// The fake PHBs and the memory that they walk: each thing that hardware or OPAL would not forgive is done once, by
// hand.
#include "fake_ioda.hh"

#include "fake_host.hh"
#include "rig.hh"

using namespace tcewin::test;

namespace
{

u64 big_endian(u64 word)
{
	u64 stored = 0;
	for (unsigned i = 0; i < 8; i++)
		reinterpret_cast<unsigned char *>(&stored)[i] = static_cast<unsigned char>(word >> (56 - 8 * i));
	return stored;
}

// A PE that the user has, some pinned memory, and a table of two levels, 16 pages of 64 KiB.
struct Hand : Bare {
	explicit Hand(Test &test) : Bare{test}, mm{host.memory.new_mm()}, pe{host.firmware.new_pe(Personality::ioda2())}
	{
		host.memory.back(mm, block, mib, 20);
		u32 to_file = 0;
		EXPECT_EQ(tcewin_host_pin(mm, block, mib, &pin, &to_file), TCEWIN_OK);
		tcewin_extent first;
		EXPECT_EQ(tcewin_host_pin_extents(pin, block, 4 * kib, &first, 1), 1);
		real = first.real;
		root = static_cast<u64 *>(tcewin_host_level_alloc(4 * kib));
		leaf = static_cast<u64 *>(tcewin_host_level_alloc(4 * kib));
		root[0] = big_endian(tcewin_host_real_address(leaf) | 3);
		info = {.start = 0,
			.size = mib,
			.root = root,
			.page_shift = 16,
			.levels = 2,
			.level_shift = 9,
			.liobn = 0};
		table = tcewin_host_table_new(nullptr, nullptr, &info);
	}
	void set() { EXPECT_EQ(tcewin_host_set_window(pe, 0, table), TCEWIN_OK); }
	void put(u64 index, u64 word) { leaf[index] = big_endian(word); }
	u64 page(u64 i) const { return real + i * 64 * kib; }
	std::optional<u64> reach(u64 ioba, bool write = true) { return host.firmware.device_access(pe, ioba, write); }
	u64 complaints_when_settled()
	{
		host.ioda.settled();
		return c.take();
	}

	FakeMm *mm;
	FakePe *pe;
	void *pin{};
	u64 real{};
	u64 *root, *leaf;
	tcewin_table_info info;
	tcewin_host_table *table;
};

// What was there, and what was not, until it is invalidated.
void remembers(Test &t)
{
	Hand h{t};
	h.put(1, h.page(1) | 3);
	h.set();
	EXPECT(h.reach(64 * kib) == h.page(1));
	EXPECT_EQ(h.complaints_when_settled(), 0);
	h.put(0, h.page(0) | 3);
	h.put(1, h.page(5) | 1);
	h.put(15, h.page(2) | 3);
	EXPECT(!h.reach(0));
	EXPECT(h.reach(64 * kib) == h.page(1));
	EXPECT_EQ(h.complaints_when_settled(), 3);
	tcewin_host_invalidate(h.table, 0, 15);
	EXPECT(h.reach(5) == h.page(0) + 5);
	EXPECT(!h.reach(64 * kib));
	EXPECT(h.reach(64 * kib + 77, false) == h.page(5) + 77);
	EXPECT(!h.reach(mib - 1));
	EXPECT_EQ(h.complaints_when_settled(), 1);
	tcewin_host_invalidate(h.table, 15, 1);
	EXPECT(h.reach(mib - 1) == h.page(3) - 1);
	h.put(0, 0);
	EXPECT(h.reach(0).has_value());
	EXPECT_EQ(h.complaints_when_settled(), 1);
	tcewin_host_invalidate(h.table, 0, 1);
	EXPECT(!h.reach(0, false));
	EXPECT_EQ(h.complaints_when_settled(), 0);
	EXPECT_EQ(h.host.ioda.invalidations.size(), 3);
}

// Neither the word that is there nor the one that was may lead to memory that is not pinned.
void reach_of_both(Test &t)
{
	Hand h{t};
	h.put(1, h.page(1) | 1);
	h.set();
	h.put(1, 0);
	h.put(2, h.page(2) | 1);
	h.host.firmware.check_reach("reaches");
	EXPECT_EQ(h.c.take(), 0);
	tcewin_host_unpin(h.mm, h.pin);
	EXPECT_EQ(h.c.take(), 2);
	tcewin_host_invalidate(h.table, 0, 16);
	EXPECT_EQ(h.c.take(), 1); // 2 is no TCE to speak of
	h.host.firmware.check_reach("reaches");
	EXPECT_EQ(h.c.take(), 2); // as it is, and as it is remembered
}

// Undone, but a PHB may have seen it.
void sees_what_is_undone(Test &t)
{
	Hand h{t};
	h.set();
	h.put(3, h.page(3) | 3);
	h.host.injector.arm(Point::yield, {.at = 1});
	EXPECT(tcewin_host_yield() != 0);
	h.put(3, 0);
	EXPECT_EQ(h.complaints_when_settled(), 1);
	EXPECT(h.mm->writable.contains(block + 3 * 64 * kib, block + 4 * 64 * kib));
	tcewin_host_invalidate(h.table, 4, 12);
	EXPECT_EQ(h.complaints_when_settled(), 1);
	tcewin_host_invalidate(h.table, 3, 1);
	EXPECT_EQ(h.complaints_when_settled(), 0);
}

void bad_entries(Test &t)
{
	Hand h{t};
	h.set();
	const u64 unpinned = h.real + mib;
	for (u64 word : {h.page(0) | 2, h.page(0), h.page(0) | 7, (h.page(0) + 4 * kib) | 3, unpinned | 1}) {
		Note at{t, "word", word};
		h.put(7, word);
		tcewin_host_invalidate(h.table, 7, 1);
		EXPECT_EQ(h.c.take(), 1);
	}
	h.put(7, 0);
	tcewin_host_invalidate(h.table, 7, 1);
	EXPECT_EQ(h.c.take(), 0);
	// behind the window's end, where the level goes on: not known, so that every end of an operation says so
	h.put(16, h.page(0) | 3);
	EXPECT_EQ(h.complaints_when_settled(), 1);
	EXPECT_EQ(h.complaints_when_settled(), 1);
}

void bad_invalidations(Test &t)
{
	Hand h{t};
	h.set();
	const struct {
		u64 first, count;
	} bad[] = {{0, 0}, {0, 17}, {15, 2}, {16, 1}, {~u64{0}, 1}, {1, ~u64{0}}};
	for (const auto &b : bad) {
		tcewin_host_invalidate(h.table, b.first, b.count);
		EXPECT_EQ(h.c.take(), 1);
	}
	EXPECT_EQ(tcewin_host_unset_window(h.pe, 0), TCEWIN_OK);
	tcewin_host_invalidate(h.table, 0, 16); // in vain
	EXPECT_EQ(h.c.take(), 0);
	tcewin_host_table_free(h.table);
	tcewin_host_invalidate(h.table, 0, 16);
	EXPECT_EQ(h.c.take(), 1);
}

void bad_tables(Test &t)
{
	Hand h{t};
	const auto refused = [&](auto spoil) {
		tcewin_table_info info = h.info;
		spoil(info);
		EXPECT(tcewin_host_table_new(nullptr, nullptr, &info));
		return h.c.take();
	};
	EXPECT_EQ(refused([](auto &) {}), 0);
	EXPECT(refused([&](auto &i) { i.root = h.root + 1; }) > 0);
	EXPECT_EQ(refused([](auto &i) { i.size = 0; }), 1);
	EXPECT_EQ(refused([](auto &i) { i.size += 4 * kib; }), 1);
	EXPECT_EQ(refused([](auto &i) { i.start = 4 * kib; }), 1);
	EXPECT_EQ(refused([](auto &i) { i.size = 32 * gib; }), 1); // 2^19 entries, 2^18 words
	EXPECT_EQ(refused([](auto &i) { i.levels = 5; }), 1);	   // 61 bits
	EXPECT_EQ(refused([](auto &i) { i.level_shift = 8; }), 1);
	h.host.injector.arm(Point::table, {.at = 1});
	EXPECT(!tcewin_host_table_new(nullptr, nullptr, &h.info));
}

void bad_places(Test &t)
{
	Hand h{t};
	FakePe *kernels = h.host.firmware.new_pe(Personality::ioda2());
	h.host.firmware.give_to_kernel(kernels);
	tcewin_host_set_window(h.pe, 1, h.table);
	EXPECT_EQ(h.c.take(), 1); // it begins elsewhere
	EXPECT_EQ(tcewin_host_unset_window(h.pe, 1), TCEWIN_OK);
	EXPECT_EQ(tcewin_host_unset_window(h.pe, 1), TCEWIN_OK);
	EXPECT_EQ(h.c.take(), 0);
	EXPECT(tcewin_host_set_window(h.pe, 2, h.table) != TCEWIN_OK);
	EXPECT_EQ(h.c.take(), 1);
	h.set();
	h.set();
	EXPECT_EQ(h.c.take(), 1);
	EXPECT_EQ(tcewin_host_unset_window(h.pe, 0), TCEWIN_OK);
	h.host.injector.arm(Point::set_window, {.at = 1});
	EXPECT_EQ(tcewin_host_set_window(h.pe, 0, h.table), TCEWIN_FIRMWARE_ERROR);
	EXPECT(!h.reach(0));
	tcewin_host_set_window(kernels, 0, h.table);
	EXPECT(h.c.take() >= 2); // which has a window there, too
	tcewin_host_unset_window(kernels, 1);
	EXPECT_EQ(h.c.take(), 1);
	tcewin_host_ddw_reset(h.pe);
	EXPECT_EQ(h.c.take(), 1);
	tcewin_host_put_tce(0, 0, 0);
	EXPECT_EQ(h.c.take(), 1);
}

// Everything of a table stays as long as a PHB may walk it.
void bad_ends(Test &t)
{
	Hand h{t};
	h.set();
	tcewin_host_table_free(h.table);
	EXPECT_EQ(h.c.take(), 1);
	h.host.injector.arm(Point::unset_window, {.at = 1});
	EXPECT_EQ(tcewin_host_unset_window(h.pe, 0), TCEWIN_FIRMWARE_ERROR);
	EXPECT_EQ(h.c.take(), 0);
	tcewin_host_table_free(h.table);
	EXPECT_EQ(h.c.take(), 1);
	tcewin_host_platform_release(h.pe);
	EXPECT(h.c.take() > 0);
	{
		Hand other{t};
		other.set();
		tcewin_host_level_free(other.leaf, 4 * kib);
		EXPECT_EQ(other.c.take(), 1);
		EXPECT(other.complaints_when_settled() > 0);
		other.host.ioda.finish();
		EXPECT_EQ(other.c.take(), 1);
		EXPECT_EQ(tcewin_host_unset_window(other.pe, 0), TCEWIN_OK);
		tcewin_host_table_free(other.table);
		EXPECT_EQ(other.c.take(), 0);
		tcewin_host_table_free(other.table);
		EXPECT_EQ(other.c.take(), 1);
	}
}

// A level that was unlinked is free to go once all of its entries were forgotten.
void remembers_levels(Test &t)
{
	Hand h{t};
	h.set();
	h.root[0] = 0;
	tcewin_host_level_free(h.leaf, 4 * kib);
	EXPECT_EQ(h.c.take(), 1);
	h.leaf = static_cast<u64 *>(tcewin_host_level_alloc(4 * kib));
	h.root[0] = big_endian(tcewin_host_real_address(h.leaf) | 3);
	h.host.injector.arm(Point::charge, {.at = 1});
	EXPECT_EQ(tcewin_host_charge(h.mm, 4 * kib), TCEWIN_NO_MEMORY);
	tcewin_host_invalidate(h.table, 0, 16); // too early
	h.root[0] = 0;
	tcewin_host_invalidate(h.table, 1, 15); // too few
	u64 *const second = static_cast<u64 *>(tcewin_host_level_alloc(4 * kib));
	h.root[1] = big_endian(tcewin_host_real_address(second) | 3);
	tcewin_host_level_free(h.leaf, 4 * kib);
	EXPECT_EQ(h.c.take(), 1);
	h.root[1] = 0; // nobody walked there yet
	tcewin_host_level_free(second, 4 * kib);
	EXPECT_EQ(h.c.take(), 0);
	h.leaf = static_cast<u64 *>(tcewin_host_level_alloc(4 * kib));
	h.root[0] = big_endian(tcewin_host_real_address(h.leaf) | 3);
	EXPECT_EQ(h.complaints_when_settled(), 0);
	h.root[0] = 0;
	tcewin_host_invalidate(h.table, 0, 16);
	tcewin_host_level_free(h.leaf, 4 * kib);
	EXPECT_EQ(h.c.take(), 0);
}

// A put that got the engine stuck leaves an entry in doubt. The glue can keep one count for that.
void second_doubt(Test &t)
{
	Hand h{t};
	h.host.kvm.keep(h.table, 1);
	EXPECT_EQ(h.c.take(), 0);
	h.host.kvm.keep(h.table, 2);
	EXPECT_EQ(h.c.take(), 1);
}

constexpr tcewin_case cases[] = {
	CASE(remembers),   CASE(remembers_levels),  CASE(reach_of_both), CASE(sees_what_is_undone),
	CASE(bad_entries), CASE(bad_invalidations), CASE(bad_tables),	 CASE(bad_places),
	CASE(bad_ends),	   CASE(second_doubt),
};

} // namespace

TCEWIN_SUITE(fake_ioda, cases);
