// SPDX-License-Identifier: GPL-2.0-only
// What KVM does to our windows by itself: a virtual CPU's hypercalls written to an IOMMU table by the kernel, beside
// the ioctls of the same process, and all the orders in which machine, table, window and container may end.
#pragma once

#include <string>
#include <vector>

#include "cmd/options.hh"

namespace harness
{

struct Kvm_options : Options {
	std::vector<std::string> only; // scenarios; none: all
	unsigned seconds = 5;	       // of the race
	std::uint64_t seed = 1;
};

std::vector<std::string> kvm_scenario_names();
bool run_kvm(const Kvm_options &options);

} // namespace harness
