// SPDX-License-Identifier: GPL-2.0-only
// Pages of this process that come only when they are given: whoever touches one before, the kernel on an ioctl's behalf
// too, waits (userfaultfd).
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/fd.hh"
#include "lib/result.hh"

namespace harness
{

class Userfaults
{
public:
	static Result<Userfaults> open(); // ENOSYS, EPERM: not with this kernel, or for this user

	int fd() const { return fd_.get(); } // a uffd_msg for each fault
	// What is not there of this memory, or goes, has to be given from now on. EINVAL: it is not anonymous.
	Result<> watch(std::uint64_t address, std::size_t size) const;
	// The page is there, holds what page_size() bytes of `content` are, and whoever waits for it goes on.
	Result<> give(std::uint64_t page, const void *content) const;

private:
	explicit Userfaults(Fd fd) : fd_{std::move(fd)} {}

	Fd fd_;
};

} // namespace harness
