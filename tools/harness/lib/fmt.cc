// SPDX-License-Identifier: GPL-2.0-only
// The code of fmt, once: other files see its declarations only, which halves the time to compile them.
#define FMT_HEADER_ONLY
#include <cstdint>

#include <fmt/format.h>

namespace
{

// Inline, and with each comes all that it calls.
[[gnu::used]] const auto format = static_cast<std::string (*)(fmt::string_view, fmt::format_args)>(&fmt::vformat);
[[gnu::used]] const auto print = static_cast<void (*)(fmt::string_view, fmt::format_args)>(&fmt::vprint);
[[gnu::used]] const auto is_printable = static_cast<bool (*)(std::uint32_t)>(&fmt::detail::is_printable);

} // namespace
