// SPDX-License-Identifier: GPL-2.0-only
// What a case of firmware that fails works on: the bench of the conformance cases, and its devices aimed.
#pragma once

#include <optional>

#include "abi/bench.hh"
#include "firmware/aim.hh"

namespace harness::firmware
{

struct Scene {
	explicit Scene(abi::Bench &bench) : b{bench} {}

	// The device of the container's first PE, or of the second; made when first asked for.
	Aim &first();
	Aim &second();

	// 64 bytes at the beginning of a unit, or of `b.own`.
	std::span<std::byte> unit(std::size_t index) const { return b.at(index, 0, 64); }
	std::span<std::byte> own(std::size_t offset) const { return b.own->bytes(offset, 64); }

	// Of a DDW that is the only window: on pSeries a smaller request is one for the default window.
	std::uint64_t size_beyond_default() const;

	void forget(); // a device goes

	abi::Bench &b;

private:
	Aim &aim(std::optional<Aim> &made, const Edu &edu);

	std::optional<Aim> first_, second_;
};

// The PE's device with nobody's container around it reaches nothing at `ioba`; empty: so it is.
std::string nobody_reaches(const Pci_function &function, std::uint64_t ioba, std::span<std::byte> there);

} // namespace harness::firmware
