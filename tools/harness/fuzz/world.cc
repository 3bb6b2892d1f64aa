// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/world.hh"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

#include "lib/buffer.hh"
#include "lib/platform.hh"

namespace harness::fuzz
{

namespace
{

constexpr std::uint64_t magic = 0x7ce3'0000'0000'0001;
constexpr std::uint64_t magic_mask = 0xffff'0000'0000'0001;
constexpr std::uint64_t slots = 8;

void futex(std::atomic<std::uint32_t> &word, int operation, std::uint32_t value)
{
	const timespec patience{.tv_sec = 0, .tv_nsec = 50'000'000}; // a wake-up may be lost with who dies
	::syscall(SYS_futex, &word, operation, value, operation == FUTEX_WAIT ? &patience : nullptr, nullptr, 0);
}

} // namespace

void World::wait_for(std::uint32_t turn_wanted)
{
	for (auto now = turn.load(); now < turn_wanted; now = turn.load())
		futex(turn, FUTEX_WAIT, now);
}

void World::pass(std::uint32_t turn_done)
{
	if (turn.compare_exchange_strong(turn_done, turn_done + 1))
		futex(turn, FUTEX_WAKE, INT_MAX);
}

std::size_t size_of(unsigned block) { return blocks[block] == Kind::huge ? 2 << 20 : cells * page_size(); }

std::uint64_t word_of(const Page &page)
{
	return magic | static_cast<std::uint64_t>(page.process) << 40 | static_cast<std::uint64_t>(page.block) << 32 |
	       static_cast<std::uint64_t>(page.cell) << 8;
}

std::optional<Page> page_of(std::uint64_t word)
{
	Page page{static_cast<std::uint8_t>(word >> 40), static_cast<std::uint8_t>(word >> 32),
		  static_cast<std::uint16_t>(word >> 8)};
	return (word & magic_mask) == magic && word == word_of(page) ? std::optional{page} : std::nullopt;
}

Beginning beginning_of(const Page &page)
{
	Beginning beginning;
	beginning.fill(word_of(page));
	return beginning;
}

std::optional<Page> page_at(unsigned process, std::uint64_t vaddr)
{
	if (vaddr < memory_start)
		return std::nullopt;
	auto block = (vaddr - memory_start) / block_distance, offset = (vaddr - memory_start) % block_distance;
	if (block >= blocks.size() || offset >= size_of(static_cast<unsigned>(block)))
		return std::nullopt;
	auto owner = blocks[block] == Kind::common ? processes : process;
	return Page{static_cast<std::uint8_t>(owner), static_cast<std::uint8_t>(block),
		    static_cast<std::uint16_t>(offset / page_size())};
}

std::uint64_t window_start(unsigned window) { return window ? second_slot : 0; }

std::uint64_t bus_address(unsigned window, unsigned slot)
{
	// On bare metal the kernel's bypass is where the second window was: only above all memory may a device try.
	auto above = window && platform().powernv ? beyond_memory : 0;
	return window_start(window) + above + slot % slots * slot_distance;
}

unsigned window_of(std::uint64_t at) { return at >= second_slot; }

} // namespace harness::fuzz
