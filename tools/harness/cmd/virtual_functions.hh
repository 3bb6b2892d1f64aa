// SPDX-License-Identifier: GPL-2.0-only
// Virtual functions (SR-IOV) of QEMU's igb on bare metal: each is a PE of its own, and the device tree has no node for
// it. A user has one while the kernel's driver has the physical function.
#pragma once

#include "cmd/options.hh"

namespace harness
{

bool run_virtual_functions(const Options &options);

} // namespace harness
