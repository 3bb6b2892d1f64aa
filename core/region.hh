// SPDX-License-Identifier: GPL-2.0-only
// Pinned memory of the user: where the pages behind a range really are. Where these are few and large they are kept as
// physical extents, found once; else the host, which has a list of a registered region's pages anyway, is asked for
// each. A region is registered (v2), then a container's RegionSet owns it, or made by one MAP (v1), then it lives as
// long as an entry maps some of it. A window's ledger refers to it and counts what it maps: it cannot go while a device
// may reach it.
#pragma once

#include <algorithm>
#include <atomic>
#include <span>

#include "lock.hh"
#include "memory.hh"
#include "tce.hh"
#include "tree.hh"
#include "units.hh"

namespace tcewin
{

class Region : public TreeNode<Region>
{
public:
	// Pins and accounts [start, start + size) of @mm. What tcewin_host_pin() answers, NO_MEMORY, INTERRUPTED.
	static Result<Owned<Region>> create(void *mm, UserVa start, Bytes size);
	// Pins each IOMMU page of [start, start + size) for one MAP, unaccounted. FAULT, NO_MEMORY, INTERRUPTED.
	static Result<Owned<Region>> pin_now(void *mm, UserVa start, Bytes size, PageShift page, Access access);
	Region(void *mm, UserVa start, Bytes size, void *pin) : mm_{mm}, start_{start}, size_{size}, pin_{pin} {}
	Region(const Region &) = delete;
	// Unpins a registered region, as soon as nobody else (KVM) maps it; and of one that a MAP was to make what it
	// has pinned, unless the MAP happened.
	~Region();

	UserVa start() const { return start_; }
	Bytes size() const { return size_; }
	UserVa end() const { return start_ + size_; }
	u64 key() const { return start_.raw(); }

	// Every IOMMU page of [from, from + size), which lies inside, is one aligned piece of memory. PAGE_TOO_LARGE if
	// not.
	Result<> check(UserVa from, Bytes size, PageShift page) const;
	// It does so wherever the range is.
	bool whole(PageShift page) const { return page.aligned(Bytes{cuts_}); }
	// The TCEs for consecutive IOMMU pages from @from; check() has passed.
	void fill(UserVa from, PageShift page, Access access, std::span<Tce> out) const;
	// The same for the one at @va.
	[[gnu::always_inline]] Tce tce_at(UserVa va, PageShift page, Access access) const
	{
		if (extents_.empty()) {
			Tce tce;
			fill_listed(va, page, access, {&tce, 1});
			return tce;
		}
		const Extent &e = extents_[extent_at(va - start_)];
		return {e.from() + (va - start_ - e.at()), access};
	}
	// A device may have written [from, from + size).
	void dirty(UserVa from, Bytes size) const
	{
		const Bytes first = from - start_, end = first + size;
		if (extents_.empty()) {
			dirty_listed(first, end);
			return;
		}
		const std::size_t i = extent_at(first);
		const std::size_t last = end <= extent_end(i) ? i : extent_at(end - Bytes{1});
		tcewin_host_dirty(&extents_[i], last - i + 1, first.raw(), end.raw());
	}

	// How many TCEs, of any window, map part of it.
	void add_mapped(TceCount n) { mapped_.fetch_add(n.raw(), std::memory_order_relaxed); }
	// The entries that mapped [from, ...) with @access are gone from every table: the pages may be dirty (or will
	// be before they are unpinned, if no file waits for them), a MAP's are unpinned, and with its last entry the
	// region goes, too.
	void drop_mapped(UserVa from, PageShift page, TceCount n, Access access)
	{
		if (!registered()) {
			drop_pinned(from, page, n, access);
			return;
		}
		if (writes(access)) {
			if (to_file_)
				dirty(from, page.bytes(n));
			else
				written_.store(true, std::memory_order_relaxed);
		}
		mapped_.fetch_sub(n.raw(), std::memory_order_relaxed);
	}
	bool mapped() const { return mapped_.load(std::memory_order_relaxed) != 0; }
	// A device may reach what is mapped of it by a table that nobody can write any more: none of it is ever
	// unpinned, whatever else maps it and ends.
	void keep_for_good() { mapped_.fetch_or(for_good, std::memory_order_relaxed); }

	// Unpins a registered region that nothing of ours maps. STILL_MAPPED: somebody else (KVM) does.
	Result<> let_go();

	// That are kept: 0 where the host's list is asked.
	std::size_t extents() const { return extents_.size(); }

private:
	// From its offset into the region up to the next one's, memory is contiguous from its real address.
	struct Extent : tcewin_piece {
		Extent(Bytes at, HostPhys from) : tcewin_piece{at.raw(), from.raw()} {}
		Bytes at() const { return Bytes{offset}; }
		HostPhys from() const { return HostPhys{real}; }
	};
	static_assert(sizeof(Extent) == sizeof(tcewin_piece)); // an array of these is one of those

	// Extents are kept of as many pages on average, and so few more: then they take a sixteenth of what the host's
	// list takes, which is 8 bytes a page. Once there are more nobody looks any further.
	static constexpr u64 pages_an_extent = 32, few = 16;

	Result<> find_extents();
	Result<> check_listed(UserVa from, Bytes size, PageShift page) const;
	void fill_listed(UserVa from, PageShift page, Access access, std::span<Tce> out) const;
	void dirty_listed(Bytes first, Bytes end) const;
	void dirty_written();
	Result<> pin_pages(PageShift page, Access access);
	void add_extent(Bytes at, HostPhys real);
	void unpin_pages(Bytes first, Bytes last, PageShift page, Access access) const;
	bool registered() const { return pin_ != nullptr; }
	void drop_pinned(UserVa from, PageShift page, TceCount n, Access access);
	// What follows is of extents that are kept.
	// The extent that holds @offset: the last one that begins at or before it.
	std::size_t extent_at(Bytes offset) const
	{
		std::size_t low = 0, high = extents_.size();
		while (high - low > 1) {
			const std::size_t middle = low + (high - low) / 2;
			(extents_[middle].at() <= offset ? low : high) = middle;
		}
		return low;
	}
	Bytes extent_end(std::size_t i) const { return i + 1 < extents_.size() ? extents_[i + 1].at() : size_; }

	void *mm_;
	UserVa start_;
	Bytes size_;
	void *pin_;		  // nullptr: made by a MAP
	PageShift page_{page_4k}; // then: the IOMMU page that it pinned by,
	Access access_{};	  // what for,
	Bytes pinned_;		  // and how much of it before the MAP took place
	Vec<Extent> extents_;	  // none: the host is asked for each page
	// Where extents meet, and how far each is from its real address, all in one: a page that these are multiples of
	// is in one extent, and aligned there, wherever it is aligned in the region. Without extents: of the host.
	u64 cuts_{};
	static constexpr u64 for_good = u64{1} << 63;
	std::atomic<u64> mapped_{0};	   // or more, if it is kept for good
	bool to_file_{};		   // what a device has written is dirty at once,
	std::atomic<bool> written_{false}; // else when the region is let go
};

// The regions of one container. They never overlap. Guarded by the container's lock: who changes them proves by an
// argument that he holds it alone.
class RegionSet
{
public:
	RegionSet() = default;
	// Regions that something stuck may still reach stay pinned for good; the others are unpinned.
	~RegionSet();

	// Whether such a region can be added. ZERO_SIZE, UNALIGNED, OVERFLOW, ALREADY_REGISTERED, OVERLAP.
	Result<> check(UserVa start, Bytes size) const;
	// Takes @region, or leaves it where it is: for what check() says.
	Result<> add(const Exclusive &container, Owned<Region> &region);
	// Exactly this range. UNKNOWN_REGION, STILL_MAPPED.
	Result<> remove(const Exclusive &container, UserVa start, Bytes size);
	// The region that @va is in, or nullptr.
	Region *find(UserVa va) const
	{
		Region *r = tree_.at_or_before(va.raw());
		return r && va < r->end() ? r : nullptr;
	}
	// Something was registered once, though it may be gone by now.
	bool ever_used() const { return ever_used_; }

private:
	Tree<Region> tree_;
	bool ever_used_{};
};

} // namespace tcewin
