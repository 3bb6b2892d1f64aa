// SPDX-License-Identifier: GPL-2.0-only
// What one history did and saw, in memory that all its processes share: every call with the times of its begin and its
// end, and every transfer of a device. judge.cc reads it when all is over.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>

#include "fuzz/history.hh"

namespace harness::fuzz
{

using Time = std::uint32_t; // of World::clock; 0: not yet
inline constexpr Time never = std::numeric_limits<Time>::max();

inline constexpr int worked = 0;
inline constexpr int unknown = -1;	 // its process died inside
inline constexpr int untried = -2;	 // its process had died before
inline constexpr int positive = 1 << 20; // a result that no call may have

struct Event {
	std::atomic<Time> begin, end;
	std::uint64_t at, vaddr, size; // bus address or window, memory, bytes; as the call was told
	std::uint32_t flags;
	bool must_fail; // its argument is one that no call may take
	int outcome;	// errno, or one of the above
};

// What a page says it is: of which process (`processes`: of all), which block, which of its pages.
struct Page {
	std::uint8_t process, block;
	std::uint16_t cell;

	friend bool operator==(const Page &, const Page &) = default;
};

struct Seen {
	enum class What : std::uint8_t { nothing, page, other } what;
	Page page;
};

inline constexpr std::size_t seen_max = 4;

struct Transfer {
	Time begin, end;
	std::uint64_t at;
	bool write;
	std::uint64_t ink;    // that it wrote
	std::uint32_t offset; // in the device, of what it read
	unsigned count;
	Seen seen[seen_max];
};

struct World {
	std::atomic<std::uint32_t> clock, turn;
	std::atomic<unsigned> devices_done; // with all of their transfers
	std::atomic<unsigned> closed;	    // processes that have nothing open any more
	std::atomic<unsigned> held;	    // faults that were answered late
	bool storm;
	std::atomic<Time> dead[processes];   // from then on nobody sees its memory
	std::atomic<Time> buried[processes]; // and none of its calls is under way any more
	std::atomic<Time> all_gone;
	Event events[operations_max];
	Transfer transfers[operations_max];

	Time tick() { return ++clock; }
	void wait_for(std::uint32_t turn_wanted);
	void pass(std::uint32_t turn_done); // unless somebody has
};

// ---- Memory: the same addresses in every process ----

enum class Kind : std::uint8_t { anonymous, common, huge, read_only, holed, served, nowhere };

inline constexpr std::array<Kind, 8> blocks{Kind::anonymous, Kind::anonymous, Kind::common, Kind::huge,
					    Kind::read_only, Kind::holed,     Kind::served, Kind::nowhere};
inline constexpr std::size_t cells = 8; // pages of a block; of huge ones, those that are looked at
inline constexpr std::uint64_t block_distance = 16 << 20;
inline constexpr std::uint64_t memory_start = 1ull << 44;

inline std::uint64_t address_of(unsigned block) { return memory_start + block * block_distance; }
std::size_t size_of(unsigned block); // bytes

// The word of which a page's beginning is made; no page begins with 0.
std::uint64_t word_of(const Page &page);
std::optional<Page> page_of(std::uint64_t word);
inline constexpr std::size_t words = 4;
using Beginning = std::array<std::uint64_t, words>;
Beginning beginning_of(const Page &page);

// The page of process `process` at an address.
std::optional<Page> page_at(unsigned process, std::uint64_t vaddr);

// ---- Addresses on the bus ----

inline constexpr std::uint64_t slot_distance = 1 << 16;
std::uint64_t window_start(unsigned window); // as REMOVE wants it: window 0 or 1
std::uint64_t bus_address(unsigned window, unsigned slot);
unsigned window_of(std::uint64_t at);

} // namespace harness::fuzz
