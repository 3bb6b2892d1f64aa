// SPDX-License-Identifier: GPL-2.0-only
#include "firmware/aim.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lib/pattern.hh"

namespace harness::firmware
{

namespace
{

constexpr std::uint32_t in_buffer = 1027; // of the device

std::uint64_t next_seed()
{
	static std::uint64_t seed = 100;
	return ++seed;
}

std::vector<std::byte> patterned(std::size_t size, std::uint64_t seed)
{
	std::vector<std::byte> bytes(size);
	fill(bytes, seed);
	return bytes;
}

std::string at(std::string_view what, std::uint64_t ioba) { return fmt::format("at {:#x} {}", ioba, what); }

} // namespace

std::vector<std::byte> Aim::all() const
{
	std::vector<std::byte> bytes;
	for (auto memory : watched_)
		bytes.insert(bytes.end(), memory.begin(), memory.end());
	return bytes;
}

std::string Aim::hits(std::uint64_t ioba, std::span<std::byte> there)
{
	auto count = static_cast<std::uint32_t>(there.size());
	auto sent = patterned(count, next_seed()), stale = patterned(count, next_seed());
	std::ranges::copy(sent, there.begin());
	auto wanted = all();
	if (auto moved = edu_.from_ram(ioba, in_buffer, count); !moved)
		return at("the engine: " + moved.error().name(), ioba);
	std::ranges::copy(stale, there.begin());
	if (auto moved = edu_.to_ram(in_buffer, ioba, count); !moved)
		return at("the engine: " + moved.error().name(), ioba);
	if (!std::ranges::equal(there, sent))
		return at(std::ranges::equal(there, stale) ? "the device reaches nothing" : "the device moves garbage",
			  ioba);
	return all() == wanted ? "" : at("the device has written elsewhere, too", ioba);
}

std::string Aim::misses(std::uint64_t ioba, std::span<std::byte> there)
{
	fill(there, next_seed());
	auto wanted = all();
	if (auto moved = edu_.to_ram(in_buffer, ioba, static_cast<std::uint32_t>(there.size())); !moved)
		return at("the engine: " + moved.error().name(), ioba);
	return all() == wanted ? "" : at("the device still reaches memory", ioba);
}

} // namespace harness::firmware
