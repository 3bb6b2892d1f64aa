// SPDX-License-Identifier: GPL-2.0-only
// The life of a v2 container, step by step, with a device that tries every promise of it. See life.cc for the order.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "cmd/options.hh"
#include "lib/probe.hh"
#include "lib/rig.hh"
#include "lib/window.hh"

namespace harness
{

struct Life_options : Options {
	unsigned ddw_shift = 0;	    // 0: the kernel's page size; above it memory is of huge pages
	std::uint64_t ddw_size = 0; // bytes; 0: small, or on bare metal as large as the bypass in its place
};

// One line of the table at the end: what a device could do through a window, and could no longer do.
struct Window_story {
	std::string name;
	std::uint64_t start = 0;
	std::uint64_t page = 0; // bytes
	std::string written = "-", read = "-", after_unmap = "-", after_remove = "-", after_death = "-";
};

// A window as the steps see it, whether made by TCE_CREATE or there by itself.
struct Geometry {
	std::uint64_t start;
	std::uint64_t size;
	unsigned page_shift;

	std::uint64_t page() const { return 1ull << page_shift; }
	std::uint64_t end() const { return start + size; }
};

// Memory is dealt in units that hold one page of any kind that these steps use; the last one is the scratch.
struct Units {
	std::span<std::byte> memory;
	std::size_t unit;

	std::span<std::byte> at(std::size_t index, std::size_t offset, std::size_t count) const
	{
		return memory.subspan(index * unit + offset, count);
	}
	std::uint64_t address(std::size_t index, std::size_t offset = 0) const
	{
		return reinterpret_cast<std::uint64_t>(memory.data()) + index * unit + offset;
	}
	std::span<std::byte> scratch() const { return at(scratch_index(), 0, unit); }
	std::size_t scratch_index() const { return memory.size() / unit - 1; }
};

std::string verdict(Reach reach); // "no", "YES", "garbled"
bool expect_reach(Report &report, std::string_view what, const Result<Reach> &reach, Reach wanted);

// Maps, moves data both ways over page borders, unmaps, tries again. Leaves nothing mapped.
void exercise(Report &report, const Container &container, const Edu &edu, const Units &units, const Geometry &window,
	      Window_story &story);
// A process that maps and is killed; nothing of it may be reached, by the bare device or in a new container.
void die(Report &report, const Life_options &options, const Pci_function &function, Window_story &first,
	 Window_story &second);

bool run_life(const Life_options &options);

} // namespace harness
