// SPDX-License-Identifier: GPL-2.0-only
// What a window's translations are written through. Each backend is a model of one concept; Table picks the backend
// once per operation and everything inside is inlined. Writer collects entries into batches, which is where hypercalls
// are saved.
#pragma once

#include <concepts>
#include <span>
#include <utility>
#include <variant>

#include "batch.hh"
#include "in_memory.hh"
#include "paravirt.hh"
#include "tce.hh"

namespace tcewin
{

// set() is for one entry, which becomes @word or, if that is empty, nothing; it makes room by itself. All others are
// for many: put() and clear() take at most `batch` entries, for put() only such that reserve() has been told of; that
// is made known by show(), or undone by take_back(). A failed call may have written any part of them. What the device's
// side may still have cached of old entries is gone only after invalidate(); `remembers` says whether there is such a
// thing.
template <class B>
concept TableBackend =
	requires(B &b, TceIndex first, std::span<const Tce> words, TceCount n, TceRange range, Tce word) {
		{ B::batch } -> std::convertible_to<u64>;
		{ B::remembers } -> std::convertible_to<bool>;
		{ b.reserve(range) } -> std::same_as<Result<>>;
		{ b.show(range) } -> std::same_as<void>;
		{ b.take_back(range) } -> std::same_as<void>;
		{ b.put(first, words) } -> std::same_as<Result<>>;
		{ b.clear(first, n) } -> std::same_as<Result<>>;
		{ b.set(first, word) } -> std::same_as<Result<>>;
		{ b.invalidate(range) } -> std::same_as<void>;
	};

static_assert(TableBackend<Paravirt>);
static_assert(TableBackend<InMemory>);

class Table
{
public:
	explicit Table(Paravirt p) : backend_{p} {}
	explicit Table(InMemory m) : backend_{m} {}
	template <class F>
	auto visit(F f)
	{
		return visit_here(std::move(f));
	}
	// The same for what is called by the thousand, one entry each.
	template <class F>
	[[gnu::always_inline]] auto visit_here(F f)
	{
		if (auto *paravirt = std::get_if<Paravirt>(&backend_))
			return f(*paravirt);
		return f(*std::get_if<InMemory>(&backend_));
	}

private:
	std::variant<Paravirt, InMemory> backend_;
};

// A user's call gives way to a fatal signal; a rollback or a release must run to its end.
enum class Signals { heed, ignore };

// Puts and clears of ascending entries of one table, neighbours joined into as few calls as there can be.
template <TableBackend B>
class Writer
{
public:
	// @words is room for a batch; it may be empty where nothing is put.
	Writer(B &table, std::span<Tce> words, TceIndex start, Signals signals)
		: table_{table}, words_{words}, signals_{signals}, pending_{start, TceCount{0}}
	{
	}

	// Entries of @part through @fill(first, span of Tce). What the backend or a signal says; touched() tells how
	// far it got.
	template <class Fill>
	Result<> put(TceRange part, Fill fill)
	{
		for (TceIndex at = part.first; at < part.end();) {
			TRY(begin(Op::put, at));
			const u64 used = pending_.count.raw();
			const u64 left = (part.end() - at).raw();
			const TceCount n{left < room() - used ? left : room() - used};
			fill(at, words_.subspan(used, n.raw()));
			pending_.count = pending_.count + n;
			at = at + n;
			if (pending_.count.raw() == room())
				TRY(flush());
		}
		return {};
	}

	Result<> clear(TceRange part)
	{
		TRY(begin(Op::clear, part.first));
		pending_.count = pending_.count + part.count;
		return {};
	}

	Result<> flush()
	{
		while (!pending_.empty()) {
			if (std::exchange(wrote_, true) && tcewin_host_yield() && signals_ == Signals::heed)
				return fail(TCEWIN_INTERRUPTED);
			const TceCount n{pending_.count.raw() < B::batch ? pending_.count.raw() : B::batch};
			const TceIndex at = pending_.first;
			pending_ = {at + n, pending_.count - n};
			TRY(op_ == Op::put ? table_.put(at, words_.first(n.raw())) : table_.clear(at, n));
		}
		return {};
	}

	// Everything from the start up to here may have been written.
	TceIndex touched() const { return pending_.first; }

private:
	enum class Op { put, clear };

	// Makes @at the next entry of a pending @op.
	Result<> begin(Op op, TceIndex at)
	{
		if (op_ != op || pending_.end() != at)
			TRY(flush());
		if (pending_.empty())
			pending_.first = at;
		op_ = op;
		return {};
	}

	u64 room() const { return words_.size() < B::batch ? words_.size() : B::batch; }

	B &table_;
	std::span<Tce> words_;
	Signals signals_;
	bool wrote_{}; // so others may run before the next batch
	Op op_{Op::put};
	TceRange pending_;
};

} // namespace tcewin
