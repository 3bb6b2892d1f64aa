// SPDX-License-Identifier: GPL-2.0-only
// How many levels a table in our own memory gets, and how large: some by hand, and all against a search.
#include "level_tree.hh"

#include <bit>

#include "level_bench.hh"
#include "rig.hh"

using namespace tcewin;
using tcewin::test::gib;
using tcewin::test::kib;
using tcewin::test::level_window;
using tcewin::test::mib;
using tcewin::test::Note;
using tcewin::test::Test;
using tcewin::test::tib;

namespace
{

struct Form {
	u64 size;
	u32 page_shift, asked, host_shift;
	u32 levels; // 0: BAD_LEVELS
	u64 level_bytes;
};

constexpr Form forms[] = {
	{1 * gib, 12, 1, 12, 2, 4 * kib},
	{1 * tib, 16, 1, 12, 2, 32 * kib},
	{64 * tib, 21, 1, 12, 2, 64 * kib},
	{64 * tib, 16, 1, 12, 3, 8 * kib},
	{64 * tib, 12, 1, 12, 3, 32 * kib},
	{4 * kib, 12, 1, 12, 1, 4 * kib},
	{16 * gib, 34, 1, 12, 1, 4 * kib},
	{32 * mib, 12, 1, 12, 1, 64 * kib},
	{32 * mib + 4 * kib, 12, 1, 12, 2, 4 * kib},
	// what is asked for is the least
	{1 * gib, 12, 0, 12, 2, 4 * kib},
	{1 * gib, 12, 4, 12, 4, 4 * kib},
	{4 * kib, 12, 3, 12, 3, 4 * kib},
	{1 * gib, 12, 5, 12, 0, 0}, // 57 bits
	{4 * kib, 12, 6, 12, 0, 0},
	{4 * kib, 12, ~0U, 12, 0, 0},
	// a host of 64 KiB pages
	{4 * kib, 12, 1, 16, 1, 64 * kib},
	{1 * gib, 12, 1, 16, 2, 64 * kib},
	{64 * tib, 12, 1, 16, 3, 64 * kib},
	{1 * tib, 16, 1, 16, 2, 64 * kib},
	{64 * tib, 21, 1, 16, 2, 64 * kib},
	{64 * tib, 16, 1, 16, 2, 256 * kib},
	{64 * tib, 16, 3, 16, 0, 0}, // 55 bits
	{128 * tib, 16, 1, 16, 0, 0},
	{1 * gib, 12, 4, 16, 0, 0},
};

void shapes(Test &t)
{
	for (u64 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const Form &f = forms[i];
		Note at{t, "form", i};
		const auto s =
			LevelTree::shape(level_window(f.size, f.page_shift), f.asked, *PageShift::from(f.host_shift));
		ASSERT_EQ(s.has_value(), f.levels != 0);
		if (!s) {
			EXPECT_EQ(s.error(), TCEWIN_BAD_LEVELS);
			continue;
		}
		EXPECT_EQ(s->levels, f.levels);
		EXPECT_EQ(u64{8} << s->shift, f.level_bytes);
	}
}

struct Limits {
	u32 bits, page_shift, host_shift;
	bool allow(u32 levels, u32 shift, u32 largest) const
	{
		return shift * levels >= bits && shift + 3 >= host_shift && shift + 3 <= largest &&
		       shift * levels + page_shift < 55;
	}
};

// The fewest levels that are allowed, and of these the smallest; larger than 64 KiB and the host's page only where
// nothing else is, and then not beyond four pages.
LevelTree::Shape search(const Limits &limits, u32 asked)
{
	const u32 usual = limits.host_shift > 16 ? limits.host_shift : 16;
	for (u32 largest : {usual, limits.host_shift + 2})
		for (u32 levels = asked; levels <= 5; levels++)
			for (u32 shift = 0; shift < 55; shift++)
				if (limits.allow(levels, shift, largest))
					return {levels, shift};
	return {0, 0};
}

// Every power of two of entries, and one more and less than each.
void shapes_against_search(Test &t)
{
	for (u32 host_shift : {12U, 16U, 18U})
		for (u32 page_shift : {12U, 16U, 21U, 24U, 28U, 34U})
			for (u32 bits = 0; bits + page_shift < 60; bits++)
				for (u32 asked = 1; asked <= 6; asked++)
					for (int more = -1; more <= 1; more++) {
						const u64 entries = (u64{1} << bits) + more;
						if (!entries)
							continue;
						const Limits limits{static_cast<u32>(std::bit_width(entries - 1)),
								    page_shift, host_shift};
						const auto want = search(limits, asked);
						const auto s = LevelTree::shape(
							level_window(entries << page_shift, page_shift), asked,
							*PageShift::from(host_shift));
						Note at{t, "bits", bits};
						Note host{t, "host page shift", host_shift};
						ASSERT_EQ(s ? s->levels : 0, want.levels);
						ASSERT_EQ(s ? s->shift : 0, want.shift);
					}
}

constexpr tcewin_case cases[] = {CASE(shapes), CASE(shapes_against_search)};

} // namespace

TCEWIN_SUITE(level_shape, cases);
