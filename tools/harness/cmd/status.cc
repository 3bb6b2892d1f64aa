// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/status.hh"

#include <fmt/format.h>

#include "cmd/options.hh"
#include "lib/counts.hh"
#include "lib/devtree.hh"

namespace harness
{

namespace
{

void print_module(std::string_view name)
{
	auto refs = module_refs(name);
	fmt::print("  {:<22} {}\n", name, refs ? fmt::format("loaded, {} references", *refs) : "not loaded");
}

void print_function(const Pci_function &function)
{
	auto id = function.id();
	auto group = function.group();
	fmt::print("  {} {:04x}:{:04x}  group {:<4} driver {:<10} DDW {}\n", function.address(), id.vendor, id.device,
		   group ? std::to_string(*group) : "none", function.driver().value_or("none"),
		   has_ddw(function) ? "yes" : "no");
	for (auto &window : tree_windows(function))
		fmt::print("    {}\n", to_string(window));
}

} // namespace

bool run_status()
{
	fmt::print("{}\nmodules\n", kernel_line());
	for (auto name : {"vfio", "vfio_pci", "vfio_iommu_spapr_tce", "tcewin"})
		print_module(name);
	fmt::print("PCI functions\n");
	for (auto &function : pci_functions())
		print_function(function);
	fmt::print("this process: {}\n", to_string(Counts::now()));
	return true;
}

} // namespace harness
