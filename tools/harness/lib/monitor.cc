// SPDX-License-Identifier: GPL-2.0-only
#include "lib/monitor.hh"

#include <fmt/format.h>

#include <cstdio>

namespace harness
{

// Three times, with an end, for a kernel line of another CPU may cut one in two: the host takes each number once.
void ask_monitor(std::string_view command)
{
	static int number = 0;
	++number;
	fmt::print("\n");
	for (int again = 0; again < 3; ++again)
		fmt::print("LAB-MONITOR {} {} LAB-END\n", number, command);
	std::fflush(stdout);
}

} // namespace harness
