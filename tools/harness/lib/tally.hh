// SPDX-License-Identifier: GPL-2.0-only
// How often each call ended how. Counted from any thread and any process that was forked from the one that made it, and
// nothing is lost when one of them is killed: the rows are in memory that all share, and no lock guards them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "lib/result.hh"

namespace harness
{

class Tally
{
public:
	// Name: a string literal, which is at the same place in every process forked. True: it succeeded.
	template <typename T>
	bool operator()(const char *name, const Result<T> &result)
	{
		add(name, result ? 0 : result.error().code());
		return result.has_value();
	}

	std::uint64_t times(std::string_view name, Errno outcome = Errno{0}) const; // 0: that it succeeded
	void print() const;

private:
	static constexpr std::size_t names = 40;
	static constexpr int positive = 134; // behind the last errno: a positive result, which no call may have
	struct Row {
		std::atomic<const char *> name;
		std::array<std::atomic<std::uint64_t>, positive + 1> outcomes;
	};

	void add(const char *name, int code);

	std::array<Row, names> rows_{};
};

} // namespace harness
