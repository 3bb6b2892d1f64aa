// SPDX-License-Identifier: GPL-2.0-only
// The kernel's nvme driver reads a file system with checksums; tcewin is loaded meanwhile; the disk goes to VFIO, does
// DMA by its own queues through the user's windows, comes back; nvme reads the same sums, and after rmmod, too. An edu
// device in the same PE looks where the driver's queues were. Wants tools/lab/run --disk, and modules nvme and ext4.
#pragma once

#include "cmd/options.hh"

namespace harness
{

struct Roundtrip_options : Options {
	bool direct = false; // the machine is one where the host driver gets a direct 64-bit window; else it must not
};

bool run_roundtrip(const Roundtrip_options &options);

} // namespace harness
