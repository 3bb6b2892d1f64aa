// SPDX-License-Identifier: GPL-2.0-only
// What the machine decides, and not the driver: the one place that knows an LPAR (pseries) from bare metal (powernv).
#pragma once

#include <cstdint>

namespace harness
{

struct Platform {
	bool powernv;
	// A CREATE takes the first free slot of a PE, whatever it asks for: slot 0 begins at 0, slot 1 at second_slot.
	// Else firmware alone says where a window goes, the first one is special, and there is room for one more.
	bool windows_by_slot;
	bool windows_in_tree;	 // the device tree shows them
	bool tables_in_memory;	 // ours: levels are made when something is mapped there, and stay until the window goes
	bool write_implies_read; // IODA2 cannot let a device write and not read (ABI.md, MAP_DMA)
	bool eeh;		 // the kernel's, which the emulated PHBs of an LPAR do not have
};

const Platform &platform();

// Where a window lies that is made beside the default one. QEMU's firmware of pseries has chosen the same address.
inline constexpr std::uint64_t second_slot = 1ull << 59;
// On powernv, while the kernel has a PE: its devices reach all memory there, at its physical address.
inline constexpr std::uint64_t bypass = 1ull << 59;
// No guest of these tests has so much memory. Who aims a device at a second window's addresses after the PE is the
// kernel's again has to be above this in it, or the device writes to the kernel itself.
inline constexpr std::uint64_t beyond_memory = 4ull << 30; // bytes

} // namespace harness
