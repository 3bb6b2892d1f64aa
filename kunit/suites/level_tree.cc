// SPDX-License-Identifier: GPL-2.0-only
// Tables in our own memory: their entries against flat arrays as a PHB walks them, and what they cost.
#include "level_tree.hh"

#include <bit>

#include "level_bench.hh"
#include "random.hh"
#include "rig.hh"

using namespace tcewin;
using tcewin::test::entries_at;
using tcewin::test::FakePhb;
using tcewin::test::Hash;
using tcewin::test::kib;
using tcewin::test::LevelBench;
using tcewin::test::LevelKind;
using tcewin::test::mib;
using tcewin::test::Note;
using tcewin::test::Random;
using tcewin::test::Test;
using tcewin::test::tib;

namespace
{

constexpr LevelKind kinds[] = {
	{64 * mib - 20 * kib, 12, 1, 12}, // ends within a leaf
	{8 * mib, 12, 1, 12},		  // one level
	{64 * mib, 12, 3, 12},
	{1 * tib, 12, 4, 12},
	{64 * tib, 16, 1, 12},
	{64 * tib, 21, 1, 16},
	{64 * tib, 16, 1, 16},
};

// Eight pieces of a table, each around a border between levels where the table is larger than all of them, and a flat
// array of what is in them.
class Islands
{
public:
	static constexpr u64 count = 8, length = 2048;
	explicit Islands(LevelBench &bench) : t{bench.t}, b{bench}, phb{bench.phb()} {}

	u64 base(u64 island) const
	{
		const u64 last = b.entries() - size();
		const u64 border = island * std::bit_floor(b.entries() / count);
		if (island == count - 1 || border > last)
			return last;
		return border > length / 2 ? border - length / 2 : 0;
	}
	u64 size() const { return b.entries() < length ? b.entries() : length; }
	void step(Random &random)
	{
		const u64 island = random.below(count), at = random.below(size());
		const u64 n = random.one_in(8) ? size() - at : random.small(size() - at > 600 ? 600 : size() - at);
		const u64 first = base(island) + at;
		switch (random.below(4)) {
		case 0:
			b.tree->clear(entries_at(first, n));
			set(first, n, 0);
			break;
		case 1:
			EXPECT(b.reserve(first, n).has_value());
			break;
		default:
			EXPECT(b.reserve(first, n).has_value());
			b.put(first, n, ++round);
			set(first, n, round);
		}
		b.expect_cost();
		const u64 from = first > 8 ? first - 8 : 0, to = first + n + 8;
		for (u64 i = from; i < to && i < b.entries(); i++)
			expect(i);
	}
	void expect(u64 i)
	{
		const u64 *at = there.find(i);
		if (phb.word(i) == (at ? LevelBench::word(i, *at).word() : 0))
			return;
		t.fail(__FILE__, __LINE__, tcewin::test::Line{}.add("wrong word of entry ").hexadecimal(i));
	}
	void expect_all()
	{
		for (u64 island = 0; island < count; island++)
			for (u64 i = 0; i < size() && !t.failed(); i++)
				expect(base(island) + i);
	}

private:
	void set(u64 first, u64 n, u64 with)
	{
		for (u64 i = first; i < first + n; i++)
			with ? there.put(i, with) : there.erase(i);
	}

	Test &t;
	LevelBench &b;
	FakePhb phb;
	Hash<u64> there; // entry to the round that it is of
	u64 round{};
};

void against_array(Test &t)
{
	for (u64 k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && !t.failed(); k++) {
		Note at{t, "kind", k};
		{
			LevelBench b{t, kinds[k]};
			ASSERT(b.tree);
			Islands islands{b};
			Random random{k + 1};
			b.expect_cost();
			for (unsigned round = 0; round < t.rounds(600) && !t.failed(); round++) {
				islands.step(random);
				if (round % 32 == 31)
					islands.expect_all();
			}
			islands.expect_all();
		}
		t.fresh_host();
	}
}

// What lies behind the window's end in the last level, or behind a last entry that is reserved, stays empty.
void beyond_the_end(Test &t)
{
	LevelBench b{t, {20 * mib + 12 * kib, 12, 2, 12}};
	ASSERT(b.tree);
	const FakePhb phb = b.phb();
	const u64 n = b.entries();
	ASSERT(b.reserve(0, n).has_value());
	b.put(0, n);
	b.expect_cost();
	ASSERT(phb.reach() > n);
	for (u64 i = 0; i < n; i++)
		ASSERT_EQ(phb.word(i), LevelBench::word(i).word());
	for (u64 i = n; i < phb.reach(); i++)
		ASSERT_EQ(phb.word(i), 0);
}

// What a device ends up at: start, permissions and offset in the page.
void access(Test &t)
{
	LevelBench b{t, {64 * tib, 21, 1, 12}};
	ASSERT(b.tree);
	const FakePhb phb = b.phb();
	const u64 last = b.entries() - 1, offset = last << 21 | 0x12345;
	EXPECT(!phb.access(offset, false));
	ASSERT(b.reserve(last, 1).has_value());
	EXPECT(!phb.access(offset, false));
	const Tce tce[] = {Tce{HostPhys{0x40'0000'0000}, Access::read}};
	b.tree->put(TceIndex{last}, tce);
	EXPECT(!phb.access(offset, false));
	b.tree->show(entries_at(last, 1));
	EXPECT(phb.access(offset, false) == std::optional<u64>{0x40'0001'2345});
	EXPECT(!phb.access(offset, true));
	EXPECT(!phb.access(offset - (u64{1} << 21), false));
	b.tree->clear(b.geometry.all());
	EXPECT(!phb.access(offset, false));
	b.expect_cost();
}

// The window's size costs nothing, a reserved entry at most one level of each kind.
void empty_costs_its_root(Test &t)
{
	for (const LevelKind &kind : kinds) {
		{
			LevelBench b{t, kind};
			ASSERT(b.tree);
			b.expect_cost();
			b.tree->clear(entries_at(0, b.entries() < mib ? b.entries() : mib));
			b.tree->clear(entries_at(b.entries() - 1, 1));
			EXPECT_EQ(t.host().levels.count(), 1);
			EXPECT(b.reserve(b.entries() - 1, 1).has_value());
			b.expect_cost();
			EXPECT_EQ(t.host().levels.count(), b.tree->shape().levels);
			EXPECT(b.reserve(b.entries() - 1, 1).has_value());
			EXPECT_EQ(t.host().levels.count(), b.tree->shape().levels);
		}
		t.fresh_host();
	}
}

constexpr tcewin_case cases[] = {CASE(against_array), CASE(beyond_the_end), CASE(access), CASE(empty_costs_its_root)};

} // namespace

TCEWIN_SUITE(level_tree, cases);
