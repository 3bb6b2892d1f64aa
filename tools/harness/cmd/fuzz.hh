// SPDX-License-Identifier: GPL-2.0-only
// Histories of a grammar, played by processes and threads with two PEs: no address outside live mappings is reachable,
// nor one process's memory through another's window, and afterwards all is as before. First what is in the corpus.
#pragma once

#include <string>

#include "cmd/options.hh"

namespace harness
{

struct Fuzz_options : Options {
	unsigned histories = 20; // at random, behind those of the corpus
	std::uint64_t seed = 1;
	std::string corpus; // a file, see fuzz/corpus.hh
};

bool run_fuzz(const Fuzz_options &options);

} // namespace harness
