// SPDX-License-Identifier: GPL-2.0-only
// A device aimed at bus addresses, with no need of a mapping but the one in question: where it is, the device reads
// what is there and writes it back; where it is not, its write changes nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/edu.hh"

namespace harness::firmware
{

class Aim
{
public:
	explicit Aim(const Edu &edu) : edu_{edu} {}

	void watch(std::span<std::byte> memory) { watched_.push_back(memory); }
	// Both say what is wrong; empty: nothing. `there` lies behind `ioba`, or would.
	std::string hits(std::uint64_t ioba, std::span<std::byte> there);
	std::string misses(std::uint64_t ioba, std::span<std::byte> there);

private:
	std::vector<std::byte> all() const;

	const Edu &edu_;
	std::vector<std::span<std::byte>> watched_;
};

} // namespace harness::firmware
