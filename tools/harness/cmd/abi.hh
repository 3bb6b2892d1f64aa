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
	std::string after;	   // begin behind this case
	int patience = 90;	   // seconds for one case
	bool no_ddw = false;	   // expect no DDW, whatever the PE has
	bool until_damage = false; // end when a failed case has left a PE that does not work
	bool list = false;
};

bool names_a_case(const std::string &pattern);
bool run_abi(const Abi_options &options);

} // namespace harness
