// SPDX-License-Identifier: GPL-2.0-only
// Was everything in a history as it had to be? Calls that ran side by side may have come in either order: what is
// claimed here holds for every order.
#pragma once

#include <string>
#include <vector>

#include "fuzz/world.hh"

namespace harness::fuzz
{

struct Verdict {
	std::vector<std::string> faults;
	unsigned arrived = 0; // transfers that had to reach a page, and did
	unsigned barred = 0;  // that had nowhere to go, and went nowhere
};

Verdict judge(const World &world, const History &history);

} // namespace harness::fuzz
