// SPDX-License-Identifier: GPL-2.0-only
// The file of histories that are played before any at random. A line is "seed N" or a history; behind a # what it once
// found, or stands for.
#pragma once

#include "fuzz/history.hh"

namespace harness::fuzz
{

struct Case {
	std::string text, remark;
	std::optional<History> history; // none: the line cannot be read
};

// A file that is not there is one line that cannot be read.
std::vector<Case> read_corpus(const std::string &file);

} // namespace harness::fuzz
