// SPDX-License-Identifier: GPL-2.0-only
// Processes and threads that issue every ioctl at random, fight for groups, fork and are killed in the middle, while
// devices try addresses of all kinds. Errors are fine; a splat, a byte in memory that was not theirs, or anything that
// is still held at the end is not.
#pragma once

#include "cmd/options.hh"

namespace harness
{

struct Stress_options : Options {
	unsigned seconds = 300;
	std::uint64_t seed = 1;
};

bool run_stress(const Stress_options &options);

} // namespace harness
