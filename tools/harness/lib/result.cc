// SPDX-License-Identifier: GPL-2.0-only
#include "lib/result.hh"

#include <cstring>

namespace harness
{

std::string Errno::name() const
{
	if (code_ < 0)
		return "+" + std::to_string(-code_);
	if (code_ == 0)
		return "ok";
	const char *name = strerrorname_np(code_);
	return name ? name : "errno " + std::to_string(code_);
}

} // namespace harness
