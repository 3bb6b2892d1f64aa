// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/race.hh"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "lib/bare.hh"
#include "lib/buffer.hh"
#include "lib/counts.hh"
#include "lib/kmsg.hh"
#include "lib/pattern.hh"
#include "lib/rig.hh"

namespace harness
{

namespace
{

constexpr std::size_t region_count = 4;
constexpr std::uint64_t ddw_size = 4 << 20;

using Tally = std::map<std::pair<std::string, std::string>, std::uint64_t>; // (ioctl, errno) -> times

class Race
{
public:
	Race(const Race_options &options, const Pci_function &function, Container container, Group group,
	     const std::vector<Buffer> &regions)
		: options_{options}, function_{function}, container_{std::move(container)}, group_{std::move(group)},
		  regions_{regions}
	{
	}

	Tally run()
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
		return total_;
	}

private:
	class Count
	{
	public:
		explicit Count(Race &race) : race_{race} {}
		~Count()
		{
			std::scoped_lock lock{race_.total_lock_};
			for (auto &[key, times] : tally_)
				race_.total_[key] += times;
		}
		template <typename T>
		bool operator()(const char *ioctl, const Result<T> &result)
		{
			++tally_[{ioctl, outcome(result)}];
			return result.has_value();
		}

	private:
		Race &race_;
		Tally tally_;
	};

	// Puts the group in and takes it out again, with the device opened and closed in between now and then.
	void move_group()
	{
		Count count{*this};
		std::minstd_rand random(static_cast<unsigned>(options_.seed));
		while (!stop_) {
			if (count("SET_CONTAINER", group_.set_container(container_)))
				count("SET_IOMMU", container_.set_iommu(type_v2));
			// Mostly short, so that the group often leaves; now and then long enough to fill windows.
			std::this_thread::sleep_for(
				std::chrono::microseconds{random() % (random() % 4 ? 20000 : 400000)});
			if (random() % 4 == 0) {
				// Closing it turns its memory off: nobody may be looking at its registers then.
				std::scoped_lock lock{device_lock_};
				count("GET_DEVICE_FD", group_.open_device(function_.address()));
			}
			count("UNSET_CONTAINER", group_.unset_container());
			std::this_thread::sleep_for(std::chrono::microseconds{random() % 2000});
		}
		(void)group_.unset_container();
	}

	// The device tries addresses all the time; which of them are mapped just then nobody knows. The engine is had
	// without VFIO, and so only while nobody has the device open.
	void aim_device()
	{
		Count count{*this};
		std::minstd_rand random(static_cast<unsigned>(options_.seed + 7));
		while (!stop_) {
			std::this_thread::sleep_for(
				std::chrono::microseconds{100}); // let the other one have the device, too
			std::scoped_lock lock{device_lock_};
			auto edu = bare_edu(function_);
			if (!count("(bare device)", edu)) {
				std::this_thread::sleep_for(std::chrono::milliseconds{5});
				continue;
			}
			count("(DMA write)", edu->to_ram(0, any_iova(random), 512));
			if (!stop_)
				count("(DMA read)", edu->from_ram(any_iova(random), 0, 512));
		}
	}

	void issue(std::uint64_t seed)
	{
		Count count{*this};
		std::minstd_rand random(static_cast<unsigned>(seed));
		while (!stop_)
			step(count, random);
	}

	void step(Count &count, std::minstd_rand &random)
	{
		auto &region = regions_[random() % regions_.size()];
		auto page = page_size();
		switch (random() % 16) {
		case 0:
			count("GET_INFO", container_.get_info());
			break;
		case 1:
		case 2:
			count("REGISTER", container_.register_memory(region.address(), region.size()));
			break;
		case 3:
			count("UNREGISTER", container_.unregister_memory(region.address(), region.size()));
			break;
		case 4:
			create(count, page);
			break;
		case 5:
			count("TCE_CREATE default", container_.tce_create(12, 1 << 30, 1));
			break;
		case 6:
			count("TCE_REMOVE", container_.tce_remove(random() % 4 ? ddw_start_.load() : 0));
			break;
		case 7:
		case 8:
		case 9:
		case 10:
		case 11:
			count("MAP_DMA",
			      container_.map(any_iova(random), region.address(), page << random() % 4, Access::both));
			break;
		case 12:
			count("UNMAP_DMA all", container_.unmap(random() % 2 ? ddw_start_.load() : 0, ddw_size));
			break;
		case 13:
			count("CHECK_EXTENSION", container_.check_extension(type_v2));
			break;
		default:
			count("UNMAP_DMA", container_.unmap(any_iova(random), page << random() % 4));
			break;
		}
	}

	// Where the last one was put is where the others look for it.
	void create(Count &count, std::size_t page)
	{
		auto start = container_.tce_create(page == 4096 ? 12 : 16, ddw_size, 1);
		if (count("TCE_CREATE", start))
			ddw_start_ = *start;
	}

	std::uint64_t any_iova(std::minstd_rand &random) const
	{
		return (random() % 2 ? ddw_start_.load() : 0) + random() % 64 * page_size();
	}

	const Race_options &options_;
	const Pci_function &function_;
	Container container_;
	Group group_;
	const std::vector<Buffer> &regions_;
	std::atomic<bool> stop_ = false;
	std::atomic<std::uint64_t> ddw_start_ = 1ull << 59;
	std::mutex device_lock_;
	std::mutex total_lock_;
	Tally total_;
};

void print_tally(const Tally &tally)
{
	for (auto &[key, times] : tally)
		fmt::print("  {:<20} {:<12} {:>10}\n", key.first, key.second, times);
}

} // namespace

bool run_race(const Race_options &options)
{
	Report report;
	report.heading(fmt::format("ioctls against a moving group, {} s, {} threads, driver {}", options.seconds,
				   options.threads, name_of(options.driver)));
	auto function = prepare(report, options);
	auto kmsg = Kmsg::follow();
	if (!function)
		return false;

	std::vector<Buffer> regions;
	for (std::size_t i = 0; i < region_count; ++i)
		if (auto buffer = Buffer::anonymous(16 * page_size()))
			regions.push_back(std::move(*buffer));
	auto bystander = Buffer::anonymous(64 * page_size()); // never registered, so never to be reached
	if (!report.step("allocate memory", bystander))
		return false;
	fill(bystander->bytes(), 99);

	auto before = Counts::now();
	{
		auto container = Container::open();
		auto number = function->group();
		auto group = number ? Group::open(*number) : Result<Group>{std::unexpected{number.error()}};
		if (!report.step("open container", container) || !report.step("open group", group))
			return false;
		print_tally(Race{options, *function, std::move(*container), std::move(*group), regions}.run());
	}
	auto after = settled(before);
	report.check("VmLck and pinned pages are as before", after == before, difference(before, after));
	std::uint64_t position = 0;
	bool untouched = std::ranges::all_of(bystander->bytes(),
					     [&position](auto byte) { return byte == pattern_at(99, position++); });
	report.check("memory that was never registered", untouched, untouched ? "untouched" : "CHANGED");
	report.step("a container can be set up again", Rig::open(*function));
	report.step(fmt::format("rmmod {}", module_of(options.driver)), unload(options.driver));
	check_splats(report, kmsg);
	report.summary();
	return report.good();
}

} // namespace harness
