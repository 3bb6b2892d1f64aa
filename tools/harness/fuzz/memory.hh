// SPDX-License-Identifier: GPL-2.0-only
// The memory of one of a history's processes, and where the arguments of its calls lie.
#pragma once

#include <mutex>

#include "fuzz/held_pages.hh"
#include "fuzz/world.hh"

namespace harness::fuzz
{

class Memory
{
public:
	// common_file: of the block that all processes have. Everything is where address_of() says.
	Memory(World &world, unsigned process, int common_file);
	Memory(Memory &&) = delete;

	void lose(unsigned block, unsigned how);

	// Where a thread's argument is put for a call. It lies across two pages for an odd `place`. With `until` the
	// call's fault on it is answered when that turn has come, or `delay` after it in a storm.
	void *put_argument(unsigned thread, const void *argument, std::size_t size, unsigned place,
			   std::uint32_t until = 0, std::chrono::milliseconds delay = {});

private:
	void make(unsigned block);
	void fill(unsigned block) const;
	const std::byte *content(std::uint64_t address) const;
	bool is_due(std::uint64_t address, Held_pages::Clock::time_point since);
	bool stands_still();

	struct Wait {
		std::atomic<std::uint32_t> until = 0; // 0: none
		std::atomic<std::chrono::milliseconds> delay{};
	};

	World &world_;
	unsigned process_;
	int common_file_;
	std::mutex lock_; // blocks come and go
	std::byte *staging_;
	std::array<Wait, threads> waits_;
	std::uint32_t turn_ = 0; // that was seen last, of the thread that answers
	Held_pages::Clock::time_point turned_{};
	bool can_hold_ = false;
	Held_pages held_;
};

} // namespace harness::fuzz
