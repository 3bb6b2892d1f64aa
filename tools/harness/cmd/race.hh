// SPDX-License-Identifier: GPL-2.0-only
// Threads that issue every ioctl at random while another one takes the group out of the container and puts it back.
// Errors are fine, crashes are not, and in the end nothing may be held.
#pragma once

#include "cmd/options.hh"

namespace harness
{

struct Race_options : Options {
	unsigned seconds = 60;
	unsigned threads = 3; // that issue ioctls, beside the one that moves the group
	std::uint64_t seed = 1;
};

bool run_race(const Race_options &options);

} // namespace harness
