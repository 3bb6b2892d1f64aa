// SPDX-License-Identifier: GPL-2.0-only
// Functions of the kernel that fail when told to (CONFIG_FAIL_FUNCTION): they return a status and do nothing else. What
// can be told so is in the kernel's list of them; tcewin's calls of firmware are. One such order at a time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/result.hh"

namespace harness
{

struct Fault {
	std::string function;
	int status; // what it returns: -1 to -4095
};

class Faults
{
public:
	static constexpr int for_ever = 1 << 20;

	// What keeps this kernel from it; empty: nothing. `functions` are to be in its list.
	static std::string obstacle(const std::vector<std::string> &functions);

	// Calls of all these functions are counted together. Number `first` fails, from 1 on, and those that come next,
	// `times` in all.
	static Result<Faults> arm(const std::vector<Fault> &faults, unsigned first = 1, int times = for_ever);
	// None fails.
	static Result<Faults> count(const std::vector<Fault> &faults);
	// Whatever was armed, by this process or by another.
	static void disarm();

	Result<unsigned> calls() const; // of count()
	bool fired() const;		// some call has failed

	Faults(Faults &&other) noexcept : armed_{std::exchange(other.armed_, false)}, times_{other.times_} {}
	Faults &operator=(Faults &&) = delete;
	~Faults()
	{
		if (armed_)
			disarm();
	}

private:
	explicit Faults(int times) : times_{times} {}

	bool armed_ = true;
	int times_;
};

} // namespace harness
