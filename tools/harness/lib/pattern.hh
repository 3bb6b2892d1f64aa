// SPDX-License-Identifier: GPL-2.0-only
// Bytes that depend on their position and on a seed: a shifted, repeated, swapped or stale piece never passes for the
// right one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace harness
{

constexpr std::byte pattern_at(std::uint64_t seed, std::uint64_t position)
{
	auto x = (position + 1) * 0x9e3779b97f4a7c15ull ^ seed * 0xbf58476d1ce4e5b9ull;
	x ^= x >> 29;
	x *= 0x94d049bb133111ebull;
	return static_cast<std::byte>(x >> 56);
}

static_assert(pattern_at(1, 0) != pattern_at(2, 0) && pattern_at(1, 0) != pattern_at(1, 1));

inline void fill(std::span<std::byte> bytes, std::uint64_t seed, std::uint64_t position = 0)
{
	for (auto &byte : bytes)
		byte = pattern_at(seed, position++);
}

} // namespace harness
