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

enum class Verdict { passed, failed, skipped };

struct Finding {
	Verdict verdict;
	std::string seen;		   // the errno, or why it was skipped
	std::vector<std::string> troubles; // everything that was not as it has to be
};

// The function is bound to vfio-pci and its group free. A finding with the word "stuck" in it: no further case can run.
Finding run_case(const Case &test, const Pci_function &function, Kmsg &kmsg);

} // namespace harness::abi
