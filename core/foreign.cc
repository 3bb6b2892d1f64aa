// SPDX-License-Identifier: GPL-2.0-only
#include "foreign.hh"

namespace tcewin
{

void ForeignEntries::clear()
{
	while (Page *page = pages_.first()) {
		pages_.erase(page);
		Owned<Page>{page}.reset();
	}
}

Tce ForeignEntries::get(TceIndex i) const
{
	const Page *page = page_of(i);
	return page ? page->words[i.raw() % per_page] : Tce{};
}

ForeignEntries::Page *ForeignEntries::page_of(TceIndex i) const
{
	Page *page = pages_.at_or_before(i.raw() / per_page);
	return page && page->number == i.raw() / per_page ? page : nullptr;
}

Result<> ForeignEntries::reserve(TceIndex i)
{
	if (page_of(i))
		return {};
	auto page = TRY(make_now<Page>(i.raw() / per_page, Charge::none(mm_)));
	TRY(page->charge.grow_now(std::bit_ceil(sizeof(Page)) + host_bytes)); // last: giving back sleeps
	pages_.insert(page.release());
	return {};
}

void ForeignEntries::set(TceIndex i, Tce word)
{
	if (Page *page = page_of(i))
		page->words[i.raw() % per_page] = word;
}

// The first entry of @range whose word is wanted(), or the range's end.
template <class F>
TceIndex ForeignEntries::find(TceRange range, F wanted) const
{
	const u64 end = range.end().raw();
	for (const Page *page = pages_.at_or_after(range.first.raw() / per_page); page; page = Tree<Page>::next(page)) {
		const u64 first = page->number * per_page;
		if (first >= end)
			break;
		for (u64 i = first > range.first.raw() ? first : range.first.raw(); i < first + per_page && i < end;
		     i++)
			if (wanted(page->words[i - first]))
				return TceIndex{i};
	}
	return range.end();
}

TceIndex ForeignEntries::next_any(TceRange range) const
{
	return find(range, [](Tce word) { return word != Tce{}; });
}

TceRange ForeignEntries::find_valid(TceRange range) const
{
	const TceIndex first = find(range, [](Tce word) { return word.access() != Access::none; });
	TceIndex end = first;
	while (end < range.end() && get(end).access() != Access::none)
		end = end + TceCount{1};
	return {first, end - first};
}

void ForeignEntries::fill(TceIndex first, std::span<Tce> out) const
{
	for (Tce &word : out) {
		word = get(first);
		first = first + TceCount{1};
	}
}

} // namespace tcewin
