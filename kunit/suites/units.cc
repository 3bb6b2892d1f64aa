// SPDX-License-Identifier: GPL-2.0-only
// Units, windows' geometry and TCE words at their edges. (That mixing units does not compile is tried in
// compile_fail/.)
#include "units.hh"

#include "geometry.hh"
#include "random.hh"
#include "suite.hh"
#include "tce.hh"

using namespace tcewin;
using tcewin::test::Random;
using tcewin::test::Test;

namespace
{

static_assert(sizeof(Ioba) == 8 && sizeof(Liobn) == 4 && std::is_trivially_copyable_v<Ioba>);

void page_shift(Test &t)
{
	for (u32 shift : {0U, 1U, 11U, 64U, 65U, 76U, ~0U})
		EXPECT(!PageShift::from(shift));
	for (u32 shift = 12; shift < 64; shift++) {
		const PageShift page = *PageShift::from(shift);
		EXPECT_EQ(page.size().raw(), u64{1} << shift);
		EXPECT(page.aligned(Bytes{u64{1} << shift}));
		EXPECT(!page.aligned(Bytes{u64{1} << (shift - 1)}));
		EXPECT(page.bytes(page.pages(page.size())) == page.size());
	}
}

void fits_in_space(Test &t)
{
	EXPECT(fits(Ioba{0}, Bytes{~u64{0}}));
	EXPECT(fits(UserVa{~u64{0}}, Bytes{0}));
	EXPECT(!fits(UserVa{~u64{0}}, Bytes{1}));
	EXPECT(fits(HostPhys{~u64{0} - 4096}, Bytes{4096}));
	EXPECT(!fits(HostPhys{~u64{0} - 4095}, Bytes{4096}));
}

void meet(Test &t)
{
	for (u64 a = 0; a < 6; a++)
		for (u64 b = a; b < 6; b++)
			for (u64 c = 0; c < 6; c++)
				for (u64 d = c; d < 6; d++) {
					const TceRange x{TceIndex{a}, TceCount{b - a}}, y{TceIndex{c}, TceCount{d - c}};
					const TceRange m = x.meet(y);
					for (u64 i = 0; i < 6; i++) {
						const bool in_both = i >= a && i < b && i >= c && i < d;
						const bool in_meet = i >= m.first.raw() && i < m.end().raw();
						EXPECT_EQ(in_meet, in_both);
					}
				}
}

// Every question about ranges, against arithmetic that cannot overflow.
void ranges_of_a_window(Test &t)
{
	using wide = unsigned __int128;
	Random random{7};
	const u64 top = ~u64{0};
	for (unsigned round = 0; round < t.rounds(200000); round++) {
		const u32 shift = 12 + static_cast<u32>(random.below(10));
		const u64 page = u64{1} << shift;
		const u64 size = random.small(64) * page;
		const u64 start = random.one_in(3)   ? 0
				  : random.one_in(2) ? (top - size) & ~(page - 1)
						     : random.next() >> 8 << shift;
		const WindowGeometry g{Ioba{start}, Bytes{size}, *PageShift::from(shift)};
		const u64 first = start + random.below(size / page) * page + (random.one_in(8) ? 512 : 0);
		const u64 length = random.one_in(8) ? random.next() & ~(page - 1)
						    : random.below(70) * page + (random.one_in(8) ? 512 : 0);
		const wide end = wide{first} + length, window_end = wide{start} + size;
		ASSERT(g.contains(Ioba{first}));
		const auto r = g.range(Ioba{first}, Bytes{length});
		const bool good = length && first % page == 0 && length % page == 0 && end <= window_end;
		ASSERT_EQ(r.has_value(), good);
		if (good) {
			EXPECT_EQ(r->first.raw(), (first - start) / page);
			EXPECT_EQ(r->count.raw(), length / page);
			EXPECT_EQ(g.address(r->first).raw(), first);
			EXPECT(r->end() <= g.all().end());
		} else if (length && (first | length) % page == 0) {
			EXPECT_EQ(r.error(), end >> 64 ? TCEWIN_OVERFLOW : TCEWIN_OUT_OF_WINDOW);
		}
	}
}

void contains_and_overlaps(Test &t)
{
	for (u64 base : {u64{0}, u64{1} << 59, 0 - (u64{16} << 12)})
		for (u64 a = 0; a < 8; a++)
			for (u64 n = 1; n < 8; n++)
				for (u64 b = 0; b < 8; b++)
					for (u64 m = 1; m < 8; m++) {
						const WindowGeometry x{Ioba{base + (a << 12)}, Bytes{n << 12}, page_4k};
						const WindowGeometry y{Ioba{base + (b << 12)}, Bytes{m << 12}, page_4k};
						EXPECT_EQ(x.overlaps(y), a < b + m && b < a + n);
						EXPECT_EQ(x.contains(y.start), b >= a && b < a + n);
					}
}

// As the hypervisor reads it: eight bytes, the most significant first.
void tce_in_memory(Test &t)
{
	const Tce tce{HostPhys{0x0123'4567'89ab'c000}, Access::both};
	const unsigned char expected[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xc0, 0x03};
	EXPECT_EQ(memcmp(&tce, expected, 8), 0);
	EXPECT_EQ(tce.word(), 0x0123'4567'89ab'c003);
	EXPECT(tce.real() == HostPhys{0x0123'4567'89ab'c000});
	EXPECT(tce.access() == Access::both);
	EXPECT(Tce{} == Tce(HostPhys{0}, Access::none));
	EXPECT(!writes(Access::read) && writes(Access::write) && writes(Access::both) && !writes(Access::none));
}

constexpr tcewin_case cases[] = {
	CASE(page_shift),	  CASE(fits_in_space),	       CASE(meet),
	CASE(ranges_of_a_window), CASE(contains_and_overlaps), CASE(tce_in_memory),
};

} // namespace

TCEWIN_SUITE(units, cases);
