// SPDX-License-Identifier: GPL-2.0-only
// The conformance suite of ABI.md: every named case, or those that are asked for.
#pragma once

#include <string>
#include <vector>

#include "cmd/options.hh"

namespace harness
{

struct Abi_options : Options {
	std::vector<std::string> cases; // shell patterns; none: all
	std::vector<std::string> skip;
	bool v1 = false; // the cases of the v1 interface as well; with tcewin always
	bool list = false;
};

bool run_abi(const Abi_options &options);

} // namespace harness
