// SPDX-License-Identifier: GPL-2.0-only
// The kernel's log from a moment on: lines for a reader, and those that mean that the kernel found a fault in itself.
#pragma once

#include <string>
#include <vector>

#include "lib/fd.hh"
#include "lib/report.hh"

namespace harness
{

class Kmsg
{
public:
	static Result<Kmsg> follow(); // from now on

	std::vector<std::string> lines();  // new since the last call
	std::vector<std::string> splats(); // of those, the ones that no run may have

private:
	explicit Kmsg(Fd fd) : fd_{std::move(fd)} {}

	Fd fd_;
};

bool is_splat(const std::string &line);

// The last step of a run: nothing in the log that none may have. A log that could not be followed has failed.
void check_splats(Report &report, Result<Kmsg> &kmsg);

// Writes a line into the log, so that a reader of the console sees what was being tried.
void mark(const std::string &text);

} // namespace harness
