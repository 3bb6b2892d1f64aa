// SPDX-License-Identifier: GPL-2.0-only
// Numbers that look random and are the same in every run of a seed (splitmix64), or that a fuzzer has chosen.
#pragma once

#include <span>

#include "suite.hh"

namespace tcewin::test
{

class Random
{
public:
	explicit Random(u64 seed) : state_{seed} {}
	// Each number takes as few of @chosen as it needs; behind the last all are 0.
	explicit Random(std::span<const unsigned char> chosen) : chosen_{chosen}, fuzzed_{true} {}
	u64 next()
	{
		u64 z = (state_ += 0x9e3779b97f4a7c15);
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		return z ^ (z >> 31);
	}
	// 0 to @n - 1.
	u64 below(u64 n) { return (fuzzed_ ? take(n) : next()) % n; }
	// 1 to @n, small ones more often.
	u64 small(u64 n) { return below(below(n) + 1) + 1; }
	bool one_in(u64 n) { return below(n) == 0; }
	// The fuzzer has nothing more to say.
	bool ended() const { return fuzzed_ && chosen_.empty(); }

private:
	// Enough bytes for a number below @n.
	u64 take(u64 n)
	{
		u64 number = 0;
		for (n -= 1; n && !chosen_.empty(); n >>= 8) {
			number = number << 8 | chosen_.front();
			chosen_ = chosen_.subspan(1);
		}
		return number;
	}

	u64 state_{};
	std::span<const unsigned char> chosen_;
	bool fuzzed_{};
};

// f(@seed) on a host of its own; nothing after something has failed. The seed is told then.
template <class F>
void one_seed(Test &t, u64 seed, F f)
{
	if (t.failed())
		return;
	Note at{t, "seed", seed};
	f(seed);
	t.fresh_host();
}

// The same for each seed of @corpus, which have once found something, and for @fresh others that are new in each run.
template <class F>
void each_seed(Test &t, std::span<const u64> corpus, unsigned fresh, F f)
{
	for (const u64 seed : corpus)
		one_seed(t, seed, f);
	for (unsigned i = 0; i < fresh; i++)
		one_seed(t, tcewin_run_seed() + i, f);
}

} // namespace tcewin::test
