// SPDX-License-Identifier: GPL-2.0-only
// A table in our own memory by itself, for the suites of core/level_tree: the tree, a PHB that was told of it, and what
// is known about the tree without asking it.
#pragma once

#include "level_tree.hh"

#include "fake_host.hh"
#include "fake_phb.hh"

namespace tcewin::test
{

inline WindowGeometry level_window(u64 size, u32 page_shift)
{
	return {Ioba{u64{1} << 59}, Bytes{size}, *PageShift::from(page_shift)};
}
inline TceRange entries_at(u64 first, u64 count) { return {TceIndex{first}, TceCount{count}}; }

struct LevelKind {
	u64 size;
	u32 page_shift, asked, host_shift;
};

class LevelBench
{
public:
	LevelBench(Test &test, const LevelKind &kind) : t{test}, geometry{level_window(kind.size, kind.page_shift)}
	{
		t.host().memory.page_shift = kind.host_shift;
		mm = t.host().memory.new_mm();
		auto made = LevelTree::create(mm, geometry, kind.asked, LevelTree::Root::charged);
		EXPECT(made.has_value());
		if (made)
			tree = std::move(*made);
	}
	~LevelBench()
	{
		tree.reset();
		EXPECT_EQ(mm->charged, 0);
		EXPECT_EQ(t.host().levels.count(), 0);
	}

	u64 entries() const { return geometry.entries().raw(); }
	u64 leaf() const { return u64{1} << tree->shape().shift; }
	FakePhb phb() const
	{
		const LevelTree::Shape s = tree->shape();
		return {t.host().complaints,
			t.host().levels,
			{tcewin_host_real_address(tree->root()), s.levels, u64{8} << s.shift,
			 geometry.page_shift.raw()}};
	}
	// Another for each entry, and another each time, in both halves of the word.
	static Tce word(u64 i, u64 round = 0)
	{
		const u64 real = (round & 15) << 46 | (i + 1) << 16 | (round & 15) << 12;
		return Tce{HostPhys{real}, i % 3 ? Access::both : Access::read};
	}
	// Hardware sees them then.
	void put(u64 first, u64 count, u64 round = 0)
	{
		const TceRange all = entries_at(first, count);
		Tce words[64];
		for (u64 n; count; first += n, count -= n) {
			n = count < 64 ? count : 64;
			for (u64 i = 0; i < n; i++)
				words[i] = word(first + i, round);
			tree->put(TceIndex{first}, std::span{words, n});
		}
		tree->show(all);
	}
	Result<> reserve(u64 first, u64 count)
	{
		const auto r = tree->reserve(entries_at(first, count));
		if (r)
			needs(first, count);
		return r;
	}
	// What [first, first + count) needs has been reserved.
	void needs(u64 first, u64 count)
	{
		const LevelTree::Shape s = tree->shape();
		for (u64 l = first >> s.shift; l <= (first + count - 1) >> s.shift; l++)
			for (u32 above = 0; above + 1 < s.levels; above++)
				levels.put(u64{above} << 56 | l >> (above * s.shift), 1);
	}
	// No level but those that hold what was reserved, each charged.
	void expect_cost()
	{
		const u64 bytes = (levels.size() + 1) << (tree->shape().shift + 3);
		EXPECT_EQ(t.host().levels.bytes(), bytes);
		EXPECT_EQ(mm->charged, bytes);
	}

	Test &t;
	WindowGeometry geometry;
	FakeMm *mm;
	Owned<LevelTree> tree;
	Hash<u64> levels; // below the root
};

} // namespace tcewin::test
