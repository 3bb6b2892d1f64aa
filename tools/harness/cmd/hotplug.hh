// SPDX-License-Identifier: GPL-2.0-only
// Memory that is hot-added while a user has a PE, whose host driver had a window for all memory: the user's device must
// not reach it, the host's must afterwards. Wants a guest of tools/lab/run --monitor with room for two DIMMs,
// edu_host.ko, and a PHB whose page sizes are the kernel's at most.
#pragma once

#include "cmd/handover.hh"

namespace harness
{

struct Hotplug_options : Options {
	std::string host_module = edu_host::default_module_file;
};

bool run_hotplug(const Hotplug_options &options);

} // namespace harness
