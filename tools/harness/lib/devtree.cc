// SPDX-License-Identifier: GPL-2.0-only
#include "lib/devtree.hh"

#include <fmt/format.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <string_view>

#include "lib/platform.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

constexpr std::string_view default_window = "ibm,dma-window";
constexpr std::array ddw_properties{"linux,dma64-ddr-window-info", "linux,direct64-ddr-window-info"};

std::uint64_t big_endian(std::string_view bytes, std::size_t offset, std::size_t count)
{
	std::uint64_t value = 0;
	for (std::size_t i = 0; i < count; ++i)
		value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
	return value;
}

// Directories of the function's node and of all nodes above it, nearest first.
std::vector<std::string> nodes(const Pci_function &function)
{
	std::vector<std::string> found;
	std::array<char, PATH_MAX> path;
	if (!::realpath(function.sysfs("of_node").c_str(), path.data()))
		return found;
	std::string node{path.data()};
	for (std::string_view root{"/sys/firmware/devicetree/base"}; node.size() > root.size();
	     node.resize(node.rfind('/')))
		found.push_back(node);
	return found;
}

// liobn, start (2 cells), size (2 cells)
void add_default(std::vector<Tree_window> &windows, const std::string &node)
{
	auto bytes = read_file(node + "/" + std::string{default_window});
	if (!bytes || bytes->size() < 20)
		return;
	windows.push_back({std::string{default_window}, static_cast<std::uint32_t>(big_endian(*bytes, 0, 4)),
			   big_endian(*bytes, 4, 8), big_endian(*bytes, 12, 8), 12});
}

// struct dynamic_dma_window_prop of the kernel, padding included: liobn, hole, base (2 cells), page shift, shift of the
// size
void add_ddw(std::vector<Tree_window> &windows, const std::string &node, const char *property)
{
	auto bytes = read_file(node + "/" + property);
	if (!bytes || bytes->size() < 24)
		return;
	windows.push_back({property, static_cast<std::uint32_t>(big_endian(*bytes, 0, 4)), big_endian(*bytes, 8, 8),
			   1ull << big_endian(*bytes, 20, 4), static_cast<std::uint32_t>(big_endian(*bytes, 16, 4))});
}

} // namespace

std::vector<Tree_window> tree_windows(const Pci_function &function)
{
	std::vector<Tree_window> windows;
	for (const auto &node : nodes(function)) {
		add_default(windows, node);
		for (auto property : ddw_properties)
			add_ddw(windows, node, property);
		if (!windows.empty())
			break;
	}
	return windows;
}

bool tcewin_writes_tree() { return platform().windows_in_tree && !exists("/sys/class/iommu/tcewin"); }

bool has_ddw(const Pci_function &function)
{
	if (!platform().windows_in_tree)
		return true;
	for (const auto &node : nodes(function))
		if (exists(node + "/ibm,ddw-applicable"))
			return true;
	return false;
}

Result<std::uint64_t> phb_page_sizes(const Pci_function &function)
{
	for (const auto &node : nodes(function))
		if (auto shifts = read_file(node + "/ibm,supported-tce-sizes")) {
			std::uint64_t sizes = 0;
			for (std::size_t at = 0; at + 4 <= shifts->size(); at += 4)
				sizes |= 1ull << big_endian(*shifts, at, 4);
			return sizes;
		}
	return fail(ENOENT);
}

std::string to_string(const Tree_window &window)
{
	return fmt::format("{} liobn {:#x} start {:#x} size {:#x} shift {}", window.property, window.liobn,
			   window.start, window.size, window.page_shift);
}

std::string to_string(const std::vector<Tree_window> &windows)
{
	std::string text;
	for (const auto &window : windows)
		text += (text.empty() ? "" : "; ") + to_string(window);
	return text.empty() ? "none" : text;
}

} // namespace harness
