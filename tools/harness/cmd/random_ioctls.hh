// SPDX-License-Identifier: GPL-2.0-only
// One container's ioctls at random, in any state it may be in, so that most of them fail. Any number of threads, and
// processes forked from them, may be inside step() at once; nothing in it takes a lock or allocates.
#pragma once

#include <atomic>
#include <random>
#include <vector>

#include "lib/buffer.hh"
#include "lib/container.hh"
#include "lib/platform.hh"
#include "lib/report.hh"
#include "lib/tally.hh"

namespace harness
{

using Random = std::minstd_rand;

// Neighbouring seeds begin alike in a generator of this kind; these do not.
inline Random seeded(std::uint64_t seed)
{
	return Random(static_cast<unsigned>((seed + 1) * 0x9e3779b97f4a7c15ull >> 33));
}

// A run that did nothing has shown nothing: each of these calls succeeded at some time.
void check_busy(Report &report, const Tally &tally, std::initializer_list<const char *> calls);

class Random_ioctls
{
public:
	static constexpr std::uint64_t used = 16 << 20; // bytes of each window, from any_window() on
	// From this offset on step() maps nothing in a window (it unmaps there): it is the caller's.
	static constexpr std::uint64_t private_offset = 8 << 20;

	enum class Mix {
		all,
		lasting, // windows are made and stay, so that what is mapped is there until it is unmapped
	};

	Random_ioctls(const Container &container, const std::vector<Buffer> &regions, Tally &tally, Mix mix = Mix::all)
		: container_{container}, regions_{regions}, tally_{tally}, mix_{mix}
	{
	}

	void step(Random &random);
	// Start of the default window, or where the DDW that was made last is used.
	std::uint64_t any_window(Random &random) const { return random() % 2 ? usable(ddw_start_) : 0; }
	// Where step() may have mapped something.
	std::uint64_t any_iova(Random &random) const;
	// Where the second window of a PE is used, if it has one.
	static std::uint64_t second_window() { return usable(second_slot); }

private:
	// On bare metal the kernel's bypass is where the second window was, as soon as the group has left: a device
	// that aims there must aim where no memory is.
	static std::uint64_t usable(std::uint64_t start);

	unsigned choose(Random &random) const;
	void create(Random &random);
	void seldom(Random &random);

	const Container &container_;
	const std::vector<Buffer> &regions_;
	Tally &tally_;
	Mix mix_;
	std::atomic<std::uint64_t> ddw_start_ = second_slot;
};

} // namespace harness
