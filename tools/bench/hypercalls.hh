// SPDX-License-Identifier: GPL-2.0-only
// Counts the TCE hypercalls that the kernel makes in this thread's calls (trace event powerpc:hcall_entry, by perf). It
// takes time: what is counted is not timed.
#pragma once

#include <cstdint>

#include "lib/fd.hh"

namespace bench
{

using namespace harness;

class Hypercalls
{
public:
	// From now on. ENOENT: no hypercalls here, or no such event.
	static Result<Hypercalls> count();

	Result<std::uint64_t> so_far() const;

private:
	explicit Hypercalls(Fd fd) : fd_{std::move(fd)} {}

	Fd fd_;
};

} // namespace bench
