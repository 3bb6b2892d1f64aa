// SPDX-License-Identifier: GPL-2.0-only
#include "lib/report.hh"

#include <fmt/format.h>

#include <cstdio>

namespace harness
{

void Report::heading(std::string_view text)
{
	fmt::print("{}\n", text);
	std::fflush(stdout);
}

void Report::note(std::string_view text)
{
	fmt::print("       {}\n", text);
	std::fflush(stdout);
}

void Report::line(std::string_view what, std::string_view seen, bool right, std::string_view wanted)
{
	++(right ? passed_ : failed_);
	fmt::print("  {} {:<66} {}", right ? "ok  " : "FAIL", what, seen);
	if (!right)
		fmt::print("  (expected {})", wanted);
	fmt::print("\n");
	std::fflush(stdout);
}

bool Report::step(std::string_view what, const Result<> &result, Errno expected)
{
	auto seen = result ? expect_ok : result.error();
	line(what, seen.name(), seen == expected, expected.name());
	return seen == expected;
}

bool Report::check(std::string_view what, bool right, std::string_view seen)
{
	line(what, seen, right, "otherwise");
	return right;
}

void Report::summary() const
{
	fmt::print("{} passed, {} failed\n", passed_, failed_);
	std::fflush(stdout);
}

} // namespace harness
