// SPDX-License-Identifier: GPL-2.0-only
#include "region.hh"

#include <algorithm>
#include <array>
#include <bit>

namespace tcewin
{

namespace
{

PageShift host_page() { return PageShift::from(tcewin_host_page_shift()).value_or(page_4k); }

} // namespace

Result<Owned<Region>> Region::create(void *mm, UserVa start, Bytes size)
{
	void *pin = nullptr;
	u32 to_file = 0;
	TRY(from_status(tcewin_host_pin(mm, start.raw(), size.raw(), &pin, &to_file)));
	auto region = make<Region>(mm, start, size, pin);
	if (!region) {
		tcewin_host_unpin_late(mm, pin);
		return region;
	}
	(*region)->to_file_ = to_file != 0;
	TRY((*region)->find_extents());
	return region;
}

// There is room for one more, unless the last extent goes on.
inline void Region::add_extent(Bytes at, HostPhys real)
{
	const u64 va = (start_ + at).raw();
	if (extents_.empty()) {
		cuts_ = real.raw() - va;
	} else {
		const Extent &last = extents_[extents_.size() - 1];
		if (last.from() + (at - last.at()) == real)
			return;
		cuts_ |= va | (real.raw() - va);
	}
	extents_.push(Extent{at, real});
}

Result<> Region::find_extents()
{
	static constexpr u64 look_pages = 4096; // so many are looked at before others may run
	const PageShift page = host_page();
	const Bytes look = page.bytes(TceCount{look_pages});
	const u64 most = few + page.pages(size_).raw() / pages_an_extent;
	Bytes since{0}; // the last time that others might run
	for (Bytes at{0}; at < size_;) {
		std::array<tcewin_extent, 16> found{};
		const Bytes left = size_ - at < look ? size_ - at : look;
		const u32 n =
			tcewin_host_pin_extents(pin_, (start_ + at).raw(), left.raw(), found.data(), found.size());
		if (n == 0)
			return fail(TCEWIN_FAULT);
		const Bytes before = at;
		TRY(extents_.reserve_more(n));
		for (const tcewin_extent &e : std::span{found}.first(n)) {
			add_extent(at, HostPhys{e.real});
			at = at + Bytes{e.bytes};
		}
		if (extents_.size() > most) {
			extents_.free();
			cuts_ = page.size().raw(); // anywhere
			return {};
		}
		since = since + (at - before);
		if (since >= look) {
			since = Bytes{0};
			if (tcewin_host_yield())
				return fail(TCEWIN_INTERRUPTED);
		}
	}
	extents_.trim();
	return {};
}

Result<Owned<Region>> Region::pin_now(void *mm, UserVa start, Bytes size, PageShift page, Access access)
{
	auto region = TRY(make<Region>(mm, start, size, nullptr));
	TRY(region->pin_pages(page, access));
	return region;
}

Result<> Region::pin_pages(PageShift page, Access access)
{
	if (page > host_page())
		return fail(TCEWIN_PAGE_TOO_LARGE); // nothing says that the pages pinned one by one are neighbours
	auto batch = TRY(make<std::array<u64, 512>>());
	page_ = page;
	access_ = access;
	while (pinned_ < size_) {
		const u64 left = page.pages(size_ - pinned_).raw();
		const u64 n = left < batch->size() ? left : batch->size();
		TRY(extents_.reserve_more(n));
		TRY(from_status(tcewin_host_pin_pages(mm_, (start_ + pinned_).raw(), page.raw(), n, writes(access),
						      batch->data())));
		for (const u64 real : std::span{*batch}.first(n)) {
			add_extent(pinned_, HostPhys{real});
			pinned_ = pinned_ + page.size();
		}
		if (tcewin_host_yield())
			return fail(TCEWIN_INTERRUPTED);
	}
	extents_.trim();
	return {};
}

Region::~Region()
{
	if (registered()) {
		dirty_written();
		tcewin_host_unpin_late(mm_, pin_);
	} else if (pinned_ > Bytes{0}) {
		unpin_pages(Bytes{0}, pinned_, page_, access_);
	}
}

void Region::dirty_written()
{
	if (written_.exchange(false, std::memory_order_relaxed))
		dirty(start_, size_);
}

Result<> Region::let_go()
{
	dirty_written();
	return from_status(tcewin_host_unpin(mm_, pin_)).transform([&] { pin_ = nullptr; });
}

void Region::unpin_pages(Bytes first, Bytes last, PageShift page, Access access) const
{
	std::size_t i = extent_at(first);
	for (Bytes at = first; at < last; at = at + page.size()) {
		while (i + 1 < extents_.size() && at >= extents_[i + 1].at())
			i++;
		tcewin_host_unpin_page((extents_[i].from() + (at - extents_[i].at())).raw(), writes(access));
	}
}

void Region::drop_pinned(UserVa from, PageShift page, TceCount n, Access access)
{
	if (mapped_.load(std::memory_order_relaxed) & for_good)
		return;
	unpin_pages(from - start_, from - start_ + page.bytes(n), page, access);
	if (mapped_.fetch_sub(n.raw(), std::memory_order_relaxed) == n.raw()) {
		pinned_ = Bytes{0};
		Owned<Region>{this}.reset();
	}
}

Result<> Region::check(UserVa from, Bytes size, PageShift page) const
{
	if (whole(page))
		return {};
	if (extents_.empty())
		return check_listed(from, size, page);
	const Bytes first = from - start_, last = first + size;
	for (std::size_t i = extent_at(first); i < extents_.size() && extents_[i].at() < last; i++) {
		const Bytes begin = extents_[i].at() < first ? first : extents_[i].at();
		const Bytes end = extent_end(i) > last ? last : extent_end(i);
		const HostPhys real = extents_[i].from() + (begin - extents_[i].at());
		if (!page.aligned(real) || !page.aligned(begin - first) || !page.aligned(end - first))
			return fail(TCEWIN_PAGE_TOO_LARGE);
	}
	return {};
}

void Region::fill(UserVa from, PageShift page, Access access, std::span<Tce> out) const
{
	if (extents_.empty()) {
		fill_listed(from, page, access, out);
		return;
	}
	Bytes at = from - start_;
	for (std::size_t i = extent_at(at); !out.empty(); i++) {
		const HostPhys real = extents_[i].from() + (at - extents_[i].at());
		const Bytes here = extent_end(i) - at;
		u64 n = 1;
		if (here == page.size()) {
			out[0] = Tce{real, access};
		} else {
			n = std::min<u64>(page.pages(here).raw(), out.size());
			fill_sequence(real, page, access, out.first(n));
		}
		out = out.subspan(n);
		at = at + page.bytes(TceCount{n});
	}
}

// ---- the same by the host's list, where no extents are kept ----

// Pages larger than the host's, that is: others are in one piece wherever they are.
Result<> Region::check_listed(UserVa from, Bytes size, PageShift page) const
{
	for (Bytes at{0}; at < size; at = at + page.size()) {
		tcewin_extent piece{};
		if (tcewin_host_yield()) // a page may be as long as a walk of 262144
			return fail(TCEWIN_INTERRUPTED);
		const u32 n = tcewin_host_pin_extents(pin_, (from + at).raw(), page.size().raw(), &piece, 1);
		if (n != 1 || Bytes{piece.bytes} != page.size() || !page.aligned(HostPhys{piece.real}))
			return fail(TCEWIN_PAGE_TOO_LARGE);
	}
	return {};
}

void Region::fill_listed(UserVa from, PageShift page, Access access, std::span<Tce> out) const
{
	std::array<u64, 64> reals; // NOLINT(cppcoreguidelines-pro-type-member-init): the host fills it
	while (!out.empty()) {
		const std::size_t n = std::min(out.size(), reals.size());
		if (!tcewin_host_pin_reals(pin_, from.raw(), page.raw(), static_cast<u32>(n), reals.data())) {
			tcewin_host_event(nullptr, TCEWIN_EVENT_BUG, "memory is not in its region", 0);
			std::ranges::fill(out, Tce{});
			return;
		}
		for (std::size_t i = 0; i < n; i++)
			out[i] = Tce{HostPhys{reals[i]}, access};
		out = out.subspan(n);
		from = from + page.bytes(TceCount{n});
	}
}

void Region::dirty_listed(Bytes first, Bytes end) const
{
	Pauses pauses;
	for (Bytes at{first.raw() & ~host_page().mask()}; at < end; pauses.step()) {
		std::array<tcewin_extent, 16> found{};
		std::array<tcewin_piece, 16> pieces{};
		const u32 n = tcewin_host_pin_extents(pin_, (start_ + at).raw(), (end - at).raw(), found.data(),
						      found.size());
		if (n == 0) {
			tcewin_host_event(nullptr, TCEWIN_EVENT_BUG, "memory is not in its region", 0);
			return;
		}
		for (u32 i = 0; i < n; i++) {
			pieces[i] = {at.raw(), found[i].real};
			at = at + Bytes{found[i].bytes};
		}
		tcewin_host_dirty(pieces.data(), n, first.raw(), at.raw());
		first = at;
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

Result<> RegionSet::check(UserVa start, Bytes size) const
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
	return {};
}

Result<> RegionSet::add(const Exclusive &, Owned<Region> &region)
{
	TRY(check(region->start(), region->size()));
	tree_.insert(region.release());
	ever_used_ = true;
	return {};
}

Result<> RegionSet::remove(const Exclusive &, UserVa start, Bytes size)
{
	Region *r = find(start);
	if (!r || r->start() != start || r->size() != size)
		return fail(TCEWIN_UNKNOWN_REGION);
	if (r->mapped())
		return fail(TCEWIN_STILL_MAPPED);
	TRY(r->let_go());
	tree_.erase(r);
	Owned<Region>{r}.reset();
	return {};
}

} // namespace tcewin
