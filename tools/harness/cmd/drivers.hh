// SPDX-License-Identifier: GPL-2.0-only
// Which driver is asked first when both are there, whether an open container stays with its own, what becomes of a type
// that is refused, and that a driver in use cannot be unloaded. On a PE without DDW it shows instead that our refusal
// holds whatever the in-tree driver would have done.
#pragma once

#include <string>
#include <vector>

#include "cmd/options.hh"

namespace harness
{

enum class Order { tcewin_first, in_tree_first, open_across_load };

struct Drivers_options : Options {
	std::vector<Order> orders; // none: all
};

bool run_drivers(const Drivers_options &options);

} // namespace harness
