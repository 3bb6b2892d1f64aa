// SPDX-License-Identifier: GPL-2.0-only
// Failures on demand: the k-th call of the engine at some point of host.h, or every one from there on, does not
// succeed.
#pragma once

#include "suite.hh"

namespace tcewin::test
{

enum class Point {
	alloc, // tcewin_host_alloc() and tcewin_host_lock_new()
	level, // tcewin_host_level_alloc()
	table, // tcewin_host_table_new()
	charge,
	pin,
	announce, // tcewin_host_window_added()
	platform_take,
	platform_release,
	set_window,
	link, // of tcewin_host_set_window(): the place is filled, but there is no memory to say so
	unset_window,
	settle, // tcewin_host_table_settle()
	yield,	// a fatal signal
	put,
	put_indirect,
	stuff,
	any_hcall,
	query,
	create,
	remove,
	reset,
	any_rtas,
};
constexpr unsigned points = static_cast<unsigned>(Point::any_rtas) + 1;

// As a status of the platform's: it has no memory, and cannot go back either. Any other one is a refusal.
constexpr long no_memory = -12;

struct Injection {
	u64 at{};	 // 1 is the next call, 0 none
	bool onwards{};	 // and every one behind it
	long status{-1}; // what a hypercall or RTAS call answers then
	u64 partial{};	 // how many entries a hypercall has written by then
	bool fades{};	 // only the first has
};

class Injector
{
public:
	void arm(Point p, Injection what) { armed_[index(p)] = {what, 0, 0}; }
	void disarm()
	{
		for (Armed &a : armed_)
			a.what.at = 0;
	}
	// The engine calls: what fails, or nullptr.
	const Injection *fires(Point p)
	{
		calls_[index(p)]++;
		Armed &a = armed_[index(p)];
		a.seen++;
		if (!a.what.at || (a.what.onwards ? a.seen < a.what.at : a.seen != a.what.at))
			return nullptr;
		if (a.hits++ && a.what.fades)
			a.what.partial = 0;
		any_hit_ = true;
		return &a.what;
	}
	// How many calls failed since arm(), and how many there were at all.
	u64 hits(Point p) const { return armed_[index(p)].hits; }
	bool any_hit() const { return any_hit_; }
	u64 calls(Point p) const { return calls_[index(p)]; }

private:
	struct Armed {
		Injection what;
		u64 seen, hits;
	};
	static unsigned index(Point p) { return static_cast<unsigned>(p); }

	Armed armed_[points]{};
	u64 calls_[points]{};
	bool any_hit_{};
};

} // namespace tcewin::test
