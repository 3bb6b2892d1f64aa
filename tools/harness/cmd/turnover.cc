// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/turnover.hh"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <thread>

#include "cmd/random_ioctls.hh"
#include "lib/rig.hh"
#include "lib/tally.hh"

namespace harness
{

namespace
{

constexpr unsigned longest_stay = 2000; // microseconds

class Turnover
{
public:
	Turnover(Report &report, const Turnover_options &options, Container container, Group group)
		: report_{report}, options_{options}, container_{std::move(container)}, group_{std::move(group)}
	{
	}

	void run()
	{
		{
			std::vector<std::jthread> threads;
			for (unsigned i = 0; i < options_.threads; ++i)
				threads.emplace_back([this] { call(); });
			threads.emplace_back([this] { turn(); });
			std::this_thread::sleep_for(std::chrono::seconds{options_.seconds});
			stop_ = true;
		}
		tally_.print();
		check_busy(report_, tally_, {"SET_IOMMU", "UNSET_CONTAINER", "(open the group again)", "GET_INFO"});
		met("a container", EPERM);
		met("none", EINVAL);
		met("one that went away between the VFIO core and the driver", ENODEV);
	}

private:
	void met(std::string_view what, int outcome)
	{
		auto times = tally_.times("MAP_DMA", Errno{outcome});
		report_.check(fmt::format("MAP_DMA met {}", what), times > 0, fmt::format("{} times", times));
	}

	// Of a container that has nothing registered: refused as soon as it is found.
	void call()
	{
		for (unsigned i = 0; !stop_; ++i)
			if (i % 64)
				tally_("MAP_DMA", container_.map(0, page_size(), page_size(), Access::both));
			else
				tally_("GET_INFO", container_.get_info());
	}

	// Before all others: when it wakes to end the container it takes the CPU from a thread that is anywhere inside
	// of a call, and that one goes on only behind the end.
	void turn()
	{
		sched_param before_all{.sched_priority = 1};
		(void)::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &before_all);
		auto random = seeded(options_.seed);
		while (!stop_) {
			if (tally_("SET_CONTAINER", group_.set_container(container_)))
				tally_("SET_IOMMU", container_.set_iommu(random() % 2 ? type_v2 : type_v1));
			std::this_thread::sleep_for(std::chrono::microseconds{random() % longest_stay});
			if (random() % 2)
				tally_("UNSET_CONTAINER", group_.unset_container());
			else if (!reopen())
				return;
		}
	}

	bool reopen()
	{
		auto number = group_.number();
		{
			Group last{std::move(group_)};
		}
		auto again = Group::open(number);
		if (!tally_("(open the group again)", again))
			return false;
		group_ = std::move(*again);
		return true;
	}

	Report &report_;
	const Turnover_options &options_;
	Container container_;
	Group group_;
	std::atomic<bool> stop_ = false;
	Tally tally_;
};

} // namespace

bool run_turnover(const Turnover_options &options)
{
	auto what = fmt::format("calls of a container that comes and goes, {} s, {} threads", options.seconds,
				options.threads);
	return run_on_edu(options, what, [&](Report &report, const Pci_function &function) {
		auto number = function.group();
		auto container = Container::open();
		auto group = number ? Group::open(*number) : Result<Group>{std::unexpected{number.error()}};
		if (!report.step("open container", container) || !report.step("open group", group))
			return;
		Turnover{report, options, std::move(*container), std::move(*group)}.run();
		report.step("a container can be set up again", Rig::open(function));
	});
}

} // namespace harness
