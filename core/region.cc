// SPDX-License-Identifier: GPL-2.0-only
#include "region.hh"

namespace tcewin
{

namespace
{

PageShift host_page() { return PageShift::from(tcewin_host_page_shift()).value_or(page_4k); }

} // namespace

Result<Owned<Region>> Region::create(void *mm, UserVa start, Bytes size)
{
	void *pin = nullptr;
	TRY(from_status(tcewin_host_pin(mm, start.raw(), size.raw(), &pin)));
	auto region = make<Region>(mm, start, size, pin);
	if (!region) {
		tcewin_host_unpin(mm, pin);
		return region;
	}
	TRY((*region)->find_extents());
	return region;
}

// Two passes, so that the extents take just the memory they need: one counts, one stores.
Result<> Region::find_extents()
{
	const PageShift page = host_page();
	for (const bool store : {false, true}) {
		std::size_t count = 0;
		u64 expected = ~u64{0};
		for (Bytes at{0}; at < size_; at = at + page.size()) {
			u64 real = 0;
			TRY(from_status(tcewin_host_pin_resolve(pin_, (start_ + at).raw(), &real)));
			if (real != expected) {
				count++;
				if (store)
					extents_.push({at, HostPhys{real}});
			}
			expected = real + page.size().raw();
			if ((page.pages(at).raw() & 0xfff) == 0xfff && tcewin_host_yield())
				return fail(TCEWIN_INTERRUPTED);
		}
		if (!store)
			TRY(extents_.reserve(count));
	}
	return {};
}

// The extent that holds @offset: the last one that begins at or before it.
std::size_t Region::extent_at(Bytes offset) const
{
	std::size_t low = 0, high = extents_.size();
	while (high - low > 1) {
		const std::size_t middle = low + (high - low) / 2;
		(extents_[middle].offset <= offset ? low : high) = middle;
	}
	return low;
}

Result<> Region::check(UserVa from, Bytes size, PageShift page) const
{
	if (page <= host_page())
		return {};
	const Bytes first = from - start_, last = first + size;
	for (std::size_t i = extent_at(first); i < extents_.size() && extents_[i].offset < last; i++) {
		const Bytes begin = extents_[i].offset < first ? first : extents_[i].offset;
		const Bytes end = extent_end(i) > last ? last : extent_end(i);
		const HostPhys real = extents_[i].real + (begin - extents_[i].offset);
		if (!page.aligned(real) || !page.aligned(begin - first) || !page.aligned(end - first))
			return fail(TCEWIN_PAGE_TOO_LARGE);
	}
	return {};
}

void Region::fill(UserVa from, PageShift page, Access access, std::span<Tce> out) const
{
	Bytes at = from - start_;
	std::size_t i = extent_at(at);
	for (Tce &tce : out) {
		while (at >= extent_end(i))
			i++;
		tce = Tce{extents_[i].real + (at - extents_[i].offset), access};
		at = at + page.size();
	}
}

void Region::dirty(UserVa from, Bytes size) const
{
	const Bytes first = from - start_, last = first + size;
	for (std::size_t i = extent_at(first); i < extents_.size() && extents_[i].offset < last; i++) {
		const Bytes begin = extents_[i].offset < first ? first : extents_[i].offset;
		const Bytes end = extent_end(i) > last ? last : extent_end(i);
		tcewin_host_dirty((extents_[i].real + (begin - extents_[i].offset)).raw(), (end - begin).raw());
	}
}

RegionSet::~RegionSet()
{
	while (Region *r = tree_.first()) {
		tree_.erase(r);
		Owned<Region> owner{r};
		if (r->mapped())
			(void)owner.release();
	}
}

Result<> RegionSet::add(void *mm, UserVa start, Bytes size)
{
	const PageShift page = host_page();
	if (size == Bytes{0})
		return fail(TCEWIN_ZERO_SIZE);
	if (!page.aligned(start) || !page.aligned(size))
		return fail(TCEWIN_UNALIGNED);
	if (!fits(start, size))
		return fail(TCEWIN_OVERFLOW);
	// Regions are disjoint, so only the last one that begins before our end can meet us.
	if (const Region *r = tree_.at_or_before((start + size).raw() - 1); r && r->end() > start)
		return fail(r->start() == start && r->size() == size ? TCEWIN_ALREADY_REGISTERED : TCEWIN_OVERLAP);
	auto region = TRY(Region::create(mm, start, size));
	tree_.insert(region.release());
	ever_used_ = true;
	return {};
}

Result<> RegionSet::remove(UserVa start, Bytes size)
{
	Region *r = find(start);
	if (!r || r->start() != start || r->size() != size)
		return fail(TCEWIN_UNKNOWN_REGION);
	if (r->mapped())
		return fail(TCEWIN_STILL_MAPPED);
	tree_.erase(r);
	Owned<Region>{r}.reset();
	return {};
}

Region *RegionSet::find(UserVa va) const
{
	Region *r = tree_.at_or_before(va.raw());
	return r && va < r->end() ? r : nullptr;
}

} // namespace tcewin
