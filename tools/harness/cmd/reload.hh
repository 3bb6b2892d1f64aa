// SPDX-License-Identifier: GPL-2.0-only
// tcewin comes and goes a hundred times while the kernel's own nvme driver works a disk in another PE, and in some of
// the rounds a container is used. The disk may not notice, and nothing may be left behind.
#pragma once

#include "cmd/options.hh"

namespace harness
{

struct Reload_options : Options {
	unsigned rounds = 100;
};

bool run_reload(const Reload_options &options);

} // namespace harness
