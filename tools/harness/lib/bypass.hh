// SPDX-License-Identifier: GPL-2.0-only
// Where a device of the kernel's reaches memory without any window, on bare metal. A device that gets there while a
// user has its PE reaches all of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "lib/result.hh"

namespace harness
{

// Bus address of these bytes, which lie in one page that is there, by /proc/self/pagemap. ENXIO: it is not.
Result<std::uint64_t> bypass_address(std::span<const std::byte> bytes);

} // namespace harness
