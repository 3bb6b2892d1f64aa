// SPDX-License-Identifier: GPL-2.0-only
// What a guest of tools/lab/run --monitor can have its QEMU do: a command of the human monitor. Nothing is heard of
// what came of it.
#pragma once

#include <string_view>

namespace harness
{

void ask_monitor(std::string_view command);

} // namespace harness
