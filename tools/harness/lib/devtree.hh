// SPDX-License-Identifier: GPL-2.0-only
// DMA windows as the device tree shows them, at the node that a PCI function gets its window from (LoPAR R1-7.3.14,
// DDW). These properties are what kexec, hotplug and the second function of a device believe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/pci.hh"

namespace harness
{

struct Tree_window {
	std::string property; // "ibm,dma-window", "linux,dma64-ddr-window-info", ...
	std::uint32_t liobn;
	std::uint64_t start; // bytes
	std::uint64_t size;  // bytes
	std::uint32_t page_shift;

	friend bool operator==(const Tree_window &, const Tree_window &) = default;
};

std::vector<Tree_window> tree_windows(const Pci_function &function);
// tcewin describes the default window there while a user has the PE: not where it has to hand over PEs alone (6.1), for
// then the property never went.
bool tcewin_writes_tree();
bool has_ddw(
	const Pci_function &function); // "ibm,ddw-applicable" is there, or the windows are the kernel's own (PowerNV)
// As its PHB lists them (ibm,supported-tce-sizes), a bit for each; ENOENT: there is no such list.
Result<std::uint64_t> phb_page_sizes(const Pci_function &function);
std::string to_string(const Tree_window &window);
std::string to_string(const std::vector<Tree_window> &windows);

} // namespace harness
