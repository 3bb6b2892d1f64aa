// SPDX-License-Identifier: GPL-2.0-only
// Small files of /sys and /proc: whole contents in, one line out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.hh"

namespace harness
{

Result<std::string> read_file(const std::string &path); // as it is, nothing stripped
Result<std::string> read_line(const std::string &path); // without the trailing newline
Result<> write_file(const std::string &path, std::string_view text);

// The last component of where a symbolic link points, e.g. the driver of a device.
std::optional<std::string> link_name(const std::string &path);
bool exists(const std::string &path);
std::optional<std::uint64_t> parse_number(std::string_view text); // decimal, or hex after 0x

// Value of "Key: 123 ..." or "key 123" in a table such as /proc/self/status.
std::optional<std::uint64_t> field(std::string_view text, std::string_view key);

} // namespace harness
