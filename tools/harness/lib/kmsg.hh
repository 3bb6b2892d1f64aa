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

	std::vector<std::string> lines();      // new since the last call
	std::vector<std::string> splats();     // of those, the ones that no run may have
	std::vector<std::string> complaints(); // of those, the ones of a warning's level or worse

private:
	explicit Kmsg(Fd fd) : fd_{std::move(fd)} {}
	struct Line {
		unsigned level; // as <linux/kern_levels.h>: 4 is a warning, less is worse
		std::string text;
	};
	std::vector<Line> records();

	Fd fd_;
};

bool is_splat(const std::string &line);

// The last step of a run: nothing in the log that none may have. A log that could not be followed has failed.
void check_splats(Report &report, Result<Kmsg> &kmsg);

// Writes a line into the log, so that a reader of the console sees what was being tried.
void mark(const std::string &text);

} // namespace harness
