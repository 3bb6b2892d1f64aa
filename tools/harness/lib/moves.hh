// SPDX-License-Identifier: GPL-2.0-only
// Is a container of use? The shortest answer: memory is registered and mapped in the default window, a byte pattern
// goes through the device both ways, and all is undone.
#pragma once

#include "lib/rig.hh"

namespace harness
{

bool moves_data(const Rig &rig);
// The same in a window of 4 KiB pages or the kernel's that starts there.
bool moves_data(const Rig &rig, std::uint64_t start);

} // namespace harness
