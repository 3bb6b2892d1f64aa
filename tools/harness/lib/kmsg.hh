// SPDX-License-Identifier: GPL-2.0-only
// The kernel's log from a moment on: lines for a reader, and those that mean that the kernel found a fault in itself.
#pragma once

#include <string>
#include <vector>

#include "lib/fd.hh"

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

// Writes a line into the log, so that a reader of the console sees what was being tried.
void mark(const std::string &text);

} // namespace harness
