// SPDX-License-Identifier: GPL-2.0-only
// A page of this process that is not there: whoever touches it, the kernel on an ioctl's behalf too, waits until it is
// given (userfaultfd).
#pragma once

#include <chrono>
#include <span>

#include "lib/buffer.hh"
#include "lib/userfaults.hh"

namespace harness
{

class Held_page
{
public:
	static Result<Held_page> make(); // ENOSYS, EPERM: not with this kernel, or for this user

	void *address() const { return page_.bytes().data(); }
	// Somebody waits for it. False: nobody has come in that time.
	bool wanted(std::chrono::milliseconds patience) const;
	// It is there from now on, begins with `content`, and whoever waits goes on.
	Result<> give(std::span<const std::byte> content) const;

private:
	Held_page(Buffer page, Userfaults faults) : page_{std::move(page)}, faults_{std::move(faults)} {}

	Buffer page_;
	Userfaults faults_;
};

} // namespace harness
