// SPDX-License-Identifier: GPL-2.0-only
// Windows of terabytes: they cost memory for what is mapped in them and not for their size, a device reaches their
// first page and their last, and who fills one is stopped by the limit of locked memory.
#pragma once

#include "cmd/options.hh"
#include "lib/region.hh"
#include "lib/rig.hh"
#include "lib/window.hh"

namespace harness
{

struct Scale_options : Options {
	unsigned mappings = 4096; // of one page each, for the measurement
};

// What the levels of a table in our memory may take for `mapped` TCEs, wherever they are in a window of so many: in
// pieces of up to 64 KiB, as many below each piece as fit. 0 where firmware has the table.
std::int64_t cost_of_levels(std::uint64_t mapped, std::uint64_t window);

// Maps one page over and over until the limit says no; leaves nothing mapped in `window`. The scratch that a device
// needs is the last page of the region, mapped at `scratch_ioba`.
void fill_to_limit(Report &report, const Rig &rig, const Region &region, const Window &window,
		   std::uint64_t scratch_ioba);

bool run_scale(const Scale_options &options);

} // namespace harness
