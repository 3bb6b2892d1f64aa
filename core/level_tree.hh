// SPDX-License-Identifier: GPL-2.0-only
// A table in our own memory, as IODA2 walks it: 1 to 5 levels of big-endian words, the last one TCEs, the others real
// addresses of the next with both permission bits. A level exists once reserve() has named an entry below it, so an
// empty window costs its root. Owned by a window's table; guarded by the window's lock.
#pragma once

#include <atomic>
#include <span>

#include "geometry.hh"
#include "memory.hh"
#include "tce.hh"

namespace tcewin
{

class LevelTree
{
public:
	// How many levels there are, and log2 of the words of each.
	struct Shape {
		u32 levels;
		u32 shift;
		u64 level_bytes() const { return sizeof(Tce) << shift; }
	};
	// At least @asked levels, each a host page or more, and as many as keep each within 64 KiB. Pages of 64 KiB are
	// too large for that: a third level of them is beyond what hardware walks, so that they get two of up to four
	// pages. BAD_LEVELS when no shape holds @geometry's entries, or the hardware would not walk it.
	static Result<Shape> shape(const WindowGeometry &geometry, u32 asked, PageShift host_page);
	// Whether the user pays for the first level; he does for all others.
	enum class Root { charged, free };
	// Charged to @mm. BAD_LEVELS, NO_MEMORY.
	static Result<Owned<LevelTree>> create(void *mm, const WindowGeometry &geometry, u32 levels, Root first);
	LevelTree(Shape shape, Tce *root, Charge charge) : shape_{shape}, root_{root}, charge_{std::move(charge)} {}
	LevelTree(const LevelTree &) = delete;
	// No device reaches it any more.
	~LevelTree();

	// The user pays for none of it any more.
	void end_charge() { charge_.end(); }

	const Tce *root() const { return root_; }
	Shape shape() const { return shape_; }

	// There is a level for every entry of @range from now on, though hardware does not see a new one before show().
	// NO_MEMORY, INTERRUPTED: as it was. Sleeps, as take_back() does and nothing else here.
	Result<> reserve(TceRange range);
	// The same for one entry. NO_MEMORY: as it was. Does not sleep.
	Result<> reserve_now(TceIndex i);
	// Hardware sees the levels of @range, and what is in them.
	void show(TceRange range);
	// Those that it has not seen are gone, with what is in them.
	void take_back(TceRange range);
	// Its level is the one that was shown last.
	bool is_near(TceIndex i) const { return near_ && i.raw() >> shape_.shift == near_number_; }
	// One entry, if that is so.
	bool set_near(TceIndex i, Tce word)
	{
		if (!is_near(i))
			return false;
		store(near_[slot(i, 0)], word.readable());
		return true;
	}
	// reserve() has been called. What the device may write it may read: hardware knows no other way.
	void put(TceIndex first, std::span<const Tce> words);
	// Where a level is missing there is nothing to clear.
	void clear(TceRange range);
	// One entry, whatever somebody who has the window's lock is doing to the tree meanwhile: a level that hardware
	// sees stays. Does not sleep.
	void clear_beside(TceIndex i) const;

private:
	// A device may read the word at any time: old or new, never half of each.
	static void store(Tce &slot, Tce word) { std::atomic_ref{slot}.store(word, std::memory_order_relaxed); }
	// Entries below one word of a level that is @above levels from the last.
	u32 span_shift(u32 above) const { return above * shape_.shift; }
	u64 slot(TceIndex i, u32 above) const { return i.raw() >> span_shift(above) & ((u64{1} << shape_.shift) - 1); }
	TceIndex end_of_leaf(TceIndex i) const { return TceIndex{((i.raw() >> shape_.shift) + 1) << shape_.shift}; }
	Tce *leaf(TceIndex i) const;
	enum class Patience { sleeps, now };
	Result<> grow(TceIndex i, Patience patience);
	template <class F>
	void descend(TceIndex i, F f);
	u64 free_level(Tce *level, u32 above);

	bool near(TceRange range) const
	{
		return near_ && range.first.raw() >> shape_.shift == near_number_ &&
		       (range.end().raw() - 1) >> shape_.shift == near_number_;
	}

	Shape shape_;
	Tce *root_;
	Charge charge_;
	// The last level that was shown last: one request after the other finds it without a walk.
	Tce *near_{};
	u64 near_number_{};
};

} // namespace tcewin
