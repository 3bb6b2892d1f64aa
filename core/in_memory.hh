// SPDX-License-Identifier: GPL-2.0-only
// A table in our own memory (IODA2): entries are written by stores, and what PHBs remember of old ones is gone only
// after invalidate().
#pragma once

#include "level_tree.hh"

namespace tcewin
{

class InMemory
{
public:
	static constexpr u64 batch = 512; // so many stores, and others may run
	static constexpr bool remembers = true;

	// Both outlive it.
	InMemory(LevelTree &tree, tcewin_host_table *host) : tree_{&tree}, host_{host} {}

	Result<> reserve(TceRange range) { return tree_->reserve(range); }
	void show(TceRange range) { tree_->show(range); }
	void take_back(TceRange range) { tree_->take_back(range); }
	Result<> put(TceIndex first, std::span<const Tce> words)
	{
		tree_->put(first, words);
		return {};
	}
	Result<> clear(TceIndex first, TceCount count)
	{
		tree_->clear({first, count});
		return {};
	}
	[[gnu::always_inline]] Result<> set(TceIndex i, Tce word)
	{
		return tree_->set_near(i, word) ? Result<>{} : set_far(i, word);
	}
	Result<> set_far(TceIndex i, Tce word)
	{
		const TceRange one{i, TceCount{1}};
		if (word == Tce{})
			return clear(i, one.count);
		TRY(reserve(one));
		tree_->put(i, {&word, 1});
		show(one);
		return {};
	}
	Result<> reserve_now(TceIndex i)
	{
		if (tree_->is_near(i)) [[likely]]
			return {};
		TRY(tree_->reserve_now(i));
		tree_->show({i, TceCount{1}});
		return {};
	}
	Result<> set_now(TceIndex i, Tce word)
	{
		if (tree_->set_near(i, word)) [[likely]]
			return {};
		if (word == Tce{})
			return clear(i, TceCount{1});
		tree_->put(i, {&word, 1});
		return {};
	}
	Result<> clear_beside(TceIndex i)
	{
		tree_->clear_beside(i);
		return {};
	}
	void invalidate(TceRange range) { tcewin_host_invalidate(host_, range.first.raw(), range.count.raw()); }

private:
	LevelTree *tree_;
	tcewin_host_table *host_;
};

} // namespace tcewin
