// SPDX-License-Identifier: GPL-2.0-only
// A set of entries of a window that grows where nobody may sleep: entries that KVM has changed while the window's
// bookkeeping could not follow. Who may sleep takes all of them and follows. Guarded by the window's gate.
#pragma once

#include <algorithm>
#include <bit>

#include "memory.hh"
#include "tree.hh"
#include "units.hh"

namespace tcewin
{

class Marks
{
	static constexpr u64 words = 120;
	static constexpr u64 per_page = words * 64; // a quarter of a 4 KiB page, with what else is in it

public:
	struct Page : TreeNode<Page> {
		u64 key() const { return number; }
		bool empty() const
		{
			return std::ranges::none_of(bits, [](u64 word) { return word != 0; });
		}
		u64 number{};
		u64 bits[words]{};
	};
	static_assert(sizeof(Page) <= 1024);

	Marks() = default;
	Marks(const Marks &) = delete;
	~Marks() { clear(); }

	// Memory for the first of them is there from now on. NO_MEMORY. Sleeps.
	Result<> prepare()
	{
		if (!spare_)
			spare_ = TRY(make<Page>());
		return {};
	}
	// Room for entry @i, so that set() may follow. NO_MEMORY. Does not sleep.
	Result<> reserve(TceIndex i)
	{
		if (page_of(i))
			return {};
		auto page = spare_ ? std::move(spare_) : TRY(make_now<Page>());
		page->number = i.raw() / per_page;
		pages_.insert(page.release());
		return {};
	}
	void set(TceIndex i) { word_of(i, *page_of(i)) |= bit(i); }
	void reset(TceIndex i)
	{
		if (!pages_.empty()) [[unlikely]]
			reset_far(i);
	}
	bool test(TceIndex i) const
	{
		Page *page = pages_.empty() ? nullptr : page_of(i);
		return page && (word_of(i, *page) & bit(i)) != 0;
	}

	// The first page of them whose number is @from or more, which is the caller's then; nullptr if there is none.
	// Where it goes is put_back().
	Owned<Page> take(u64 from = 0)
	{
		Page *page = pages_.at_or_after(from);
		if (page)
			pages_.erase(page);
		return Owned<Page>{page};
	}
	// @page is in no use any more, or what is left in it is still to be followed.
	void put_back(Owned<Page> page)
	{
		if (page->empty()) {
			if (!spare_)
				spare_ = std::move(page);
			return;
		}
		if (Page *same = pages_.at_or_before(page->number); same && same->number == page->number)
			for (u64 i = 0; i < words; i++)
				same->bits[i] |= page->bits[i];
		else
			pages_.insert(page.release());
	}
	// f(entry) for each in @page, which forgets it where f says so.
	template <class F>
	static void each(Page &page, F f)
	{
		for (u64 w = 0; w < words; w++)
			for (u64 left = page.bits[w]; left; left &= left - 1) {
				const auto at = static_cast<u64>(std::countr_zero(left));
				if (f(TceIndex{page.number * per_page + w * 64 + at}))
					page.bits[w] &= ~(u64{1} << at);
			}
	}
	void clear()
	{
		while (take())
			;
		spare_.reset();
	}

private:
	static u64 bit(TceIndex i) { return u64{1} << i.raw() % 64; }
	static u64 &word_of(TceIndex i, Page &page) { return page.bits[i.raw() % per_page / 64]; }
	[[gnu::noinline]] void reset_far(TceIndex i)
	{
		if (Page *page = page_of(i))
			word_of(i, *page) &= ~bit(i);
	}
	Page *page_of(TceIndex i) const
	{
		Page *page = pages_.at_or_before(i.raw() / per_page);
		return page && page->number == i.raw() / per_page ? page : nullptr;
	}

	Tree<Page> pages_;
	Owned<Page> spare_;
};

} // namespace tcewin
