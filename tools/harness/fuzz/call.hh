// SPDX-License-Identifier: GPL-2.0-only
// An operation's ioctl: which one, with what argument. Numbers become sizes, addresses and flags here, and an oddity of
// the operation bends one of them.
#pragma once

#include "fuzz/world.hh"

namespace harness::fuzz
{

struct Call {
	unsigned long request;
	std::array<std::byte, 64> argument; // or its first word is the plain number that the call takes
	std::size_t size;		    // of the argument; 0: a plain number
	bool null;			    // no address at all is passed
};

// What is to be tried is written into the event as well.
Call make_call(const Operation &operation, Event &event);

} // namespace harness::fuzz
