// SPDX-License-Identifier: GPL-2.0-only
// tcewin_floor.ko (tools/bench/floor): the least that a range of TCEs can cost here, and contiguous memory.
#pragma once

#include <cstdint>

#include "lib/buffer.hh"
#include "lib/pci.hh"
#include "lib/window.hh"

namespace bench
{

using namespace harness;

struct Floor_cost {
	double map; // nanoseconds, for all of the range
	double unmap;
};

class Floor
{
public:
	// Loads the module; it stays loaded. `memory`: bytes that it takes for contiguous().
	static Result<Floor> load(std::uint64_t memory);

	// Of so many TCEs from the beginning of an empty window, which is empty after it: by its LIOBN where there is
	// one, on bare metal in a table of the module's own. ENOENT: the device tree has no such window.
	Result<Floor_cost> cost(const Pci_function &function, const Window &window, std::uint64_t tces) const;
	// The memory of load() over and over, at a multiple of 16 MiB.
	Result<Buffer> contiguous(std::uint64_t size) const;

private:
	explicit Floor(Fd fd) : fd_{std::move(fd)} {}

	Fd fd_;
};

} // namespace bench
