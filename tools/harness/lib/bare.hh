// SPDX-License-Identifier: GPL-2.0-only
// A PCI device driven with no VFIO at all: its BAR and bus-master bit through sysfs. This is how a test aims a device
// at memory when nobody holds its group. EINVAL from here: the kernel forbids it while a driver uses the BAR.
#pragma once

#include "lib/edu.hh"
#include "lib/pci.hh"

namespace harness
{

Result<Edu> bare_edu(const Pci_function &function);

} // namespace harness
