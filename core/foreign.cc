// SPDX-License-Identifier: GPL-2.0-only
#include "foreign.hh"

namespace tcewin
{

void ForeignEntries::clear()
{
	near_first_ = nowhere;
	while (Page *page = pages_.first()) {
		pages_.erase(page);
		Owned<Page>{page}.reset();
	}
}

Tce ForeignEntries::get(TceIndex i) const
{
	const Tce *word = slot(i);
	return word ? *word : Tce{};
}

Tce *ForeignEntries::far(TceIndex i) const
{
	const u64 number = i.raw() / per_page;
	Page *page = pages_.at_or_before(number);
	if (!page || page->number != number)
		return nullptr;
	near_ = page;
	near_first_ = number * per_page;
	return &page->words[i.raw() % per_page];
}

Result<> ForeignEntries::grow(TceIndex i)
{
	auto page = TRY(make_now<Page>(i.raw() / per_page, Charge::none(mm_)));
	TRY(page->charge.grow_now(std::bit_ceil(sizeof(Page)) + host_bytes)); // last: giving back sleeps
	pages_.insert(page.release());
	return {};
}

void ForeignEntries::set(TceIndex i, Tce word)
{
	if (Tce *at = slot(i))
		*at = word;
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
