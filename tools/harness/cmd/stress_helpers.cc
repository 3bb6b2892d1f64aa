// SPDX-License-Identifier: GPL-2.0-only
// The processes of a stress run that have no container: the one that aims, and the one that must not be hit.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "cmd/stress_parts.hh"
#include "lib/bare.hh"
#include "lib/pattern.hh"

namespace harness::stress
{

namespace
{

using namespace std::chrono_literals;

// Mostly where containers map, else anywhere on the bus.
std::uint64_t any_address(Random &random)
{
	auto page = random() % 4096 * page_size() + random() % page_size();
	switch (random() % 8) {
	case 0:
		return (static_cast<std::uint64_t>(random()) << random() % 33) % second_slot;
	case 1:
		return Random_ioctls::second_window() + (static_cast<std::uint64_t>(random()) << random() % 16);
	case 2:
	case 3:
	case 4:
		return page;
	default:
		return Random_ioctls::second_window() + page;
	}
}

bool intact(const Buffer &buffer, std::uint64_t seed)
{
	std::uint64_t position = 0;
	return std::ranges::all_of(buffer.bytes(), [&](auto byte) { return byte == pattern_at(seed, position++); });
}

} // namespace

bool write_at(Stage stage, std::size_t place, std::uint64_t ioba, std::uint32_t count)
{
	auto &tally = stage.arena.tally;
	const std::scoped_lock lock{stage.arena.device[place]};
	auto edu = bare_edu(stage.places[place].function);
	return tally("(bare device)", edu) && tally("(DMA write)", edu->to_ram(0, ioba, count));
}

void aim(Stage stage, std::uint64_t seed)
{
	auto &arena = stage.arena;
	auto random = seeded(seed);
	while (!arena.stop) {
		auto place = random() % stage.places.size();
		write_at(stage, place, any_address(random), 1 + random() % Edu::capacity);
		std::this_thread::sleep_for(40ms); // workers want the device, too
		const std::scoped_lock lock{arena.device[place]};
		if (auto edu = bare_edu(stage.places[place].function); arena.tally("(bare device)", edu))
			arena.tally("(DMA read)", edu->from_ram(any_address(random), 0, 1 + random() % Edu::capacity));
	}
}

void watch(Stage stage)
{
	auto &arena = stage.arena;
	auto old = Buffer::anonymous(256 * page_size());
	if (!old) {
		++arena.canaries_hit; // it watched nothing
		return;
	}
	fill(old->bytes(), 99);
	for (std::uint64_t seed = 100; !arena.stop; ++seed) {
		auto fresh = Buffer::anonymous(64 * page_size());
		if (!fresh)
			continue;
		fill(fresh->bytes(), seed);
		std::this_thread::sleep_for(150ms); // as long as a transfer takes
		++arena.canaries;
		if (!intact(*fresh, seed) || !intact(*old, 99)) {
			++arena.canaries_hit;
			fill(old->bytes(), 99);
		}
	}
}

} // namespace harness::stress
