// SPDX-License-Identifier: GPL-2.0-only
// Where the parts of the fake host tell that the engine broke a rule. A complaint fails the case, unless the case is
// about the fake itself and has asked to count complaints instead.
#pragma once

#include "suite.hh"

namespace tcewin::test
{

class Complaints
{
public:
	explicit Complaints(Test &t) : test_{t} {}

	void add(const char *rule, u64 a = 0, u64 b = 0)
	{
		count_++;
		if (!counting_)
			test_.fail("fake host", 0,
				   Line{}.add(rule).add(" (").hexadecimal(a).add(", ").hexadecimal(b).add(")"));
	}
	void only_count() { counting_ = true; }
	// How many there were since the last question.
	u64 take()
	{
		const u64 n = count_;
		count_ = 0;
		return n;
	}

private:
	Test &test_;
	bool counting_{};
	u64 count_{};
};

} // namespace tcewin::test
