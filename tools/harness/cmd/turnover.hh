// SPDX-License-Identifier: GPL-2.0-only
// Threads that call a container without pause while it comes and goes beneath them: by UNSET_CONTAINER, or with the
// last group's file. What they do there is next to nothing, so a good part of their time they are about to find it.
#pragma once

#include <cstdint>

#include "cmd/options.hh"

namespace harness
{

struct Turnover_options : Options {
	unsigned seconds = 20;
	unsigned threads = 4; // that call
	std::uint64_t seed = 1;
};

bool run_turnover(const Turnover_options &options);

} // namespace harness
