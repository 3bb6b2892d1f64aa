// SPDX-License-Identifier: GPL-2.0-only
// What a process and the system hold on account of VFIO: locked memory and pinned pages. Compared before and after
// everything, because a leak here is memory that nobody gets back.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace harness
{

struct Counts {
	std::uint64_t locked; // bytes, VmLck of this process
	std::uint64_t pinned; // base pages, of the whole system: nr_foll_pin_acquired - nr_foll_pin_released

	static Counts now();
	static Counts rested(); // after RCU grace periods under way have ended, with the pins that wait for them

	friend bool operator==(const Counts &, const Counts &) = default;
};

std::string to_string(const Counts &counts);
std::string difference(const Counts &before, const Counts &after); // "VmLck +64 KiB, pinned -16 pages"

// Pins are dropped an RCU grace period after the call that ends them: waits for the counts to be the wanted ones, and
// answers with the last ones seen.
Counts settled(const Counts &wanted, std::chrono::milliseconds patience = std::chrono::seconds{20});

} // namespace harness
