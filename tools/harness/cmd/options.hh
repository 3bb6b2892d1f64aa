// SPDX-License-Identifier: GPL-2.0-only
// What every subcommand is told, and what every subcommand does first.
#pragma once

#include "lib/modules.hh"
#include "lib/pci.hh"
#include "lib/report.hh"

namespace harness
{

struct Options {
	Driver driver = Driver::tcewin;
	Module_source source;
	bool verbose = false;
};

// Loads exactly the asked driver and finds the device; nullopt: said why, and counted as a failure.
std::optional<Pci_function> prepare(Report &report, const Options &options);
std::string kernel_line(); // "Linux 6.12..., pages of 4 KiB"
std::string to_text(std::optional<Driver> driver);

} // namespace harness
