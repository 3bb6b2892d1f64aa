// SPDX-License-Identifier: GPL-2.0-only
// Firmware that refuses for ever to empty a window and to remove it: its PE ends in quarantine, blocked,
// with all pinned that its device may still reach. Each scenario costs a PE or two.
#pragma once

#include <vector>

#include "firmware/trial.hh"

namespace harness::firmware
{

struct Stuck {
	const char *name;
	unsigned pes;	     // how many of those that nobody has used up
	std::uint64_t stays; // bytes that stay pinned when its process is gone
	void (*run)(const std::vector<Pci_function> &pes, const Say &say); // in a process of its own
};

std::span<const Stuck> stuck_scenarios();

} // namespace harness::firmware
