// SPDX-License-Identifier: GPL-2.0-only
// Firmware that refuses: each of its calls that an ioctl comes to, once and from then on.
#pragma once

#include <string>
#include <vector>

#include "cmd/options.hh"

namespace harness
{

struct Firmware_options : Options {
	std::vector<std::string> cases; // shell patterns, "act/site/when"; none: all
	bool list = false;
	bool stuck = false; // what ends in quarantine, and nothing else
};

bool run_firmware(const Firmware_options &options);
bool run_stuck(const Firmware_options &options); // the part of it that is asked for by that flag

} // namespace harness
