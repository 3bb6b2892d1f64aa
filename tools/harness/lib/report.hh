// SPDX-License-Identifier: GPL-2.0-only
// What a run prints: one line a step with its outcome, and the score. A step is right when its outcome is the expected
// one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/result.hh"

namespace harness
{

inline constexpr Errno expect_ok{0};

class Report
{
public:
	void heading(std::string_view text);
	void note(std::string_view text); // a fact, neither right nor wrong

	bool step(std::string_view what, const Result<> &result, Errno expected = expect_ok);
	template <typename T>
	bool step(std::string_view what, const Result<T> &result, Errno expected = expect_ok)
	{
		return step(what, result ? Result<>{} : Result<>{std::unexpected{result.error()}}, expected);
	}
	bool check(std::string_view what, bool right, std::string_view seen);

	void add(const Report &other) // the score of one that another process wrote
	{
		passed_ += other.passed_;
		failed_ += other.failed_;
	}
	int passed() const { return passed_; }
	int failed() const { return failed_; }
	bool good() const { return failed_ == 0 && passed_ > 0; } // a run that tried nothing has shown nothing
	void summary() const;					  // "N passed, N failed"

private:
	void line(std::string_view what, std::string_view seen, bool right, std::string_view wanted);

	int passed_ = 0;
	int failed_ = 0;
};

} // namespace harness
