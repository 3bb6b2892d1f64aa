// SPDX-License-Identifier: GPL-2.0-only
// The edu devices of a fuzzing run. Each carries ink, which it writes where a history says, and reads what is there
// into places of its buffer that are looked at when the history is over.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <span>
#include <vector>

#include "fuzz/world.hh"
#include "lib/bare.hh"
#include "lib/fd.hh"
#include "lib/pci.hh"

namespace harness::fuzz
{

// A process as the parent sees it.
struct Subject {
	pid_t pid = -1;
	Fd memory; // all of it, of before an exec
};

// All memory of a history's processes, from outside: who wrote into it?
class Observer
{
public:
	Observer(World &world, const std::array<Subject, processes> &subjects, std::span<std::byte> common)
		: world_{world}, subjects_{subjects}, common_{common}
	{
	}
	// Writes what it finds to the transfers that it is of, and makes the pages what they were.
	void look();
	// Ink of no transfer that there was: a device wrote what it was not told to.
	unsigned strange() const { return strange_; }

private:
	void look_at(unsigned process, unsigned block);
	bool found(std::uint64_t word, const Page &page);

	World &world_;
	const std::array<Subject, processes> &subjects_;
	std::span<std::byte> common_;
	std::mutex lock_; // one looks at a time
	unsigned strange_ = 0;
};

class Inked_device
{
public:
	static Result<Inked_device> open(const Pci_function &function, unsigned number, int group);

	int group() const { return group_; }
	// Through a container of its own, which has to work: what was read since the last time goes to its transfers.
	// A text: what went wrong. Renews the ink.
	std::string exchange(World &world, const History &history);
	void probe(World &world, Observer &observer, const History &history, unsigned operation);

private:
	Inked_device(Edu edu, unsigned number, int group) : edu_{std::move(edu)}, number_{number}, group_{group} {}
	void unpack(World &world, const History &history, std::span<const std::byte> buffer) const;

	Edu edu_;
	unsigned number_;
	int group_;
	unsigned writes_ = 0, reads_ = 0;
};

} // namespace harness::fuzz
