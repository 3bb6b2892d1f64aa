// SPDX-License-Identifier: GPL-2.0-only
// How a process came to its end, from what waitpid() said of it.
#pragma once

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstring>
#include <string>

namespace harness
{

inline bool ended_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
inline bool ended_by(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

inline std::string to_text_of_end(int status)
{
	if (WIFSIGNALED(status))
		return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
	return fmt::format("exit {}", WEXITSTATUS(status));
}

} // namespace harness
