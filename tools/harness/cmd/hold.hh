// SPDX-License-Identifier: GPL-2.0-only
// A user who has gone his own way: the default window removed, a DDW in its place, memory mapped and written by the
// device. Then it waits for whatever happens to the machine. Run in the background by tools/check/kexec.
#pragma once

#include "cmd/options.hh"

namespace harness
{

struct Hold_options : Options {
	bool keep_default = false; // the default window stays beside the DDW
};

bool run_hold(const Hold_options &options);

} // namespace harness
