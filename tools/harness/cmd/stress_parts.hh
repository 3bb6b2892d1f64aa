// SPDX-License-Identifier: GPL-2.0-only
// What the processes of a stress run share, and the three kinds of them: workers, which have groups and are killed; one
// that aims devices; one that holds memory nobody may reach. All are forked from a parent that has one thread.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include "cmd/random_ioctls.hh"
#include "lib/exit_status.hh"
#include "lib/pci.hh"

namespace harness::stress
{

// A device's registers belong to one at a time: they are not there while VFIO closes the device. Held for one transfer.
// Not a mutex of the library, whose wake-up is lost with a process that is killed before it ran.
class Device_lock
{
public:
	void lock()
	{
		while (reserved_ || held_.exchange(true))
			::usleep(2000);
	}
	// Next in turn, before all who wait in lock(). The parent's way: the others always want the device.
	void lock_next()
	{
		reserved_ = true;
		while (held_.exchange(true))
			::usleep(2000);
		reserved_ = false;
	}
	void unlock() { held_ = false; }

private:
	std::atomic<bool> held_ = false;
	std::atomic<bool> reserved_ = false;
};

struct Place {
	Pci_function function;
	int group;
};

constexpr std::size_t places_max = 2;

// In memory that every process maps.
struct Arena {
	Tally tally;
	Device_lock device[places_max];
	std::atomic<bool> stop = false;
	std::atomic<std::uint64_t> sessions = 0;     // that came to their own end
	std::atomic<std::uint64_t> still_locked = 0; // of them: VmLck was not 0 after it
	std::atomic<std::uint64_t> forks = 0;	     // children that used a container of their parent's
	std::atomic<std::uint64_t> bad_children = 0; // of those that their parent waited for
	std::atomic<int> bad_end = 0;		     // as waitpid() told of the last one
	std::atomic<std::uint64_t> arrived = 0;	     // transfers that reached the page mapped there
	std::atomic<std::uint64_t> tried_unmapped = 0;
	std::atomic<std::uint64_t> landed = 0; // transfers that reached a page after its UNMAP_DMA, or one beside it
	std::atomic<std::uint64_t> canaries = 0;
	std::atomic<std::uint64_t> canaries_hit = 0; // memory never registered that changed
};

struct Stage {
	Arena &arena;
	const std::vector<Place> &places;
};

// Of a worker's child: its time was over, or the worker killed it.
inline bool child_ended_well(int status) { return ended_well(status) || ended_by(status, SIGKILL); }

// Opens groups, works on containers from several threads, closes; until told to stop or killed.
void work(Stage stage, std::uint64_t seed);
// The devices try addresses that may be mapped, were, or never are.
void aim(Stage stage, std::uint64_t seed);
// Holds memory that was always there and memory that was somebody else's a moment ago, and looks at it.
void watch(Stage stage);

// One transfer of the device towards RAM, with its lock held; false: it was not to be had.
bool write_at(Stage stage, std::size_t place, std::uint64_t ioba, std::uint32_t count);

} // namespace harness::stress
