// SPDX-License-Identifier: GPL-2.0-only
// A table in our memory (IODA2), with the kernel's object for it, and the backend that writes it. It may be in the
// same place of several PEs. What a PHB remembers of old entries is gone only after invalidate().
#pragma once

#include "level_tree.hh"

namespace tcewin
{

class MemoryTable
{
public:
	// At least @levels levels; what they take is charged to @mm, the first one only if @root says so. BAD_LEVELS,
	// NO_MEMORY.
	static Result<Owned<MemoryTable>> create(void *mm, const WindowGeometry &geometry, u32 levels,
						 LevelTree::Root root);
	MemoryTable(Owned<LevelTree> tree, tcewin_host_table *host) : tree_{std::move(tree)}, host_{host} {}
	MemoryTable(const MemoryTable &) = delete;
	// No place of a PHB has it.
	~MemoryTable() { tcewin_host_table_free(host_); }

	LevelTree &tree() { return *tree_; }
	tcewin_host_table *host() const { return host_; }

private:
	Owned<LevelTree> tree_;
	tcewin_host_table *host_;
};

class InMemory
{
public:
	static constexpr u64 batch = 512; // so many stores, and others may run
	static constexpr bool remembers = true;

	explicit InMemory(MemoryTable &table) : table_{&table} {}

	Result<> reserve(TceRange range) { return table_->tree().reserve(range); }
	void unreserve(TceRange range) { table_->tree().trim(range, table_->host()); }
	Result<> put(TceIndex first, std::span<const Tce> words)
	{
		table_->tree().put(first, words);
		return {};
	}
	Result<> clear(TceIndex first, TceCount count)
	{
		table_->tree().clear({first, count});
		return {};
	}
	void invalidate(TceRange range)
	{
		tcewin_host_invalidate(table_->host(), range.first.raw(), range.count.raw());
	}

private:
	MemoryTable *table_;
};

} // namespace tcewin
