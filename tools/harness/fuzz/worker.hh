// SPDX-License-Identifier: GPL-2.0-only
// A history's process. It is forked with all containers and groups open, does the operations of its threads and closes.
#pragma once

#include "fuzz/world.hh"

namespace harness::fuzz
{

// What is open in every process; -1: not there.
struct Files {
	std::array<int, containers> container{-1, -1};
	std::array<int, devices> group{-1, -1};
	int common = -1; // memory of all
};

// Does not come back. The process stays until World::all_gone, with nothing open.
[[noreturn]] void work(World &world, const History &history, unsigned process, const Files &files);

} // namespace harness::fuzz
