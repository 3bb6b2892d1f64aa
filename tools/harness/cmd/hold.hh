// SPDX-License-Identifier: GPL-2.0-only
// A user who has gone his own way: the default window removed, a DDW in its place, memory mapped and written by the
// device. Then it waits for whatever happens to the machine. Run in the background by tools/check/kexec.
#pragma once

#include "cmd/options.hh"

namespace harness
{

bool run_hold(const Options &options);

} // namespace harness
