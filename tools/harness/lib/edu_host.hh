// SPDX-License-Identifier: GPL-2.0-only
// edu_host.ko, which drives edu devices by the kernel's DMA API (tools/harness/edu_host): what it is told and asked.
// Its kept pages have bus addresses that the kernel mapped and nobody unmapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/pci.hh"
#include "lib/result.hh"

namespace harness::edu_host
{

inline constexpr const char *default_module_file = "/modules/edu_host.ko";
inline constexpr std::size_t buffer_size = 2048;	     // bytes of the device's buffer that buffer() shows
inline constexpr std::string_view mark = "THE KERNEL'S OWN"; // kept pages are full of it

struct Kept {
	std::string function; // that the page was mapped for
	std::uint64_t bus;
	bool intact;
};

std::vector<Kept> kept();
// Whether the kernel's driver of this device reaches all memory without a table of its own making: by a direct window,
// or on bare metal by the bypass, which is where its page is then.
bool has_direct_mapping(const Pci_function &function);
bool all_intact();
Result<> refill(); // makes all of them intact

Result<> set_dma_bits(unsigned bits);	      // of what is bound from now on; 0: it sets no mask
Result<> bind(const Pci_function &function);  // whoever had it; ENODEV: it did not take it
Result<> leave(const Pci_function &function); // to no driver at all

Result<std::string> round_trip(const Pci_function &function); // "ok": new bytes went out and came back
Result<std::string> buffer(const Pci_function &function);     // what the device's buffer begins with
// What the driver before this one had not unmapped is unmapped now; where that was, 0: nowhere.
Result<std::uint64_t> unmap_left(const Pci_function &function);
Result<bool> has_table(const Pci_function &function); // of the kernel's DMA API; ENOENT: no such function

} // namespace harness::edu_host
