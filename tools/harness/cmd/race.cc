// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/race.hh"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "cmd/random_ioctls.hh"
#include "lib/bare.hh"
#include "lib/counts.hh"
#include "lib/kmsg.hh"
#include "lib/pattern.hh"
#include "lib/platform.hh"
#include "lib/rig.hh"

namespace harness
{

namespace
{

constexpr std::size_t region_count = 4;

class Race
{
public:
	Race(const Race_options &options, const Pci_function &function, Container container, Group group,
	     const std::vector<Buffer> &regions)
		: options_{options}, function_{function}, container_{std::move(container)}, group_{std::move(group)},
		  regions_{regions}
	{
	}

	void run(Report &report)
	{
		{
			std::vector<std::jthread> threads;
			threads.emplace_back([this] { move_group(); });
			threads.emplace_back([this] { aim_device(); });
			for (unsigned i = 0; i < options_.threads; ++i)
				threads.emplace_back([this, i] { issue(options_.seed * 1000 + i); });
			std::this_thread::sleep_for(std::chrono::seconds{options_.seconds});
			stop_ = true;
		}
		tally_.print();
		check_busy(report, tally_,
			   {"SET_CONTAINER", "SET_IOMMU", "UNSET_CONTAINER", "GET_DEVICE_FD", "REGISTER", "UNREGISTER",
			    "TCE_CREATE", "TCE_CREATE default", "TCE_REMOVE", "MAP_DMA", "UNMAP_DMA", "UNMAP_DMA all",
			    "(DMA write)", "(DMA read)"});
	}

private:
	// Puts the group in and takes it out again, with the device opened and closed in between now and then.
	void move_group()
	{
		auto random = seeded(options_.seed);
		// In the first round for sure: there may be time for few on a slow machine.
		for (bool first = true; !stop_; first = false) {
			if (tally_("SET_CONTAINER", group_.set_container(container_)))
				tally_("SET_IOMMU", container_.set_iommu(type_v2));
			// Mostly short, so that the group often leaves; now and then long enough to fill windows.
			std::this_thread::sleep_for(
				std::chrono::microseconds{random() % (random() % 4 ? 20000 : 400000)});
			if (random() % open_seldom == 0 || first) {
				// Closing it turns its memory off: nobody may be looking at its registers then.
				const std::scoped_lock lock{device_lock_};
				tally_("GET_DEVICE_FD", group_.open_device(function_.address()));
			}
			tally_("UNSET_CONTAINER", group_.unset_container());
			std::this_thread::sleep_for(std::chrono::microseconds{random() % 2000});
		}
		(void)group_.unset_container();
	}

	// The device tries addresses all the time; which of them are mapped just then nobody knows. The engine is had
	// without VFIO, and so only while nobody has the device open.
	void aim_device()
	{
		auto random = seeded(options_.seed + 7);
		while (!stop_) {
			std::this_thread::sleep_for(
				std::chrono::microseconds{100}); // let the other one have the device, too
			std::scoped_lock lock{device_lock_};
			auto edu = bare_edu(function_);
			if (!tally_("(bare device)", edu)) {
				std::this_thread::sleep_for(std::chrono::milliseconds{5});
				continue;
			}
			tally_("(DMA write)", edu->to_ram(0, ioctls_.any_iova(random), 512));
			if (!stop_)
				tally_("(DMA read)", edu->from_ram(ioctls_.any_iova(random), 0, 512));
		}
	}

	void issue(std::uint64_t seed)
	{
		auto random = seeded(seed);
		while (!stop_)
			ioctls_.step(random);
	}

	// On bare metal each opening and closing is a reset of the slot, two seconds long.
	const unsigned open_seldom = platform().powernv ? 16 : 4;
	const Race_options &options_;
	const Pci_function &function_;
	Container container_;
	Group group_;
	const std::vector<Buffer> &regions_;
	std::atomic<bool> stop_ = false;
	std::mutex device_lock_;
	Tally tally_;
	Random_ioctls ioctls_{container_, regions_, tally_};
};

} // namespace

bool run_race(const Race_options &options)
{
	Report report;
	report.heading(fmt::format("ioctls against a moving group, {} s, {} threads, driver {}", options.seconds,
				   options.threads, name_of(options.driver)));
	auto function = prepare(report, options);
	auto kmsg = Kmsg::follow(options.expected);
	if (!function)
		return false;

	std::vector<Buffer> regions;
	for (std::size_t i = 0; i < region_count; ++i)
		if (auto buffer = Buffer::anonymous(16 * page_size()))
			regions.push_back(std::move(*buffer));
	auto bystander = Buffer::anonymous(64 * page_size()); // never registered, so never to be reached
	if (!report.step("allocate memory", bystander) ||
	    !report.check("and regions of it", regions.size() == region_count, fmt::format("{}", regions.size())))
		return false;
	fill(bystander->bytes(), 99);

	auto before = Counts::now();
	auto idle = module_refs(module_of(options.driver));
	{
		auto container = Container::open();
		auto number = function->group();
		auto group = number ? Group::open(*number) : Result<Group>{std::unexpected{number.error()}};
		if (!report.step("open container", container) || !report.step("open group", group))
			return false;
		Race{options, *function, std::move(*container), std::move(*group), regions}.run(report);
	}
	auto after = settled(before);
	report.check("VmLck and pinned pages are as before", after == before, difference(before, after));
	std::uint64_t position = 0;
	bool untouched = std::ranges::all_of(bystander->bytes(),
					     [&position](auto byte) { return byte == pattern_at(99, position++); });
	report.check("memory that was never registered", untouched, untouched ? "untouched" : "CHANGED");
	report.step("a container can be set up again", Rig::open(*function));
	check_rmmod(report, options.driver, idle);
	return end(report, kmsg);
}

} // namespace harness
