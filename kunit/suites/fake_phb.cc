// SPDX-License-Identifier: GPL-2.0-only
// The memory that the fake PHBs walk, and how they walk it: each mistake is made once, by hand.
#include "fake_phb.hh"

#include <bit>

#include "fake_host.hh"
#include "rig.hh"

using namespace tcewin::test;

namespace
{

void bad_levels(Test &t)
{
	Bare m{t};
	Complaints &c = m.c;
	void *level = tcewin_host_level_alloc(8 * kib), *other = tcewin_host_level_alloc(4 * kib);
	EXPECT(level && other && level != other);
	EXPECT_EQ(m.host.levels.bytes(), 12 * kib);
	const u64 real = tcewin_host_real_address(level);
	EXPECT_EQ(real % (8 * kib), 0);
	EXPECT_EQ(tcewin_host_level_at(real), level);
	EXPECT_EQ(c.take(), 0);
	// a pointer is no real address, nor is the middle of a level, nor what nobody was told
	for (u64 wrong :
	     {reinterpret_cast<u64>(level), real + 8, real + 4 * kib, real + 8 * kib, real + 16 * kib, u64{0}}) {
		Note at{t, "real", wrong};
		EXPECT(!tcewin_host_level_at(wrong));
		EXPECT_EQ(c.take(), 1);
	}
	for (u64 bytes : {2 * kib, 12 * kib, u64{0}}) {
		EXPECT(!tcewin_host_level_alloc(bytes));
		EXPECT_EQ(c.take(), 1);
	}
	m.host.injector.arm(Point::level, {.at = 1});
	EXPECT(!tcewin_host_level_alloc(4 * kib));
	EXPECT_EQ(c.take(), 0);
	m.host.levels.finish();
	EXPECT_EQ(c.take(), 1);
	tcewin_host_level_free(level, 4 * kib);
	EXPECT_EQ(c.take(), 1);
	tcewin_host_level_free(level, 8 * kib);
	EXPECT_EQ(c.take(), 1);
	EXPECT(!tcewin_host_level_at(real));
	EXPECT_EQ(c.take(), 1);
	tcewin_host_level_free(other, 4 * kib);
	m.host.levels.finish();
	EXPECT_EQ(c.take(), 0);
}

u64 big_endian(u64 word)
{
	u64 stored = 0;
	for (unsigned i = 0; i < 8; i++)
		reinterpret_cast<unsigned char *>(&stored)[i] = static_cast<unsigned char>(word >> (56 - 8 * i));
	return stored;
}

void bad_walks(Test &t)
{
	Bare m{t};
	Complaints &c = m.c;
	auto *root = static_cast<u64 *>(tcewin_host_level_alloc(4 * kib));
	auto *leaf = static_cast<u64 *>(tcewin_host_level_alloc(4 * kib));
	const u64 real = tcewin_host_real_address(root), below = tcewin_host_real_address(leaf);
	const FakePhb phb{c, m.host.levels, {real, 2, 4 * kib, 16}};
	EXPECT_EQ(phb.reach(), 512 * 512);
	root[511] = big_endian(below | 3);
	leaf[510] = big_endian(0x1234'0001);
	leaf[511] = big_endian(0x5678'0003);
	EXPECT_EQ(phb.word(512 * 512 - 1), 0x5678'0003);
	EXPECT_EQ(phb.word(512 * 512 - 2), 0x1234'0001);
	EXPECT_EQ(phb.word(511), 0);
	EXPECT(phb.access((512 * 512 - 2) * 64 * kib + 5, false) == std::optional<u64>{0x1234'0005});
	EXPECT(!phb.access((512 * 512 - 2) * 64 * kib + 5, true));
	EXPECT_EQ(c.take(), 0);
	EXPECT_EQ(phb.word(512 * 512), 0);
	EXPECT_EQ(c.take(), 1);
	root[0] = big_endian(below);
	EXPECT_EQ(phb.word(0), 0);
	EXPECT_EQ(c.take(), 0);
	for (u64 link : {below | 1, below | 2, below | 7, below | 0x803, (below + 4 * kib) | 3,
			 reinterpret_cast<u64>(leaf) | 3, std::byteswap(below | 3)}) {
		Note at{t, "link", link};
		root[0] = big_endian(link);
		EXPECT_EQ(phb.word(0), 0);
		EXPECT_EQ(c.take(), 1);
	}
	for (const PhbTable &told :
	     {PhbTable{real, 0, 4 * kib, 16}, PhbTable{real, 6, 4 * kib, 0}, PhbTable{real, 1, 2 * kib, 16},
	      PhbTable{real, 1, 12 * kib, 16}, PhbTable{real, 4, 4 * kib, 19}, PhbTable{real + 8, 1, 4 * kib, 16}}) {
		Note at{t, "levels", told.levels};
		const FakePhb refused{c, m.host.levels, told};
		EXPECT_EQ(c.take(), 1);
	}
	// larger than it is
	EXPECT_EQ((FakePhb{c, m.host.levels, {real, 1, 8 * kib, 16}}.word(0)), 0);
	EXPECT(c.take() >= 1);
	tcewin_host_level_free(leaf, 4 * kib);
	EXPECT_EQ(phb.word(512 * 512 - 1), 0);
	EXPECT_EQ(c.take(), 1);
	tcewin_host_level_free(root, 4 * kib);
	EXPECT_EQ(phb.word(0), 0);
	EXPECT_EQ(c.take(), 1);
}

constexpr tcewin_case cases[] = {CASE(bad_levels), CASE(bad_walks)};

} // namespace

TCEWIN_SUITE(fake_phb, cases);
