// SPDX-License-Identifier: GPL-2.0-only
// What every subcommand is told, and what every subcommand does first.
#pragma once

#include <functional>

#include "lib/modules.hh"
#include "lib/pci.hh"
#include "lib/report.hh"

namespace harness
{

struct Options {
	Driver driver = Driver::tcewin;
	Module_source source;
	std::vector<std::string> expected; // patterns of lines that the kernel's log has to have
	bool verbose = false;
};

// Loads exactly the asked driver and finds the device; nullopt: said why, and counted as a failure.
std::optional<Pci_function> prepare(Report &report, const Options &options);

// Unloads the driver; one that stays refuses that, and nobody but the core has it any more: `idle` are its references
// as they were before it was used.
void check_rmmod(Report &report, Driver driver, std::optional<int> idle = std::nullopt);

// A subcommand that is one use of the edu device: before it the above, after it the counts as they were, the module
// gone and nothing in the log.
bool run_on_edu(const Options &options, std::string_view what,
		const std::function<void(Report &, const Pci_function &)> &use);

std::string kernel_line(); // "Linux 6.12..., pages of 4 KiB"
std::string to_text(std::optional<Driver> driver);

} // namespace harness
