// SPDX-License-Identifier: GPL-2.0-only
// kernel_refs.ko, which tells references that the kernel counts and shows nobody (tools/harness/kernel_refs).
#pragma once

#include <map>
#include <string>

#include "lib/buffer.hh"
#include "lib/result.hh"

namespace harness::kernel_refs
{

inline constexpr const char *default_module_file = "/modules/kernel_refs.ko";

// The kernel's list of what this process has for devices gets these addresses, as the memory of a device.
Result<> list_as_device(const Buffer &range);
Result<> drop_range(); // the module's reference on it
Result<bool> is_listed();

// For each PCI function the references of its device tree node and of those above it, "17 25 4".
using Nodes = std::map<std::string, std::string>;
Result<Nodes> nodes();
std::string difference(const Nodes &before, const Nodes &after); // "none", or what is not alike

} // namespace harness::kernel_refs
