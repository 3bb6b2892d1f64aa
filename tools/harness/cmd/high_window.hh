// SPDX-License-Identifier: GPL-2.0-only
// A PE whose default window lies above 4 GiB, as a virtual function's does on PowerVM: GET_INFO has no room for it.
#pragma once

#include "cmd/options.hh"

namespace harness
{

bool run_high_window(const Options &options);

} // namespace harness
