// SPDX-License-Identifier: GPL-2.0-only
// What a kernel's log says when something is wrong, by the list that the lab reads as well (tools/lab/splats), and the
// extended regular expressions it is made of.
#pragma once

#include <regex.h>

#include <memory>
#include <string>

#include "lib/result.hh"

namespace harness
{

// An extended regular expression, as bash and grep -E know them.
class Pattern
{
public:
	static Result<Pattern> make(const std::string &text); // EINVAL: it is none

	bool in(const std::string &line) const { return ::regexec(regex_.get(), line.c_str(), 0, nullptr, 0) == 0; }
	const std::string &text() const { return text_; }

private:
	Pattern(std::string text, std::shared_ptr<const regex_t> regex)
		: text_{std::move(text)}, regex_{std::move(regex)}
	{
	}

	std::string text_;
	std::shared_ptr<const regex_t> regex_;
};

bool is_splat(const std::string &line); // the text of a line of the log, without a time stamp

} // namespace harness
