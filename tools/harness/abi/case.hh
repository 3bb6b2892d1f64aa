// SPDX-License-Identifier: GPL-2.0-only
// One row of ABI.md as something to run: how far the container is brought, the call, and the errno it owes. The runner
// (runner.cc) adds what every case owes: counts and windows as before, mappings alive, the container still of use.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <vector>

#include "abi/bench.hh"

namespace harness::abi
{

// Almost always one errno. Two where ABI.md leaves the choice; any_error where it names none.
class Expected
{
public:
	constexpr Expected(int code, int other = never) : code_{code}, other_{other} {}
	static constexpr Expected any_error() { return Expected{any}; }

	bool accepts(Errno seen) const
	{
		if (code_ == any)
			return seen.code() > 0;
		return seen.code() == code_ || seen.code() == other_;
	}
	bool failure() const { return code_ != 0 && other_ != 0; }
	std::string text() const
	{
		if (code_ == any)
			return "an error";
		return other_ == never ? Errno{code_}.name()
				       : fmt::format("{} or {}", Errno{code_}.name(), Errno{other_}.name());
	}

private:
	static constexpr int never = 1 << 20;
	static constexpr int any = never + 1;

	int code_;
	int other_;
};

enum class Afterwards {
	as_before, // counts as at first, and the container is of use
	changed,   // of use, but the case leaves another window or region than it found, and so other counts
	spent,	   // the case ends with a container that this process cannot use any more
};

// In which kind of container a row holds. A row of both is two cases: the stage of the second is the v1 one, its name
// has "v1-" before it, or behind "defect/".
enum class Kinds { as_named, both };

struct Case {
	const char *name; // "call/what-is-wrong", unique; "defect/..." for a row of ABI.md's defects
	const char *row;  // what ABI.md has to say about it
	Expected expected = 0;
	Stage stage = Stage::ready;
	Kinds kinds = Kinds::as_named;
	Result<> (*prepare)(Bench &) = nullptr; // before the counts are taken
	Result<> (*call)(Bench &) = nullptr;
	std::string (*verify)(Bench &) = nullptr; // what is wrong now; empty: nothing
	Result<> (*finish)(Bench &) = nullptr;	  // undoes prepare, and a call that succeeds
	Afterwards afterwards = Afterwards::as_before;
};

// The tables, one for each file cases_*.cc.
std::span<const Case> rule_cases();
std::span<const Case> attach_cases();
std::span<const Case> v1_cases();
std::span<const Case> v1_map_cases();
std::span<const Case> v1_unmap_cases();
std::span<const Case> eeh_cases();
std::span<const Case> get_info_cases();
std::span<const Case> register_cases();
std::span<const Case> unregister_cases();
std::span<const Case> create_cases();
std::span<const Case> remove_cases();
std::span<const Case> map_cases();
std::span<const Case> page_cases();
std::span<const Case> unmap_cases();
std::span<const Case> no_ddw_cases();
std::span<const Case> powernv_cases();
std::span<const Case> level_cases();
std::span<const Case> group_cases();
std::span<const Case> container_cases();
std::span<const Case> concurrent_cases();
std::span<const Case> figure_cases();
std::span<const Case> long_cases();

// Of a CREATE with so many levels: where tables are in memory none are too few, and some are more than a table of
// kernel's pages can have.
Expected of_levels(unsigned count);

// All of them, rows of both kinds twice.
const std::vector<Case> &all_cases();
// Why a case says nothing about such a PE; nullptr: it does.
const char *not_applicable(const Case &test, const Terms &terms);

} // namespace harness::abi
