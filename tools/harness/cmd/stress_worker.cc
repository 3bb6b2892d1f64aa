// SPDX-License-Identifier: GPL-2.0-only
// A worker's sessions: one container each, from which groups come and go, with threads and forked children inside its
// ioctls. One thread knows exactly what is mapped at its addresses and has the device try them.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "cmd/stress_parts.hh"
#include "lib/bare.hh"
#include "lib/group.hh"
#include "lib/pattern.hh"
#include "lib/sysfs.hh"

namespace harness::stress
{

namespace
{

using std::chrono::milliseconds;
using Mix = Random_ioctls::Mix;

constexpr std::size_t region_count = 4;
constexpr unsigned issuers = 2;

void pause_up_to(Random &random, unsigned limit_ms) { std::this_thread::sleep_for(milliseconds{random() % limit_ms}); }

class Session
{
public:
	Session(Stage stage, const std::vector<Buffer> &regions, const Buffer &own, Container container, Group group,
		std::size_t place, Random &random)
		: stage_{stage}, own_{own}, container_{std::move(container)}, group_{std::move(group)}, place_{place},
		  random_{random}, type_{random() % 3 ? type_v2 : type_v1},
		  mix_{random() % 2 ? Mix::all : Mix::lasting}, ioctls_{container_, regions, stage.arena.tally, mix_}
	{
	}

	void run()
	{
		{
			std::vector<std::jthread> threads;
			for (unsigned i = 0; i < issuers; ++i)
				threads.emplace_back([this, seed = random_()] { issue(seed); });
			threads.emplace_back([this, seed = random_()] { aim_at_own(seed); });
			move_groups();
			stop_ = true;
		}
		while (wait_for_child(-1))
			; // children have the container, too
	}

private:
	Tally &tally() { return stage_.arena.tally; }

	void issue(unsigned seed)
	{
		auto random = seeded(seed);
		while (!stop_) {
			ioctls_.step(random);
			if (!joined_) // now and then is enough
				std::this_thread::sleep_for(milliseconds{5});
		}
	}

	void move_groups()
	{
		auto most = mix_ == Mix::lasting ? 3 : 12;
		for (auto rounds = 1 + random_() % most; rounds > 0 && !stage_.arena.stop; --rounds) {
			tally()("SET_CONTAINER", group_.set_container(container_));
			auto second = random_() % 2 ? add_second() : std::nullopt;
			joined_ = tally()("SET_IOMMU", container_.set_iommu(type_));
			if (!second && random_() % 2)
				second = add_second();
			stay();
			if (random_() % 4 == 0)
				open_device();
			if (random_() % 3 == 0)
				fork_child();
			if (type_ == type_v1 && random_() % 2)
				tally()("DISABLE", container_.disable());
			if (second && random_() % 2)
				tally()("UNSET_CONTAINER", second->unset_container());
			tally()("UNSET_CONTAINER", group_.unset_container());
			joined_ = false;
			pause_up_to(random_, 3);
		}
		if (random_() % 2)
			return; // the close is to find everything in place
		tally()("SET_CONTAINER", group_.set_container(container_));
		joined_ = tally()("SET_IOMMU", container_.set_iommu(type_));
		pause_up_to(random_, 60);
	}

	// Mostly short, so that groups often leave; long enough for several transfers when windows last.
	void stay()
	{
		if (mix_ == Mix::lasting)
			pause_up_to(random_, 4000);
		else
			pause_up_to(random_, random_() % 3 ? 30 : 600);
	}

	// The other group joins in, unless the other worker has it.
	std::optional<Group> add_second()
	{
		if (stage_.places.size() < 2)
			return std::nullopt;
		auto group = Group::open(stage_.places[1 - place_].group);
		if (!tally()("open second group", group))
			return std::nullopt;
		tally()("SET_CONTAINER 2nd", group->set_container(container_));
		return std::optional<Group>{std::move(*group)};
	}

	void open_device()
	{
		const std::scoped_lock lock{stage_.arena.device[place_]};
		tally()("GET_DEVICE_FD", group_.open_device(stage_.places[place_].function.address()));
	}

	// A child has its parent's container and another mm. Half of them are killed inside.
	void fork_child()
	{
		auto seed = random_();
		auto pid = ::fork();
		if (pid == 0) {
			auto random = seeded(seed);
			for (auto steps = random() % 2 ? ~0u : random() % 50; steps > 0; --steps)
				ioctls_.step(random);
			::_exit(0);
		}
		if (pid < 0)
			return;
		++stage_.arena.forks;
		pause_up_to(random_, 40);
		::kill(pid, SIGKILL);
		if (random_() % 2)
			wait_for_child(pid);
	}

	// -1: any; false: there is none.
	bool wait_for_child(pid_t pid)
	{
		int status = 0;
		if (::waitpid(pid, &status, 0) < 0)
			return false;
		if (!child_ended_well(status)) {
			stage_.arena.bad_end = status;
			++stage_.arena.bad_children;
		}
		return true;
	}

	// Maps a page of its own where nobody else in this container maps, and unmaps it. Whatever UNMAP_DMA says, and
	// whatever the others have done to window and group meanwhile: once it is back, the device does not get there.
	void aim_at_own(unsigned seed)
	{
		auto random = seeded(seed);
		auto page = own_.bytes(page_size(), page_size());
		auto address = own_.address() + page_size();
		while (!stop_) {
			auto iova = ioctls_.any_window(random) + Random_ioctls::private_offset +
				    random() % 16 * page_size();
			tally()("REGISTER", container_.register_memory(address, page_size()));
			auto mapped = container_.map(iova, address, page_size(), Access::both);
			if (tally()("MAP_DMA own", mapped) && (mix_ == Mix::lasting || random() % 2))
				stage_.arena.arrived += changes(random, iova, page);
			tally()("UNMAP_DMA own", container_.unmap(iova, page_size()));
			if (random() % 4 == 0)
				tally()("UNREGISTER", container_.unregister_memory(address, page_size()));
			if (!mapped && random() % 64)
				continue; // of the addresses that never were, others try enough
			++stage_.arena.tried_unmapped;
			stage_.arena.landed += changes(random, iova, own_.bytes());
		}
	}

	// The device writes at `iova`; does any of this memory change?
	bool changes(Random &random, std::uint64_t iova, std::span<std::byte> memory)
	{
		auto seed = random();
		fill(memory, seed);
		auto place = stage_.places.size() > 1 && random() % 4 == 0 ? 1 - place_ : place_;
		if (!write_at(stage_, place, iova, 512))
			return false;
		std::uint64_t position = 0;
		return !std::ranges::all_of(memory, [&](auto byte) { return byte == pattern_at(seed, position++); });
	}

	Stage stage_;
	const Buffer &own_; // three pages; the one in the middle is registered and mapped, the others never
	Container container_;
	Group group_;
	std::size_t place_;
	Random &random_;
	unsigned long type_;
	Mix mix_;
	Random_ioctls ioctls_;
	std::atomic<bool> joined_ = false;
	std::atomic<bool> stop_ = false;
};

bool nothing_locked()
{
	for (int patience = 100; patience > 0; --patience) {
		if (field(read_file("/proc/self/status").value_or("VmLck: 1"), "VmLck") == 0)
			return true;
		std::this_thread::sleep_for(milliseconds{20});
	}
	return false;
}

// No group is to be had: a container without one, then.
void idle(const Container &container, const std::vector<Buffer> &regions, Tally &tally, Random &random)
{
	Random_ioctls ioctls{container, regions, tally};
	for (int i = 0; i < 20; ++i)
		ioctls.step(random);
	pause_up_to(random, 100);
}

void session(Stage stage, const std::vector<Buffer> &regions, const Buffer &own, Random &random)
{
	auto container = Container::open();
	if (!stage.arena.tally("open container", container))
		return;
	auto place = random() % stage.places.size();
	auto group = Group::open(stage.places[place].group);
	if (!stage.arena.tally("open group", group)) {
		idle(*container, regions, stage.arena.tally, random);
		return;
	}
	Session{stage, regions, own, std::move(*container), std::move(*group), place, random}.run();
	++stage.arena.sessions;
}

} // namespace

void work(Stage stage, std::uint64_t seed)
{
	auto random = seeded(seed);
	std::vector<Buffer> regions;
	for (std::size_t i = 0; i < region_count; ++i)
		if (auto buffer = Buffer::anonymous(16 * page_size()))
			regions.push_back(std::move(*buffer));
	auto own = Buffer::anonymous(3 * page_size());
	if (!own || regions.empty())
		::_exit(ENOMEM); // a worker that did nothing
	while (!stage.arena.stop) {
		session(stage, regions, *own, random);
		if (!nothing_locked())
			++stage.arena.still_locked;
	}
}

} // namespace harness::stress
