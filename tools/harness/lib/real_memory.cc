// SPDX-License-Identifier: GPL-2.0-only
#include "lib/real_memory.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>

#include "lib/sysfs.hh"

namespace harness
{

namespace
{

constexpr const char *folder = "/sys/devices/system/memory";
constexpr std::uint64_t reserve = 160ull << 20;

// /proc/self/pagemap: a word a page, the number of its frame in the lowest bits.
constexpr std::uint64_t frame_bits = (1ull << 55) - 1, is_there = 1ull << 63;

Result<std::vector<std::uint64_t>> page_map(const Buffer &buffer)
{
	std::vector<std::uint64_t> words(buffer.size() / page_size());
	int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(errno);
	auto bytes = static_cast<ssize_t>(words.size() * sizeof(words[0]));
	auto offset = static_cast<off_t>(buffer.address() / page_size() * sizeof(words[0]));
	auto got = ::pread(fd, words.data(), words.size() * sizeof(words[0]), offset);
	::close(fd);
	return got == bytes ? Result<std::vector<std::uint64_t>>{words} : fail(EIO);
}

} // namespace

std::uint64_t block_size()
{
	return parse_number("0x" + read_line(std::string{folder} + "/block_size_bytes").value_or("0")).value_or(0);
}

Blocks online_blocks()
{
	Blocks found;
	std::error_code none;
	for (auto &entry : std::filesystem::directory_iterator{folder, none}) {
		auto path = entry.path().string();
		if (read_line(path + "/state").value_or("") != "online")
			continue;
		auto index = parse_number("0x" + read_line(path + "/phys_index").value_or(""));
		if (index)
			found.insert(*index * block_size());
	}
	return found;
}

Blocks operator-(const Blocks &left, const Blocks &right)
{
	Blocks rest;
	std::ranges::set_difference(left, right, std::inserter(rest, rest.end()));
	return rest;
}

Blocks wait_for_blocks(const Blocks &before, std::size_t count, std::chrono::seconds limit)
{
	auto end = std::chrono::steady_clock::now() + limit;
	Blocks now;
	do {
		std::this_thread::sleep_for(std::chrono::milliseconds{100});
		now = online_blocks() - before;
	} while (now.size() < count && std::chrono::steady_clock::now() < end);
	return now;
}

Result<Buffer> most_of_memory()
{
	auto free = field(read_file("/proc/meminfo").value_or(""), "MemAvailable:").value_or(0) << 10;
	if (free <= reserve)
		return fail(ENOMEM);
	return Buffer::anonymous((free - reserve) / page_size() * page_size());
}

Result<std::vector<Frame>> frames_in(const Buffer &buffer, const Blocks &blocks)
{
	auto map = page_map(buffer);
	if (!map)
		return std::unexpected{map.error()};
	std::map<std::uint64_t, Frame> found;
	for (std::size_t page = 0; page < map->size(); ++page) {
		if (!((*map)[page] & is_there))
			continue;
		std::uint64_t real = ((*map)[page] & frame_bits) * page_size(),
			      block = real / block_size() * block_size();
		if (blocks.contains(block))
			found.try_emplace(block, Frame{real, buffer.bytes(page * page_size(), page_size())});
	}
	std::vector<Frame> frames;
	for (auto &[block, frame] : found)
		frames.push_back(frame);
	return frames;
}

} // namespace harness
