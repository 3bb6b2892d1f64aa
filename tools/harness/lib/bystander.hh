// SPDX-License-Identifier: GPL-2.0-only
// A thread of this CPU that wants to run while another makes a long call, and tells for how long it could not.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "lib/result.hh"

namespace harness
{

// This thread, and those made from now on.
Result<> stay_on_this_cpu();
long switches_so_far(); // of this thread, to another one

class Bystander
{
public:
	using microseconds = std::chrono::microseconds;
	enum class Kind {
		spins, // looks at the clock all the time, as one of many: it waits for its turn, too
		wakes, // every half millisecond, before all others (SCHED_FIFO): it waits for the kernel alone
	};

	explicit Bystander(Kind kind) : kind_{kind} {}
	Bystander(Bystander &&) = delete;

	microseconds end(); // the longest that it waited; once

private:
	void watch();

	Kind kind_;
	std::atomic<bool> stop_ = false;
	std::chrono::steady_clock::duration longest_{};
	std::jthread thread_{[this] { watch(); }};
};

} // namespace harness
