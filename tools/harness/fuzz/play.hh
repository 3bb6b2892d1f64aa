// SPDX-License-Identifier: GPL-2.0-only
// Plays one history: its processes and devices, and what has to be as before when all of them are gone.
#pragma once

#include "fuzz/judge.hh"
#include "fuzz/device.hh"
#include "lib/buffer.hh"
#include "lib/counts.hh"

namespace harness::fuzz
{

// What is the same for all histories of a run.
struct Stage {
	World &world;
	std::vector<Inked_device> &devices;
	const Buffer &common; // of a file that every process maps
	int common_file;
	Counts rested;
	std::array<std::uint64_t, verbs> worked{}; // calls, over all histories
	std::array<std::uint64_t, verbs> failed{};
	std::uint64_t held = 0; // faults that were answered late
};

// False: its processes did not end, and nothing more can be played.
bool play(Stage &stage, const History &history, Verdict &verdict);

} // namespace harness::fuzz
