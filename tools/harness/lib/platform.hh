// SPDX-License-Identifier: GPL-2.0-only
// What the platform decides, and not the driver.
#pragma once

#include "lib/sysfs.hh"

namespace harness
{

inline bool on_powernv() { return exists("/proc/device-tree/ibm,opal"); }

// IODA2 has no way to let a device write and not read (ABI.md, MAP_DMA).
inline bool write_implies_read() { return on_powernv(); }

} // namespace harness
