// SPDX-License-Identifier: GPL-2.0-only
// How much memory the kernel holds for itself, exactly enough to see 32 bytes a round go: what can be given back is
// asked for first, objects are counted and not slabs, and free pages are counted with those that CPUs keep.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/report.hh"

namespace harness
{

struct Kernel_memory {
	std::map<std::string, std::int64_t> caches; // bytes of live objects, by slab cache
	std::int64_t slab = 0;			    // bytes, their sum
	// Bytes that are neither free nor of slabs, processes or files: tables, stacks, modules, large objects.
	std::int64_t pages = 0;
	std::int64_t vmalloc = 0; // bytes

	// Drops caches, waits for RCU, empties what CPUs keep of each slab cache, until that changes nothing any more:
	// half a second, as a rule.
	static Kernel_memory rested();
	std::int64_t total() const { return slab + pages; } // vmalloc's memory is in the pages
};

Kernel_memory operator-(const Kernel_memory &after, const Kernel_memory &before);
std::string
to_string(const Kernel_memory &growth); // "slab +1.5 KiB (kmalloc-32 +2.0, ...), pages +64 KiB, vmalloc +0 KiB"

// What may change by itself in a run that leaks nothing, each in bytes.
struct Noise {
	std::int64_t slab;
	std::int64_t pages;
	std::int64_t vmalloc;
};

bool within(const Kernel_memory &growth, const Noise &noise);
// What the kernel holds more than before. What settles later (a work item, a grace period) is waited for, unless it is
// within the noise.
Kernel_memory growth_since(const Kernel_memory &before, const Noise &noise);
// The kernel holds what it held, give or take.
Kernel_memory check_same(Report &report, std::string_view what, const Kernel_memory &before, const Noise &noise);

// Holds `count` small objects of the kernel (as messages that nobody reads, 64 bytes each) and says how many bytes of
// them the count above shows: a test that looks for a leak of one object a round shows by this that it would see it.
Result<std::int64_t> seen_of_planted(std::size_t count);

} // namespace harness
