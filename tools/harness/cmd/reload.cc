// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/reload.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "lib/counts.hh"
#include "lib/raw_disk.hh"
#include "lib/kernel_memory.hh"
#include "lib/kmsg.hh"
#include "lib/moves.hh"

namespace harness
{

namespace
{

constexpr unsigned warm_up = 10;
constexpr unsigned used_every = 10; // rounds with a container in them
// A property that was taken out of the device tree stays with its node for good (of_remove_property() keeps it): one of
// ours for each load in which the PE was used, one of the platform's for each hand-over. Beside them a leak of one
// object of 64 bytes a load is seen.
constexpr std::int64_t dead_properties = 512; // bytes, for each use
constexpr std::int64_t slab_noise = 5 << 10;
constexpr std::int64_t page_noise = 256 << 10, vmalloc_noise = 64 << 10;

class Reload
{
public:
	Reload(Report &report, const Reload_options &options, const Pci_function &function, const Disk_load &load)
		: report_{report}, options_{options}, function_{function}, load_{load}
	{
	}

	// False: something failed, and was said.
	bool run(unsigned rounds)
	{
		for (unsigned i = 0; i < rounds; ++i)
			if (!round(i))
				return false;
		return true;
	}

	std::uint64_t quietest() const { return quietest_; }
	unsigned used() const { return used_; }

private:
	bool round(unsigned i)
	{
		auto before = load_.transfers();
		if (auto done = load(options_.driver, options_.source); !done)
			return report_.step(fmt::format("load, round {}", i), done);
		if (i % used_every == 0) {
			auto rig = Rig::open(function_);
			if (!rig || !moves_data(**rig))
				return report_.check(fmt::format("a container works, round {}", i), false,
						     outcome(rig));
			++used_;
		}
		// The disk is to work with the module there, too.
		while (load_.transfers() < before + 2 && load_.faults() == 0)
			std::this_thread::sleep_for(std::chrono::milliseconds{1});
		if (auto done = unload(options_.driver); !done)
			return report_.step(fmt::format("unload, round {}", i), done);
		quietest_ = std::min(quietest_, load_.transfers() - before);
		return true;
	}

	Report &report_;
	const Reload_options &options_;
	const Pci_function &function_;
	const Disk_load &load_;
	std::uint64_t quietest_ = ~0ull;
	unsigned used_ = 0;
};

void check_disk(Report &report, const Disk_load &load, std::uint64_t quietest)
{
	report.check("the disk worked in every round", quietest >= 2 && quietest != ~0ull,
		     fmt::format("at least {} transfers", quietest));
	report.check("and every byte was right", load.faults() == 0,
		     load.faults() ? fmt::format("{} faults, the first {}", load.faults(), load.first_fault().name())
				   : fmt::format("{} MiB", load.transfers() * Disk::block >> 20));
}

struct Growth {
	bool small;
	Kernel_memory memory;
	int grown; // series that grew: all but the last, or all
};

// What one load may leave and would not be seen.
std::string tolerance(const Noise &noise, unsigned rounds)
{
	return fmt::format("seen from {} B of slab, {} B of pages, {} B of vmalloc a load on", noise.slab / rounds,
			   noise.pages / rounds, noise.vmalloc / rounds);
}

// Of so many rounds; nothing if one failed. The kernel's allocator takes memory for itself now and then, and keeps it
// (seen on 7.2: 26 objects of kmalloc-512 at once, for what it calls sheaves). That does not come again in the next
// rounds, and a leak does: a series that grew is told, and is repeated once.
std::optional<Growth> growth_of(Report &report, Reload &reload, unsigned rounds)
{
	constexpr int series = 2;
	Growth growth{};
	for (int i = 0; i < series && !growth.small; ++i) {
		const auto before = Kernel_memory::rested();
		const auto used = reload.used();
		if (!reload.run(rounds))
			return std::nullopt;
		const Noise noise{.slab = slab_noise + (reload.used() - used) * dead_properties,
				  .pages = page_noise,
				  .vmalloc = vmalloc_noise};
		growth.memory = growth_since(before, noise);
		growth.small = within(growth.memory, noise);
		growth.grown += growth.small ? 0 : 1;
		report.note(fmt::format("series {} of {} loads {}: {}; {}", i + 1, rounds,
					growth.small ? "is quiet" : "GREW", to_string(growth.memory),
					tolerance(noise, rounds)));
	}
	return growth;
}

void under_load(Report &report, const Reload_options &options, const Pci_function &function, const std::string &disk)
{
	Disk_load load{disk};
	Reload reload{report, options, function, load};
	if (!reload.run(warm_up))
		return;
	auto counts = Counts::rested();
	auto begin = std::chrono::steady_clock::now();
	const auto used = reload.used();
	const auto growth = growth_of(report, reload, options.rounds);
	std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
	report.check(fmt::format("{} loads and unloads", options.rounds), growth.has_value(),
		     fmt::format("{:.2f} s each, {} containers", took.count() / options.rounds, reload.used() - used));
	auto after = settled(counts);
	report.check("VmLck and pinned pages are as before", after == counts, difference(counts, after));
	if (growth)
		report.check("slab objects, pages and vmalloc of the kernel as well", growth->small,
			     fmt::format("{}; {} series grew", to_string(growth->memory), growth->grown));
	load.stop();
	check_disk(report, load, reload.quietest());
}

// Where it stays it comes once, and takes over a disk that is being worked.
void once_under_load(Report &report, const Reload_options &options, const std::string &disk)
{
	Disk_load load{disk};
	auto work_on = [&load] {
		auto enough = load.transfers() + 100;
		while (load.transfers() < enough && load.faults() == 0)
			std::this_thread::sleep_for(std::chrono::milliseconds{1});
	};
	work_on();
	auto function = prepare(report, options);
	if (!function)
		return;
	work_on();
	auto counts = Counts::rested();
	auto idle = module_refs(module_of(options.driver));
	unsigned used = 0;
	for (; used < options.rounds / used_every; ++used)
		if (auto rig = Rig::open(*function); !rig || !moves_data(**rig))
			break;
	report.check("containers work beside it", used == options.rounds / used_every, fmt::format("{}", used));
	auto after = settled(counts);
	report.check("VmLck and pinned pages are as before", after == counts, difference(counts, after));
	check_rmmod(report, options.driver, idle);
	work_on();
	load.stop();
	check_disk(report, load, load.transfers());
}

} // namespace

bool run_reload(const Reload_options &options)
{
	Report report;
	const bool once = stays(options.driver);
	report.heading(fmt::format("{} {} under a disk's I/O", module_of(options.driver),
				   once ? "loaded, for good," : "loaded and unloaded"));
	auto function = once ? std::nullopt : prepare(report, options);
	if (!once && !function)
		return false;
	auto kmsg = Kmsg::follow(options.expected);
	report.step("modprobe nvme", modprobe("nvme"));
	auto disk = find_nvme_disk();
	if (report.step("find an NVMe disk", disk)) {
		if (once)
			once_under_load(report, options, *disk);
		else
			under_load(report, options, *function, *disk);
	}
	auto complaints = kmsg ? kmsg->complaints() : std::vector<std::string>{"no /dev/kmsg"};
	std::erase_if(complaints, [](auto &line) { return line.contains("out-of-tree module taints kernel"); });
	report.check("the kernel's log has no warning", complaints.empty(), fmt::format("{} lines", complaints.size()));
	for (auto &line : complaints)
		report.note(line);
	check_expected(report, kmsg);
	report.summary();
	return report.good();
}

} // namespace harness
