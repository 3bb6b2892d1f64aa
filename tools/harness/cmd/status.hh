// SPDX-License-Identifier: GPL-2.0-only
// What is there: modules and who holds them, PCI functions with group and driver, windows as the device tree has them.
#pragma once

namespace harness
{

bool run_status();

} // namespace harness
