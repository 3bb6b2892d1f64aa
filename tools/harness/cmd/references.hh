// SPDX-License-Identifier: GPL-2.0-only
// References of the kernel's that tcewin takes and has to give back, counted where the kernel has them: of device
// memory in a process's list, of device tree nodes, of the IOMMU group of a PE that goes.
#pragma once

#include "cmd/options.hh"
#include "lib/kernel_refs.hh"

namespace harness
{

struct References_options : Options {
	std::string refs_module = kernel_refs::default_module_file;
};

bool run_references(const References_options &options);

} // namespace harness
