// SPDX-License-Identifier: GPL-2.0-only
// Pages of a process whose faults a thread of its own answers (userfaultfd), each when it is due. A call that copies
// its argument from such a page waits for as long, wherever in the kernel it is.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "lib/userfaults.hh"

namespace harness::fuzz
{

class Held_pages
{
public:
	using Clock = std::chrono::steady_clock;

	// What a page is to hold; of page_size() bytes, valid until the next call.
	using Content = std::function<const std::byte *(std::uint64_t address)>;
	// Is the fault there, which came at `since`, to be answered now?
	using Due = std::function<bool(std::uint64_t address, Clock::time_point since)>;

	Held_pages(Content content, Due due);
	Held_pages(Held_pages &&) = delete;
	~Held_pages();

	// False: this kernel or this user cannot do that, or the memory is not anonymous.
	bool add(std::uint64_t address, std::size_t size);

private:
	struct Fault {
		std::uint64_t page;
		Clock::time_point since;
	};

	void serve();
	void hear();
	void answer(std::uint64_t page) const;

	Content content_;
	Due due_;
	Result<Userfaults> faults_;
	std::vector<Fault> waiting_; // the thread's own
	std::atomic<bool> stop_ = false;
	std::thread server_;
};

} // namespace harness::fuzz
