// SPDX-License-Identifier: GPL-2.0-only
// How a PHB walks a table in memory (IODA2 chapter 3; OPAL_PCI_MAP_PE_DMA_WINDOW tells it of one). Written without
// core/, whose tables it reads word by word, and unlike QEMU's it complains of what real hardware cannot forgive.
#pragma once

#include <optional>

#include "complaints.hh"
#include "fake_levels.hh"

namespace tcewin::test
{

// What OPAL is told.
struct PhbTable {
	u64 root;	 // real address
	u32 levels;	 // 1 to 5
	u64 level_bytes; // of each level, the only one included
	u32 page_shift;
};

class FakePhb
{
public:
	FakePhb(Complaints &complaints, const FakeLevels &memory, const PhbTable &table);

	// How many entries the hardware can get at, whatever the window's size is.
	u64 reach() const { return u64{1} << (table_.levels * shift_); }
	// The TCE behind @index, 0 where a level is missing. Complains of an index that the hardware cannot get at and
	// of a link that leads to no level.
	u64 word(u64 index) const;
	// f(index, word) for every valid TCE, or every one of [first, end), in order; levels that are missing cost no
	// time.
	template <class F>
	void each(F f) const
	{
		each_in(0, reach(), f);
	}
	template <class F>
	void each_in(u64 first, u64 end, F f) const
	{
		visit({table_.root, table_.levels - 1, 0}, first, end, f);
	}
	// f(real address, first entry, end) for every level there is, the root included; the end may be the table's.
	template <class F>
	void each_level(F f) const
	{
		visit_levels({table_.root, table_.levels - 1, 0}, f);
	}
	// The level at @real is one of the table's.
	bool uses(u64 real) const
	{
		bool found = false;
		each_level([&](u64 level, u64, u64) { found |= level == real; });
		return found;
	}
	// Where an access at @offset bytes behind the window's start ends up.
	std::optional<u64> access(u64 offset, bool write) const;

private:
	struct Level {
		u64 real;
		u32 above; // so many levels are below it
		u64 first; // entry
	};
	template <class F>
	void visit(const Level &l, u64 first, u64 end, F &f) const
	{
		const void *words = level(l.real, l.first);
		const u32 span = l.above * shift_;
		const u64 skipped = first > l.first ? (first - l.first) >> span : 0;
		for (u64 i = skipped; words && i < u64{1} << shift_ && l.first + (i << span) < end; i++) {
			const u64 word = load(words, i), at = l.first + (i << span);
			if (!l.above && word)
				f(at, word);
			else if (const auto below = l.above ? follow(word) : std::nullopt)
				visit({*below, l.above - 1, at}, first, end, f);
		}
	}
	template <class F>
	void visit_levels(const Level &l, F &f) const
	{
		const u32 span = l.above * shift_;
		const void *words = level(l.real, l.first);
		f(l.real, l.first, l.first + (u64{1} << (span + shift_)));
		for (u64 i = 0; l.above && words && i < u64{1} << shift_; i++)
			if (const auto below = follow(load(words, i)))
				visit_levels({*below, l.above - 1, l.first + (i << span)}, f);
	}
	static u64 load(const void *level, u64 i);
	const void *level(u64 real, u64 index) const;
	std::optional<u64> follow(u64 link) const;

	Complaints &complaints_;
	const FakeLevels &memory_;
	PhbTable table_;
	u32 shift_; // log2 of the words of a level
};

} // namespace tcewin::test
