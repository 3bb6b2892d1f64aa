// SPDX-License-Identifier: GPL-2.0-only
// Which user memory each TCE of a window maps, as runs: consecutive entries over consecutive addresses of one region
// with one access. A failed batch is rewritten from here, a window is cleared by visiting what is here. Guarded by the
// window's lock.
#pragma once

#include "memory.hh"
#include "region.hh"
#include "table.hh"
#include "tree.hh"

namespace tcewin
{

// Entries [first, first + count) map @address on. Charged to the user's locked memory while it exists.
struct Run : TreeNode<Run> {
	// NO_MEMORY, also when the user's limit does not allow one more.
	static Result<Owned<Run>> create(void *mm);
	explicit Run(Charge paid) : charge{std::move(paid)} {}
	Run(const Run &) = delete;

	u64 key() const { return range.first.raw(); }
	UserVa address_of(TceIndex i, PageShift page) const { return address + page.bytes(i - range.first); }
	// The TCEs of [from, from + out.size()), which is part of this run.
	void fill(TceIndex from, PageShift page, std::span<Tce> out) const
	{
		region->fill(address_of(from, page), page, access, out);
	}

	Charge charge;
	TceRange range{};
	UserVa address;
	Region *region{};
	Access access{};
};

// Runs in order of their entries that are not (yet) in a ledger: what a MAP is going to write.
class RunList
{
public:
	RunList() = default;
	RunList(const RunList &) = delete;
	~RunList()
	{
		while (take())
			;
	}
	void append(Owned<Run> run);
	Owned<Run> take();
	Run *first() const { return first_; }
	static Run *next(const Run *r) { return r->right; }

private:
	Run *first_{};
	Run *last_{};
};

class Ledger
{
public:
	explicit Ledger(PageShift page) : page_{page} {}
	Ledger(const Ledger &) = delete;
	~Ledger();

	bool empty() const { return runs_.empty(); }
	// The first run that has an entry at or behind @from, or nullptr; and the one behind it.
	Run *at_or_after(TceIndex from) const;
	static Run *next(const Run *r) { return Tree<Run>::next(r); }

	// One run has entries on both sides of @range.
	bool cut_by(TceRange range) const;
	// Forgets [range): @spare is for a run that is cut_by() it. The proof says that no table holds these entries
	// any more.
	void erase(TceRange range, Owned<Run> spare, const Settled &proof);
	// Remembers the runs of @list, whose entries are free here.
	void insert(RunList &list);

private:
	void insert_one(Owned<Run> run);
	void drop(const Run &run, TceRange part);
	bool continues(const Run &a, const Run &b) const;

	PageShift page_;
	Tree<Run> runs_;
};

} // namespace tcewin
