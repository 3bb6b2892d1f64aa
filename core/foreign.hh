// SPDX-License-Identifier: GPL-2.0-only
// What somebody else than the container's ioctls has put into one table, entry by entry: KVM, for a guest's hypercalls.
// Each word here stands for one count of KVM's on the memory behind it. A word without permissions is a debt: the entry
// is gone, the count is not yet (see tcewin_host_table_settle()). Guarded by the window's lock.
#pragma once

#include <span>

#include "memory.hh"
#include "tce.hh"
#include "tree.hh"

namespace tcewin
{

class ForeignEntries
{
public:
	// Its memory is charged to @mm.
	explicit ForeignEntries(void *mm) : mm_{mm} {}
	ForeignEntries(const ForeignEntries &) = delete;
	~ForeignEntries() { clear(); }

	// An empty word where there is none.
	Tce get(TceIndex i) const;
	// Room for entry @i, which stays, and is paid for with what the host keeps for as many entries. NO_MEMORY. Does
	// not sleep.
	Result<> reserve(TceIndex i)
	{
		if (slot(i)) [[likely]]
			return {};
		return grow(i);
	}
	// Where its word is, as long as the entries are not cleared; nullptr: reserve() has not been called.
	Tce *slot(TceIndex i) const
	{
		if (const u64 at = i.raw() - near_first_; at < per_page) [[likely]]
			return &near_->words[at];
		return far(i);
	}
	// reserve() has been called, once, unless it is of no use.
	void set(TceIndex i, Tce word);

	bool empty() const { return pages_.empty(); }
	// All of them are forgotten.
	void clear();
	// The first words in @range that belong together: consecutive entries that are in the table (or else empty, at
	// the range's end); and where they are.
	TceRange next_valid(TceRange range) const
	{
		return empty() ? TceRange{range.end(), TceCount{0}} : find_valid(range);
	}
	void fill(TceIndex first, std::span<Tce> out) const;
	// The first entry in @range that has a word, debts included, or the range's end.
	TceIndex next_any(TceRange range) const;

private:
	static constexpr u64 per_page = 504;		// a host page, with what else is in it
	static constexpr std::size_t host_bytes = 4096; // the host's user addresses of these entries

	struct Page : TreeNode<Page> {
		Page(u64 n, Charge paid) : number{n}, charge{std::move(paid)} {}
		u64 key() const { return number; }
		u64 number;
		Charge charge;
		Tce words[per_page]{};
	};
	static_assert(sizeof(Page) <= 4096);
	[[gnu::noinline]] Tce *far(TceIndex i) const;
	[[gnu::noinline]] Result<> grow(TceIndex i);
	TceRange find_valid(TceRange range) const;
	template <class F>
	TceIndex find(TceRange range, F wanted) const;

	void *mm_;
	Tree<Page> pages_;
	// The page that was used last, and its first entry; none has this one.
	static constexpr u64 nowhere = u64{1} << 63;
	mutable Page *near_{};
	mutable u64 near_first_{nowhere};
};

} // namespace tcewin
