// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/worker.hh"

#include <linux/vfio.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>

#include "fuzz/call.hh"
#include "fuzz/memory.hh"
#include "lib/buffer.hh"

namespace harness::fuzz
{

namespace
{

using std::chrono::milliseconds;

constexpr unsigned hold_max = 40; // ms, in a storm

int outcome_of(int result) { return result < 0 ? errno : result > 0 ? positive + result : worked; }

// The same number for the same operation, of which nothing else depends.
unsigned scatter(unsigned number) { return (number + 1) * 2654435761u >> 16; }

class Worker
{
public:
	Worker(World &world, const History &history, unsigned process, Files files)
		: world_{world}, history_{history}, process_{process}, files_{files},
		  memory_{world, process, files.common}
	{
	}

	void run()
	{
		std::thread other{[this] { run_thread(1); }};
		run_thread(0);
		other.join();
		while (world_.devices_done < devices)
			::usleep(10000);
		for (auto fd : files_.container)
			::close(fd);
		for (auto fd : files_.group)
			::close(fd);
	}

private:
	void run_thread(unsigned thread)
	{
		for (unsigned i = 0; i < history_.operations.size(); ++i) {
			auto &operation = history_.operations[i];
			if (operation.actor == process_ * threads + thread)
				take_turn(i, operation);
		}
	}

	void take_turn(unsigned i, const Operation &operation)
	{
		if (world_.storm)
			std::this_thread::sleep_for(milliseconds{scatter(i) % 16});
		else
			world_.wait_for(i);
		auto &event = world_.events[i];
		auto step = prepare(i, operation, event);
		event.begin = world_.tick();
		if (operation.hold != Hold::none)
			world_.pass(i);
		event.outcome = step();
		event.end = world_.tick();
		world_.pass(i);
	}

	std::function<int()> prepare(unsigned i, const Operation &operation, Event &event)
	{
		auto &n = operation.n;
		event.outcome = unknown;
		switch (operation.verb) {
		case Verb::join:
			return [=, this] { return join(n[0] % containers, n[1] % devices); };
		case Verb::leave:
			return [=, this] {
				return outcome_of(::ioctl(files_.group[n[0] % devices], VFIO_GROUP_UNSET_CONTAINER));
			};
		case Verb::close:
			return [=, this] { return outcome_of(::close(files_.container[n[0] % containers])); };
		case Verb::lose:
			return [=, this] { return memory_.lose(n[0], n[1]), worked; };
		case Verb::fork:
			return [=, this] { return fork(n[0] % containers); };
		case Verb::exec:
			return [this] { return exec(); };
		case Verb::kill:
			return [] { return outcome_of(::kill(::getpid(), SIGKILL)); };
		default:
			return call(i, operation, event);
		}
	}

	std::function<int()> call(unsigned i, const Operation &operation, Event &event)
	{
		auto call = make_call(operation, event);
		auto fd = files_.container[operation.n[0] % containers];
		unsigned long number = 0;
		if (!call.size)
			std::memcpy(&number, call.argument.data(), sizeof number);
		else if (!call.null)
			number = reinterpret_cast<unsigned long>(memory_.put_argument(
				operation.thread(), call.argument.data(), call.size, scatter(i) >> 8, end_of_hold(i),
				milliseconds{1 + scatter(i) % hold_max}));
		return [=] {
			auto outcome = outcome_of(::ioctl(fd, call.request, number));
			bool has_a_result = call.request == VFIO_EEH_PE_OP && outcome > positive;
			return has_a_result ? worked : outcome;
		};
	}

	// The turn in which a call's fault is answered: 0 for one that is not held up. Its thread has to be free for
	// the next turn of its own.
	std::uint32_t end_of_hold(unsigned i) const
	{
		auto &operation = history_.operations[i];
		if (operation.hold != Hold::argument)
			return 0;
		auto last = std::min<std::size_t>(i + 1 + operation.span, history_.operations.size());
		auto next = i + 1;
		while (next < last && history_.operations[next].actor != operation.actor)
			++next;
		return static_cast<std::uint32_t>(next);
	}

	int join(unsigned container, unsigned group)
	{
		int fd = files_.container[container];
		return outcome_of(::ioctl(files_.group[group], VFIO_GROUP_SET_CONTAINER, &fd));
	}

	// Whatever it is, none of these calls is the child's to make.
	int fork(unsigned container)
	{
		auto pid = ::fork();
		if (pid == 0) {
			::prctl(PR_SET_PDEATHSIG, SIGKILL);
			auto fd = files_.container[container];
			vfio_iommu_type1_dma_map map{sizeof map, 3, address_of(0), bus_address(0, 0), page_size()};
			vfio_iommu_type1_dma_unmap unmap{};
			unmap.argsz = sizeof unmap;
			unmap.iova = bus_address(0, 0);
			unmap.size = slot_distance;
			bool done = ::ioctl(fd, VFIO_IOMMU_MAP_DMA, &map) == 0;
			done = ::ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap) == 0 || done;
			::usleep(20000);
			::_exit(done ? 1 : 0);
		}
		int status = 0;
		if (pid > 0)
			::waitpid(pid, &status, 0);
		return WIFEXITED(status) && WEXITSTATUS(status) == 1 ? positive : worked;
	}

	int exec()
	{
		for (auto fd : files_.container)
			::fcntl(fd, F_SETFD, 0);
		for (auto fd : files_.group)
			::fcntl(fd, F_SETFD, 0);
		world_.dead[process_] = world_.tick(); // of its memory nobody sees anything any more
		::execl("/bin/busybox", "sleep", "0.2", nullptr);
		return errno;
	}

	World &world_;
	const History &history_;
	unsigned process_;
	Files files_;
	Memory memory_;
};

} // namespace

void work(World &world, const History &history, unsigned process, const Files &files)
{
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	{
		Worker worker{world, history, process, files};
		worker.run();
		++world.closed;
		while (!world.all_gone)
			::usleep(10000);
	}
	::_exit(0);
}

} // namespace harness::fuzz
