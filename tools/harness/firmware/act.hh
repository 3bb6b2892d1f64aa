// SPDX-License-Identifier: GPL-2.0-only
// A call of a user's that comes to firmware, the ways in which firmware can refuse beneath it, and what the user then
// sees.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "firmware/scene.hh"
#include "lib/faults.hh"

namespace harness::firmware
{

struct Act {
	const char *name;
	abi::Stage stage = abi::Stage::ready;
	Result<> (*prepare)(Scene &) = nullptr;
	Result<> (*call)(Scene &) = nullptr;
	// What is wrong with what the devices reach, where the call has not been made / has been. Empty: nothing.
	std::string (*before)(Scene &) = nullptr;
	std::string (*after)(Scene &) = nullptr;
	Result<> (*undo)(Scene &) = nullptr;	    // as it was before the call
	Result<> (*finish)(Scene &) = nullptr;	    // undoes prepare
	std::uint64_t (*window)(Scene &) = nullptr; // whose entries it writes; for the end that is Ending::stuck
};

std::span<const Act> window_acts();
std::span<const Act> entry_acts();
std::span<const Act> pair_acts();
std::span<const Act> v1_acts();
std::vector<const Act *> all_acts();

// Which calls of a site are tried: the first, the second, the last, and all of them from the first on; or less, where
// it differs from another site by its status alone.
enum class How { each, once_and_always, always, once };

// How firmware refuses.
struct Site {
	const char *name;
	How how;
	std::vector<Fault> faults; // all with the status of the first
	int error;		   // what a call answers that fails for it
};

const std::vector<Site> &all_sites();

enum class When { first, second, last, always };
std::string_view name_of(When when);

// What a call comes to.
enum class Ending {
	refused,     // it fails, and all is as before
	done,	     // it succeeds: there is a way without that firmware call, or nothing depends on it
	stuck,	     // it fails and cannot be undone: the window takes no calls but its end, and its pages stay
	quarantined, // nobody gets the PE any more: stuck.hh
};
std::string_view name_of(Ending ending);

Ending expected(std::string_view act, std::string_view site, When when);

} // namespace harness::firmware
