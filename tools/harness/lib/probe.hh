// SPDX-License-Identifier: GPL-2.0-only
// Makes a device write or read memory and says what really happened, byte for byte, everything around it included.
// This is how every test here decides whether a translation exists: by the device trying it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lib/edu.hh"

namespace harness
{

enum class Reach {
	arrived, // exactly the expected bytes, and nothing else changed
	nothing, // memory unchanged, or the device saw none of our bytes
	garbled, // something else arrived
	stray,	 // bytes changed that the transfer was not about
};

std::string_view name_of(Reach reach);

// The memory that should lie behind a run of bus addresses, in bus order, in as many pieces as there are pages.
using Pieces = std::vector<std::span<std::byte>>;

std::size_t total_size(const Pieces &pieces);

class Probe
{
public:
	// `scratch` is mapped at `scratch_ioba` for reading and writing and stays so: the device's buffer can be filled
	// and seen only through memory. `watched` is everything that must not change besides the pieces; it holds the
	// scratch, too.
	Probe(const Edu &edu, std::span<std::byte> scratch, std::uint64_t scratch_ioba, std::span<std::byte> watched)
		: edu_{edu}, scratch_{scratch}, scratch_ioba_{scratch_ioba}, watched_{watched}
	{
	}

	// Device writes to memory at `ioba`. The transfer is as long as the pieces are.
	Result<Reach> write(std::uint64_t ioba, const Pieces &pieces);
	// Device reads memory at `ioba`.
	Result<Reach> read(std::uint64_t ioba, const Pieces &pieces);

private:
	Result<> load(std::uint32_t count, std::uint64_t seed); // device's buffer := pattern
	Result<std::vector<std::byte>> unload(std::uint32_t count,
					      std::uint64_t seed); // what is in the device's buffer

	const Edu &edu_;
	std::span<std::byte> scratch_;
	std::uint64_t scratch_ioba_;
	std::span<std::byte> watched_;
	std::uint64_t seed_ = 1;
};

} // namespace harness
