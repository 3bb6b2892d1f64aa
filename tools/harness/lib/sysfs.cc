// SPDX-License-Identifier: GPL-2.0-only
#include "lib/sysfs.hh"

#include <sys/stat.h>

#include <array>
#include <cctype>
#include <charconv>

#include "lib/fd.hh"

namespace harness
{

Result<std::string> read_file(const std::string &path)
{
	auto fd = Fd::open(path.c_str(), O_RDONLY);
	if (!fd)
		return std::unexpected{fd.error()};
	std::string text;
	std::array<char, 4096> chunk;
	for (;;) {
		auto n = ::read(fd->get(), chunk.data(), chunk.size());
		if (n < 0)
			return fail_errno();
		if (n == 0)
			return text;
		text.append(chunk.data(), static_cast<std::size_t>(n));
	}
}

Result<std::string> read_line(const std::string &path)
{
	auto text = read_file(path);
	if (text)
		while (!text->empty() && std::isspace(static_cast<unsigned char>(text->back())))
			text->pop_back();
	return text;
}

Result<> write_file(const std::string &path, std::string_view text)
{
	auto fd = Fd::open(path.c_str(), O_WRONLY);
	if (!fd)
		return std::unexpected{fd.error()};
	if (::write(fd->get(), text.data(), text.size()) < 0)
		return fail_errno();
	return {};
}

std::optional<std::string> link_name(const std::string &path)
{
	std::array<char, 4096> target;
	auto n = ::readlink(path.c_str(), target.data(), target.size());
	if (n < 0)
		return std::nullopt;
	std::string_view view{target.data(), static_cast<std::size_t>(n)};
	return std::string{view.substr(view.rfind('/') + 1)};
}

bool exists(const std::string &path)
{
	struct stat unused;
	return ::stat(path.c_str(), &unused) == 0;
}

std::optional<std::uint64_t> parse_number(std::string_view text)
{
	int base = 10;
	if (text.starts_with("0x")) {
		base = 16;
		text.remove_prefix(2);
	}
	std::uint64_t value;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
	if (error != std::errc{} || end == text.data())
		return std::nullopt;
	return value;
}

std::optional<std::uint64_t> field(std::string_view text, std::string_view key)
{
	for (std::size_t at = 0; at < text.size();) {
		auto end = text.find('\n', at);
		auto line = text.substr(at, end - at);
		at = end == std::string_view::npos ? text.size() : end + 1;
		if (!line.starts_with(key))
			continue;
		line.remove_prefix(key.size());
		if (line.empty() || !(line[0] == ':' || line[0] == ' '))
			continue;
		line.remove_prefix(line.find_first_not_of(": \t"));
		return parse_number(line);
	}
	return std::nullopt;
}

} // namespace harness
