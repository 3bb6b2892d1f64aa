// SPDX-License-Identifier: GPL-2.0-only
// One act in a process of its own, with a container of its own: counted, or with firmware that refuses.
#pragma once

#include <functional>

#include "firmware/act.hh"

namespace harness::firmware
{

// What a child process says, line by line; its parent hears it when the process has ended, or has not in time.
using Say = std::function<void(const std::string &)>;
struct Told {
	std::vector<std::string> lines;
	bool ended; // it came to its end, closing what it had open included
};
Told in_a_process(const std::function<void(const Say &)> &work, std::chrono::seconds patience);

// How many calls of `function` the act makes: "N" alone on a line, or what is wrong.
void count_calls(const Act &act, const Pci_function &pe, const std::vector<std::string> &functions, const Say &say);

// Says "= ERRNO" and then what is wrong with what came of it.
void refuse(const Act &act, const Site &site, unsigned first, int times, Ending ending, const Pci_function &pe,
	    const Say &say);

} // namespace harness::firmware
