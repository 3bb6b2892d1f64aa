// SPDX-License-Identifier: GPL-2.0-only
// Which user memory each TCE of a window maps, as runs: consecutive entries over consecutive addresses of one region
// with one access. A failed batch is rewritten from here, a window is cleared by visiting what is here. Guarded by the
// window's lock.
#pragma once

#include <atomic>

#include "lock.hh"
#include "memory.hh"
#include "region.hh"
#include "settled.hh"
#include "tree.hh"

namespace tcewin
{

// Entries [first, first + count) map @address on. Charged to the user's locked memory while it exists.
struct Run : TreeNode<Run> {
	// NO_MEMORY, also when the user's limit does not allow one more.
	static Result<Owned<Run>> create(void *mm);
	// NO_MEMORY, but not for the limit.
	static Result<Owned<Run>> create_anyway(void *mm);
	explicit Run(Charge paid) : charge{std::move(paid)} {}
	Run(const Run &) = delete;

	u64 key() const { return range.first.raw(); }
	UserVa address_of(TceIndex i, PageShift page) const { return address + page.bytes(i - range.first); }
	// It has entries on both sides of @r.
	bool cut_by(TceRange r) const { return range.first < r.first && range.end() > r.end(); }
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

// A run that is paid for and in no use: one request after the other allocates nothing.
class KeptRun
{
public:
	KeptRun() = default;
	KeptRun(const KeptRun &) = delete;
	~KeptRun() { keep(nullptr); }
	// It, or a new one, charged to @mm. NO_MEMORY. With or without the window's lock, as for keep().
	Result<Owned<Run>> take(void *mm)
	{
		if (Run *run = run_.exchange(nullptr, std::memory_order_acquire))
			return Owned<Run>{run};
		return Run::create(mm);
	}
	// @run takes the place of the one that is kept.
	void keep(Owned<Run> run) { (void)Owned<Run>{run_.exchange(run.release(), std::memory_order_acq_rel)}; }

private:
	std::atomic<Run *> run_;
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
	void append(Owned<Run> run)
	{
		Run *r = run.release();
		r->right = nullptr;
		(last_ ? last_->right : first_) = r;
		last_ = r;
	}
	Owned<Run> take()
	{
		Run *r = first_;
		if (r) {
			first_ = r->right;
			r->right = nullptr;
			if (!first_)
				last_ = nullptr;
		}
		return Owned<Run>{r};
	}
	Run *first() const { return first_; }
	static Run *next(const Run *r) { return r->right; }

private:
	Run *first_{};
	Run *last_{};
};

class Ledger
{
public:
	// What it does not need any more goes to @kept, which outlives it.
	Ledger(PageShift page, KeptRun &kept) : page_{page}, kept_{kept} {}
	Ledger(const Ledger &) = delete;
	~Ledger();

	bool empty() const { return runs_.empty(); }
	// The first run that has an entry at or behind @from, or nullptr; and the one behind it.
	Run *at_or_after(TceIndex from) const
	{
		Run *r = runs_.at_or_before(from.raw());
		if (r && r->range.end() > from)
			return r;
		return r ? next(r) : runs_.first();
	}
	// The last run that begins at or before entry @i, or nullptr; and the run that it is in.
	Run *before_or_at(TceIndex i) const { return runs_.at_or_before(i.raw()); }
	Run *at(TceIndex i) const
	{
		Run *r = before_or_at(i);
		return r && r->range.end() > i ? r : nullptr;
	}
	static Run *next(const Run *r) { return Tree<Run>::next(r); }

	// One run has entries on both sides of @range.
	bool cut_by(TceRange range) const
	{
		const Run *r = at_or_after(range.first);
		return r && r->cut_by(range);
	}
	// Forgets the entries that @proof is of, and no other. @spare is for a run that is cut_by() them.
	void erase(Settled proof, Owned<Run> spare)
	{
		const TceRange range = proof.range();
		if (Run *r = at_or_after(range.first); r && r->range.first < range.end())
			erase_from(r, std::move(proof), std::move(spare));
	}
	// The same for a proof of one entry, which is at an end of @r.
	void erase_one(Run *r, Settled proof)
	{
		if (r->range.first != proof.range().first || r->range.count != proof.range().count) {
			erase_from(r, std::move(proof), nullptr);
			return;
		}
		drop(*r, r->range);
		runs_.erase(r);
		kept_.keep(Owned<Run>{r});
	}
	// Remembers @run, whose entries are free here.
	void insert(Owned<Run> run)
	{
		Run *before = before_or_at(run->range.first);
		insert_behind(before, std::move(run));
	}
	// The same, where @before is known to be before_or_at() its first entry.
	void insert_behind(Run *before, Owned<Run> run)
	{
		run->region->add_mapped(run->range.count);
		Run *after = before ? next(before) : runs_.first();
		if (after && continues(*run, *after)) {
			run->range.count = run->range.count + after->range.count;
			runs_.erase(after);
			kept_.keep(Owned<Run>{after});
		}
		if (before && continues(*before, *run)) {
			before->range.count = before->range.count + run->range.count;
			kept_.keep(std::move(run));
		} else {
			runs_.insert(run.release());
		}
	}

private:
	// What erase() does where @r is the first run that has some of the entries.
	void erase_from(Run *r, Settled proof, Owned<Run> spare);
	// @part of @run is no longer mapped.
	void drop(const Run &run, TceRange part)
	{
		run.region->drop_mapped(run.address_of(part.first, page_), page_, part.count, run.access);
	}
	// @b goes on where @a ends, in the table and in memory.
	bool continues(const Run &a, const Run &b) const
	{
		return a.range.end() == b.range.first && a.region == b.region && a.access == b.access &&
		       a.address_of(b.range.first, page_) == b.address;
	}

	PageShift page_;
	Tree<Run> runs_;
	KeptRun &kept_;
};

} // namespace tcewin
