// SPDX-License-Identifier: GPL-2.0-only
#include "lib/bystander.hh"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

namespace harness
{

Result<> stay_on_this_cpu()
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(::sched_getcpu(), &set);
	return zero_expected(::sched_setaffinity(0, sizeof set, &set));
}

long switches_so_far()
{
	rusage usage{};
	::getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

void Bystander::watch()
{
	using Clock = std::chrono::steady_clock;
	auto period = kind_ == Kind::wakes ? std::chrono::microseconds{500} : std::chrono::microseconds{0};
	if (kind_ == Kind::wakes) {
		sched_param before_all{.sched_priority = 1};
		(void)::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &before_all);
	}
	auto last = Clock::now();
	while (!stop_) {
		if (period.count())
			std::this_thread::sleep_for(period);
		auto now = Clock::now();
		longest_ = std::max(longest_, now - last - period);
		last = now;
	}
}

Bystander::microseconds Bystander::end()
{
	stop_ = true;
	thread_.join();
	return std::chrono::duration_cast<microseconds>(longest_);
}

} // namespace harness
