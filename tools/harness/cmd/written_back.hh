// SPDX-License-Identifier: GPL-2.0-only
// A device writes to pages of a file on a disk, which were clean: what it wrote is in the file once the pages are given
// back, however that happens. Wants an NVMe disk with a file system (tools/lab/disk) that is not in the edu's PE.
#pragma once

#include "cmd/options.hh"

namespace harness
{

bool run_written_back(const Options &options);

} // namespace harness
