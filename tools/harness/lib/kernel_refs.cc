// SPDX-License-Identifier: GPL-2.0-only
#include "lib/kernel_refs.hh"

#include <fmt/format.h>

#include <sstream>

#include "lib/sysfs.hh"

namespace harness::kernel_refs
{

namespace
{

constexpr const char *range_file = "/sys/module/kernel_refs/parameters/range";
constexpr const char *nodes_file = "/sys/module/kernel_refs/parameters/nodes";

} // namespace

Result<> list_as_device(const Buffer &range)
{
	return write_file(range_file, fmt::format("{} {}", range.address(), range.size() / page_size()));
}

Result<> drop_range() { return write_file(range_file, "drop"); }

Result<bool> is_listed()
{
	auto line = read_line(range_file);
	if (!line)
		return std::unexpected{line.error()};
	return *line == "listed";
}

Result<Nodes> nodes()
{
	auto text = read_file(nodes_file);
	if (!text)
		return std::unexpected{text.error()};
	Nodes found;
	std::istringstream lines{*text};
	std::string line;
	while (std::getline(lines, line))
		found[line.substr(0, line.find(' '))] = line.substr(line.find(' ') + 1);
	return found;
}

std::string difference(const Nodes &before, const Nodes &after)
{
	std::string text;
	for (auto &[function, counts] : after)
		if (auto old = before.find(function); old == before.end() || old->second != counts)
			text += fmt::format("{}{}: {}, before {}", text.empty() ? "" : "; ", function, counts,
					    old == before.end() ? "not there" : old->second);
	return text.empty() ? "none" : text;
}

} // namespace harness::kernel_refs
