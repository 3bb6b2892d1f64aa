// SPDX-License-Identifier: GPL-2.0-only
// The parent of a stress run: starts the others, kills workers at any moment, and in the end asks whether all is back.
#include "cmd/stress.hh"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "cmd/stress_parts.hh"
#include "lib/counts.hh"
#include "lib/exit_status.hh"
#include "lib/kmsg.hh"
#include "lib/moves.hh"

namespace harness
{

namespace
{

using namespace stress;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t worker_count = 2; // they fight for the groups
constexpr auto every_call = {"SET_CONTAINER", "SET_IOMMU",  "UNSET_CONTAINER", "GET_DEVICE_FD",
			     "REGISTER",      "UNREGISTER", "TCE_CREATE",      "TCE_CREATE default",
			     "TCE_REMOVE",    "MAP_DMA",    "UNMAP_DMA",       "UNMAP_DMA all",
			     "ENABLE",	      "DISABLE",    "MAP_DMA own",     "(DMA write)",
			     "(DMA read)"};

// What is to come about at least once, beside every call: the run goes on until it has, and its end says how often.
struct Deed {
	const char *what;
	std::vector<std::uint64_t> times; // of each of its parts

	bool done() const
	{
		return std::ranges::all_of(times, [](auto n) { return n > 0; });
	}
	std::string text() const
	{
		std::string all;
		for (auto n : times)
			all += fmt::format("{}{}", all.empty() ? "" : " and ", n);
		return all + " times";
	}
};

std::vector<Deed> deeds(const Arena &arena, unsigned kills)
{
	return {{"workers were killed, and children forked", {kills, arena.forks}},
		{"two processes wanted one group", {arena.tally.times("open group", Errno{EBUSY})}},
		{"the devices reached what was mapped", {arena.arrived}}};
}

Arena *make_arena()
{
	void *memory = ::mmap(nullptr, sizeof(Arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? nullptr : new (memory) Arena;
}

class Parent
{
public:
	Parent(Stage stage, const Stress_options &options) : stage_{stage}, options_{options} {}

	// False: a process did not go, and everything is left as it is.
	bool run()
	{
		::prctl(PR_SET_CHILD_SUBREAPER, 1); // children of a worker that was killed
		auto aiming = start([this] { aim(stage_, options_.seed + 7); });
		auto watching = start([this] { watch(stage_); });
		for (auto &worker : workers_)
			worker = start_worker();
		auto random = seeded(options_.seed);
		std::chrono::seconds length{options_.seconds};
		auto end = Clock::now() + length;
		bool gone = true;
		// On a slow machine what is seldom may not have come by then: it gets three times as long.
		while (gone && (Clock::now() < end || (!each_came() && Clock::now() < end + 2 * length))) {
			std::this_thread::sleep_for(std::chrono::milliseconds{200 + random() % 4000});
			auto &worker = workers_[random() % worker_count];
			gone = kill_inside(worker);
			worker = start_worker();
		}
		stage_.arena.stop = true;
		for (auto pid : workers_)
			gone = reap("a worker", pid) && gone;
		gone = reap("the aiming process", aiming) && gone;
		return reap("the watching process", watching) && gone;
	}

	unsigned kills() const { return kills_; }
	// Processes that were not killed and did not end as they should, and how they did.
	const std::vector<std::string> &bad_ends() const { return bad_ends_; }

private:
	// What check_work() and check_memory() want at least once.
	bool each_came() const
	{
		auto &arena = stage_.arena;
		auto done = [&](const char *call) { return arena.tally.times(call) > 0; };
		return std::ranges::all_of(every_call, done) &&
		       std::ranges::all_of(deeds(arena, kills_), &Deed::done) && arena.tried_unmapped > 0 &&
		       arena.canaries > 0 && arena.sessions > 0;
	}

	// In a process group of its own, so that it can be killed with its children.
	template <typename Body>
	pid_t start(Body body)
	{
		auto pid = ::fork();
		if (pid == 0) {
			::setpgid(0, 0);
			::prctl(PR_SET_PDEATHSIG, SIGKILL);
			body();
			::_exit(0);
		}
		if (pid > 0)
			::setpgid(pid, pid);
		return pid;
	}

	pid_t start_worker()
	{
		auto seed = options_.seed * 100000 + ++started_;
		return start([this, seed] { work(stage_, seed); });
	}

	// With every device at rest: a process that dies closes what it has open.
	bool kill_inside(pid_t worker)
	{
		for (auto &device : stage_.arena.device)
			device.lock_next();
		::kill(-worker, SIGKILL);
		++kills_;
		bool gone = reap("a worker", worker, SIGKILL);
		for (auto &device : stage_.arena.device)
			device.unlock();
		return gone;
	}

	// The whole process group; false: one was still there after all this time. `signal`: what its leader was sent.
	bool reap(std::string_view name, pid_t leader, int signal = 0)
	{
		for (auto deadline = Clock::now() + 60s; Clock::now() < deadline;) {
			int status = 0;
			auto pid = ::waitpid(-leader, &status, WNOHANG);
			if (pid < 0)
				return true;
			if (pid == 0)
				std::this_thread::sleep_for(2ms);
			else if (pid != leader)
				note_end("a child of a worker", status, child_ended_well(status));
			else
				note_end(name, status, signal ? ended_by(status, signal) : ended_well(status));
		}
		return false;
	}

	void note_end(std::string_view name, int status, bool well)
	{
		if (!well)
			bad_ends_.push_back(fmt::format("{}: {}", name, to_text_of_end(status)));
	}

	Stage stage_;
	const Stress_options &options_;
	std::vector<std::string> bad_ends_;
	pid_t workers_[worker_count] = {};
	std::uint64_t started_ = 0;
	unsigned kills_ = 0;
};

void check_work(Report &report, const Arena &arena, unsigned kills)
{
	check_busy(report, arena.tally, every_call);
	for (auto &deed : deeds(arena, kills))
		report.check(deed.what, deed.done(), deed.text());
}

// A process that dies of anything but the parent's or its own parent's SIGKILL: a device overwrote it, or it could not
// do what it is for.
void check_ends(Report &report, const Arena &arena, const std::vector<std::string> &bad_ends)
{
	for (auto &end : bad_ends)
		report.check("a process came to a bad end", false, end);
	report.check("children of workers came to a good end", arena.bad_children == 0,
		     arena.bad_children ? to_text_of_end(arena.bad_end) : "all");
}

void check_memory(Report &report, const Arena &arena)
{
	report.check("and nothing at an address after its UNMAP_DMA", arena.tried_unmapped > 0 && arena.landed == 0,
		     fmt::format("{} of {} transfers", arena.landed.load(), arena.tried_unmapped.load()));
	report.check(
		"memory that was never registered", arena.canaries > 0 && arena.canaries_hit == 0,
		fmt::format("{} times looked at, {} times CHANGED", arena.canaries.load(), arena.canaries_hit.load()));
	report.check("a process has nothing locked after its container", arena.sessions > 0 && arena.still_locked == 0,
		     fmt::format("{} containers, {} left something", arena.sessions.load(), arena.still_locked.load()));
}

std::vector<Place> find_places(Report &report)
{
	std::vector<Place> places;
	for (auto &function : pci_functions(edu_id)) {
		auto bound = function.bind_vfio();
		auto group = function.group();
		if (!report.step(fmt::format("bind {} to vfio-pci", function.address()), bound) || !group)
			return {};
		bool another = places.empty() || places.front().group != *group;
		if (another && places.size() < places_max)
			places.push_back({function, *group});
	}
	report.note(fmt::format("{} groups", places.size()));
	return places;
}

void stress_it(Report &report, const Stress_options &options, const std::vector<Place> &places)
{
	auto arena = make_arena();
	if (!report.check("make the arena", arena != nullptr, "asked"))
		return;
	Parent parent{{*arena, places}, options};
	bool gone = parent.run();
	arena->tally.print();
	report.check("every process could be ended", gone, gone ? "yes" : "NO");
	check_ends(report, *arena, parent.bad_ends());
	check_work(report, *arena, parent.kills());
	check_memory(report, *arena);
}

} // namespace

bool run_stress(const Stress_options &options)
{
	Report report;
	report.heading(fmt::format("everything at once, {} s, seed {}, driver {}", options.seconds, options.seed,
				   name_of(options.driver)));
	auto kmsg = Kmsg::follow(options.expected);
	if (!prepare(report, options))
		return false;
	auto places = find_places(report);
	if (places.empty())
		return false;
	auto before = Counts::rested();
	auto idle = module_refs(module_of(options.driver));
	stress_it(report, options, places);
	auto after = settled(before);
	report.check("VmLck and pinned pages are as before", after == before, difference(before, after));
	for (auto &place : places) {
		auto rig = Rig::open(place.function);
		report.check(fmt::format("a container of group {} works", place.group), rig && moves_data(**rig),
			     outcome(rig));
	}
	check_rmmod(report, options.driver, idle);
	return end(report, kmsg);
}

} // namespace harness
