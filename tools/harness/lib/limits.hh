// SPDX-License-Identifier: GPL-2.0-only
// Locked-memory limits as an unprivileged process has them, in a process that is root for everything else.
#pragma once

#include <cstdint>

#include "lib/result.hh"

namespace harness
{

// While it lives, this thread may lock `room` bytes more than it has locked now, and has no CAP_IPC_LOCK.
class Locked_memory_limit
{
public:
	static Result<Locked_memory_limit> set(std::uint64_t room);
	Locked_memory_limit(Locked_memory_limit &&other) noexcept : saved_{other.saved_}, armed_{other.armed_}
	{
		other.armed_ = false;
	}
	Locked_memory_limit &operator=(Locked_memory_limit &&) = delete;
	~Locked_memory_limit();

private:
	explicit Locked_memory_limit(std::uint64_t saved) : saved_{saved} {}

	std::uint64_t saved_;
	bool armed_ = true;
};

} // namespace harness
