// SPDX-License-Identifier: GPL-2.0-only
// The kernel's log from a moment on: lines for a reader, and those that mean that the kernel found a fault in itself.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/fd.hh"
#include "lib/report.hh"
#include "lib/splats.hh"

namespace harness
{

class Kmsg
{
public:
	// From now on. Lines with one of the expected patterns are neither splats nor complaints.
	static Result<Kmsg> follow(std::span<const std::string> expected = {});

	std::vector<std::string> lines();	  // new since the last call
	std::vector<std::string> splats();	  // of those, the ones that no run may have
	std::vector<std::string> complaints();	  // of those, the ones of a warning's level or worse
	std::vector<std::string> missing() const; // patterns that neither of the two has met

private:
	struct Wanted {
		Pattern pattern;
		bool came = false;
	};
	Kmsg(Fd fd, std::vector<Wanted> wanted) : fd_{std::move(fd)}, wanted_{std::move(wanted)} {}
	bool is_expected(const std::string &line);
	struct Line {
		unsigned level; // as <linux/kern_levels.h>: 4 is a warning, less is worse
		std::string text;
	};
	std::vector<Line> records();

	Fd fd_;
	std::vector<Wanted> wanted_;
};

// The last step of a run: nothing in the log that none may have. A log that could not be followed has failed.
void check_splats(Report &report, Result<Kmsg> &kmsg);
// And, behind it: a failure for each expected pattern that never came.
void check_expected(Report &report, const Result<Kmsg> &kmsg);
// Both, and the sum of the run: whether it was good.
bool end(Report &report, Result<Kmsg> &kmsg);

// Writes a line into the log, so that a reader of the console sees what was being tried.
void mark(const std::string &text);

} // namespace harness
