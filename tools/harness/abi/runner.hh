// SPDX-License-Identifier: GPL-2.0-only
// Runs cases, each in a process of its own: a kernel that kills the caller or never answers it spoils one case, and a
// container's memory accounting starts from zero. What every case owes besides its errno is checked here.
#pragma once

#include <string>
#include <vector>

#include "abi/case.hh"
#include "lib/kmsg.hh"

namespace harness::abi
{

enum class Verdict { passed, failed, not_applicable };

struct Finding {
	Verdict verdict;
	std::string seen;		   // the errno, or why it is not applicable
	std::vector<std::string> troubles; // everything that was not as it has to be
	std::vector<std::string> facts;	   // what was measured
};

// The function is bound to vfio-pci and its group free. The kernel's log, and so the console, has the case's name
// before it begins. A finding with the word "stuck" in it: no further case can run.
Finding run_case(const Case &test, const Pci_function &function, const Terms &terms, Kmsg &kmsg);

} // namespace harness::abi
