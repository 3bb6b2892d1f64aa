// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/play.hh"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <new>
#include <optional>
#include <thread>

#include "fuzz/worker.hh"
#include "lib/container.hh"
#include "lib/exit_status.hh"
#include "lib/group.hh"
#include "lib/sysfs.hh"

namespace harness::fuzz
{

namespace
{

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 60s;

class Play
{
public:
	Play(Stage &stage, const History &history, Verdict &verdict)
		: stage_{stage}, history_{history}, verdict_{verdict},
		  observer_{stage.world, subjects_, stage.common.bytes()}
	{
	}

	bool run()
	{
		std::memset(static_cast<void *>(&world()), 0, sizeof(World));
		world().storm = history_.storm;
		fill_common();
		if (!start())
			return false;
		bool ended = watch_over();
		if (ended)
			look_at_the_end();
		return ended;
	}

private:
	World &world() { return stage_.world; }
	void complain(std::string what) { verdict_.faults.push_back(std::move(what)); }

	void fill_common()
	{
		for (unsigned block = 0; block < blocks.size(); ++block)
			for (unsigned cell = 0; blocks[block] == Kind::common && cell < cells; ++cell) {
				auto at = address_of(block) + cell * page_size();
				auto beginning = beginning_of(*page_at(0, at));
				auto there = stage_.common.bytes().data() + cell * page_size();
				std::memcpy(there, &beginning, sizeof beginning);
			}
	}

	// All descriptors are the processes' alone once they run.
	bool start()
	{
		std::vector<Container> opened;
		std::vector<Group> groups;
		Files files{.common = stage_.common_file};
		for (auto &fd : files.container) {
			auto container = Container::open();
			if (!container)
				return false;
			fd = container->fd();
			opened.push_back(std::move(*container));
		}
		for (auto &device : stage_.devices) {
			auto group = Group::open(device.group());
			if (!group)
				return false;
			files.group[groups.size()] = group->fd();
			groups.push_back(std::move(*group));
		}
		for (unsigned process = 0; process < processes; ++process) {
			auto pid = ::fork();
			if (pid == 0)
				work(world(), history_, process, files);
			if (pid < 0)
				return false;
			auto memory = Fd::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDWR);
			subjects_[process].pid = pid;
			if (!memory)
				return false;
			subjects_[process].memory = std::move(*memory);
		}
		return true;
	}

	void drive(unsigned number)
	{
		for (unsigned i = 0; i < history_.operations.size(); ++i) {
			auto &operation = history_.operations[i];
			if (!operation.by_device() || operation.device() != number)
				continue;
			if (!world().storm)
				world().wait_for(i);
			if (operation.hold != Hold::none)
				world().pass(i);
			if (number < stage_.devices.size() && !stop_)
				stage_.devices[number].probe(world(), observer_, history_, i);
			world().pass(i);
		}
		++world().devices_done;
	}

	bool watch_over()
	{
		std::vector<std::jthread> drivers;
		for (unsigned i = 0; i < devices; ++i)
			drivers.emplace_back([this, i] { drive(i); });
		auto deadline = Clock::now() + patience;
		while (!all_closed() && Clock::now() < deadline) {
			reap();
			pass_over_the_dead();
			std::this_thread::sleep_for(5ms);
		}
		stop_ = true;
		bool ended = all_closed();
		if (!ended) {
			complain(fmt::format("no end within a minute: turn {} of {}", world().turn.load(),
					     history_.operations.size()));
			for (auto &subject : subjects_)
				::kill(subject.pid, SIGKILL);
		}
		world().turn = operations_max; // what is left is of the dead, or has no group any more
		for (auto &driver : drivers)
			driver.join();
		if (ended)
			observer_.look();
		return ended;
	}

	bool all_closed()
	{
		unsigned gone = 0;
		for (auto &pid : gone_)
			gone += pid;
		return world().closed + gone >= processes;
	}

	void pass_over_the_dead()
	{
		auto turn = world().turn.load();
		if (turn >= history_.operations.size())
			return;
		auto &operation = history_.operations[turn];
		if (!operation.by_device() && gone_[operation.process()])
			world().pass(turn);
	}

	// Whoever has died; true: there is nobody left.
	bool reap()
	{
		int status = 0;
		pid_t pid;
		while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0)
			for (unsigned process = 0; process < processes; ++process)
				if (subjects_[process].pid == pid)
					bury(process, status);
		return pid < 0;
	}
	void bury(unsigned process, int status)
	{
		if (!world().all_gone) {
			gone_[process] = true;
			Time living = 0, now = world().tick();
			world().dead[process].compare_exchange_strong(living, now);
			world().buried[process] = now;
		}
		if (!ended_well(status) && !ended_by(status, SIGKILL))
			complain(fmt::format("process {}: {}", process, to_text_of_end(status)));
	}

	void look_at_the_end()
	{
		for (unsigned process = 0; process < processes; ++process)
			if (!gone_[process])
				check_locked(process);
		world().all_gone = world().tick();
		for (auto deadline = Clock::now() + patience; !reap();) {
			if (Clock::now() > deadline)
				return complain("a process does not end");
			std::this_thread::sleep_for(5ms);
		}
		if (observer_.strange())
			complain("a device wrote what no transfer had to write");
		for (auto &device : stage_.devices)
			if (auto trouble = device.exchange(world(), history_); !trouble.empty())
				complain(fmt::format("group {} does not work: {}", device.group(), trouble));
		auto after = settled(stage_.rested, 10s);
		if (after != stage_.rested)
			complain(fmt::format("after all: {}", difference(stage_.rested, after)));
		count();
		auto judged = judge(world(), history_);
		verdict_.arrived = judged.arrived;
		verdict_.barred = judged.barred;
		for (auto &fault : judged.faults)
			complain(fault);
	}

	// Whoever has closed everything and lives has nothing locked. The last of them closes for all.
	void check_locked(unsigned process)
	{
		auto path = fmt::format("/proc/{}/status", subjects_[process].pid);
		std::optional<std::uint64_t> locked;
		for (int tries = 0; tries < 500; ++tries) {
			locked = field(read_file(path).value_or(""), "VmLck");
			if (locked == 0)
				return;
			reap();
			std::this_thread::sleep_for(10ms);
		}
		complain(fmt::format("process {} has {} KiB locked after its containers", process, locked.value_or(0)));
	}

	void count()
	{
		stage_.held += world().held;
		for (unsigned i = 0; i < history_.operations.size(); ++i) {
			auto &operation = history_.operations[i];
			auto verb = static_cast<std::size_t>(operation.verb);
			bool done = operation.by_device()
					    ? world().transfers[i].end != 0
					    : world().events[i].begin && world().events[i].outcome == worked;
			++(done ? stage_.worked : stage_.failed)[verb];
		}
	}

	Stage &stage_;
	const History &history_;
	Verdict &verdict_;
	std::array<Subject, processes> subjects_{};
	std::array<bool, processes> gone_{};
	std::atomic<bool> stop_ = false;
	Observer observer_;
};

} // namespace

bool play(Stage &stage, const History &history, Verdict &verdict) { return Play{stage, history, verdict}.run(); }

} // namespace harness::fuzz
