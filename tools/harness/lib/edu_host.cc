// SPDX-License-Identifier: GPL-2.0-only
#include "lib/edu_host.hh"

#include <algorithm>
#include <sstream>

#include "lib/devtree.hh"
#include "lib/platform.hh"
#include "lib/sysfs.hh"

namespace harness::edu_host
{

namespace
{

constexpr const char *driver = "/sys/bus/pci/drivers/edu_host/";

// Without an override edu_host takes its devices by their id; with this one nobody does.
constexpr const char *nobody = "nobody";

Result<> free_from_driver(const Pci_function &function)
{
	return function.driver() ? write_file(function.sysfs("driver/unbind"), function.address()) : Result<>{};
}

} // namespace

std::vector<Kept> kept()
{
	std::vector<Kept> found;
	std::istringstream lines{read_file(std::string{driver} + "kept").value_or("")};
	std::string function, bus, state;
	while (lines >> function >> bus >> state)
		found.push_back({function, parse_number(bus).value_or(0), state == "intact"});
	return found;
}

bool has_direct_mapping(const Pci_function &function)
{
	if (!platform().windows_in_tree)
		return std::ranges::any_of(kept(), [&](const Kept &page) {
			return page.function == function.address() && page.bus >= bypass;
		});
	return std::ranges::any_of(tree_windows(function), [](const Tree_window &window) {
		return window.property == "linux,direct64-ddr-window-info";
	});
}

bool all_intact()
{
	auto pages = kept();
	return !pages.empty() && std::ranges::all_of(pages, &Kept::intact);
}

Result<> refill() { return write_file(std::string{driver} + "kept", "1"); }

Result<> set_dma_bits(unsigned bits)
{
	return write_file("/sys/module/edu_host/parameters/dma_bits", std::to_string(bits));
}

Result<> leave(const Pci_function &function)
{
	if (auto set = write_file(function.sysfs("driver_override"), nobody); !set)
		return set;
	return free_from_driver(function);
}

Result<> bind(const Pci_function &function)
{
	if (auto freed = free_from_driver(function); !freed)
		return freed;
	if (auto reset = write_file(function.sysfs("driver_override"), "\n"); !reset)
		return reset;
	(void)write_file("/sys/bus/pci/drivers_probe", function.address());
	return function.driver() == "edu_host" ? Result<>{} : fail(ENODEV);
}

Result<std::string> round_trip(const Pci_function &function) { return read_line(function.sysfs("round_trip")); }

Result<std::string> buffer(const Pci_function &function) { return read_file(function.sysfs("buffer")); }

Result<std::uint64_t> unmap_left(const Pci_function &function)
{
	auto line = read_line(function.sysfs("unmap_left"));
	if (!line)
		return std::unexpected{line.error()};
	return parse_number(*line).value_or(0);
}

Result<bool> has_table(const Pci_function &function)
{
	std::istringstream lines{read_file(std::string{driver} + "tables").value_or("")};
	std::string address, state;
	while (lines >> address >> state)
		if (address == function.address())
			return state == "table";
	return fail(ENOENT);
}

} // namespace harness::edu_host
