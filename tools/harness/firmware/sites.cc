// SPDX-License-Identifier: GPL-2.0-only
// Where firmware can refuse, and what a call comes to then. Statuses are RTAS' (LoPAR 7.3), the hypervisor's (14.4) and
// OPAL's own.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "firmware/act.hh"
#include "lib/platform.hh"

namespace harness::firmware
{

namespace
{

enum : int { hardware = -1, busy = -2, parameter = -3, h_parameter = -4, h_resource = -16 };

constexpr const char *query = "tcewin_host_ddw_query", *create = "tcewin_host_ddw_create",
		     *remove = "tcewin_host_ddw_remove", *reset = "tcewin_host_ddw_reset", *put = "tcewin_host_put_tce",
		     *put_many = "tcewin_host_put_tce_indirect", *stuff = "tcewin_host_stuff_tce",
		     *lets_go = "tcewin_kernel_lets_go", *fill = "tcewin_fill_place", *empty = "tcewin_empty_place";

const std::vector<Site> pseries{
	{"ddw-query", How::each, {{query, hardware}}, EIO},
	{"ddw-create", How::each, {{create, hardware}}, EIO},
	{"ddw-create-parameter", How::once_and_always, {{create, parameter}}, EINVAL},
	{"ddw-create-busy", How::once, {{create, busy}}, 0},
	{"ddw-remove", How::each, {{remove, hardware}}, EIO},
	{"ddw-reset", How::each, {{reset, hardware}}, EIO},
	{"put", How::each, {{put, h_parameter}}, EIO},
	{"put-resource", How::once_and_always, {{put, h_resource}}, ENOMEM},
	{"put-indirect", How::each, {{put_many, hardware}}, EIO},
	{"put-indirect-resource", How::once_and_always, {{put_many, h_resource}}, ENOMEM},
	{"stuff", How::each, {{stuff, hardware}}, EIO},
	{"stuff-resource", How::once_and_always, {{stuff, h_resource}}, ENOMEM},
	{"every-hypercall", How::always, {{put, hardware}, {put_many, hardware}, {stuff, hardware}}, EIO},
	{"platform-take", How::always, {{lets_go, -EIO}}, EIO},
};

const std::vector<Site> powernv{
	{"opal-set", How::each, {{fill, hardware}}, EIO},
	{"opal-unset", How::each, {{empty, hardware}}, EIO},
	{"platform-take", How::always, {{lets_go, -EIO}}, EIO},
};

struct Exception {
	const char *pattern; // act/site/when
	Ending ending;
};

constexpr Exception exceptions[] = {
	{"*/ddw-create-busy/*", Ending::done},
	// Without an answer it is taken that something is left over, and all is emptied.
	{"take/ddw-query/second", Ending::done},
	{"two-join*/ddw-query/second", Ending::done},
	// Nobody hears of a refusal any more; the PE goes back to the kernel empty.
	{"release/opal-unset/always", Ending::quarantined},
	{"two-leave/opal-unset/*", Ending::quarantined}, // its device reaches what the other PE has mapped
	{"release/*", Ending::done},
	{"two-leave/*", Ending::done},
	// A default window that cannot be emptied is removed, and made again.
	{"remove-default/stuff/last", Ending::done},
	// The window is gone; what fails is to have the default one at hand.
	{"remove-last/ddw-query/*", Ending::done},
	{"remove-last/ddw-reset/*", Ending::done},
	{"remove-last/stuff/second", Ending::done},
	{"remove-last/stuff/last", Ending::done},
	// The table is empty, and kept for good.
	{"*remove*/opal-unset/*", Ending::done},
	// It is gone from one PE and cannot be whole again; the other one's is empty.
	{"two-remove/ddw-remove/second", Ending::done},
	// What undoes it is refused as well.
	{"*/every-hypercall/always", Ending::stuck},
	{"map-page-over/put*/always", Ending::stuck},
	{"unmap-page/put*/always", Ending::stuck},
	{"*map-4m-over/put-indirect*/always", Ending::stuck},
};

} // namespace

const std::vector<Site> &all_sites() { return platform().powernv ? powernv : pseries; }

std::vector<const Act *> all_acts()
{
	std::vector<const Act *> all;
	for (auto table : {window_acts(), entry_acts(), v1_acts(), pair_acts()})
		for (auto &act : table)
			all.push_back(&act);
	return all;
}

std::string_view name_of(When when)
{
	constexpr std::array<std::string_view, 4> names{"first", "second", "last", "always"};
	return names[static_cast<std::size_t>(when)];
}

std::string_view name_of(Ending ending)
{
	constexpr std::array<std::string_view, 4> names{"refused", "done", "stuck", "quarantined"};
	return names[static_cast<std::size_t>(ending)];
}

Ending expected(std::string_view act, std::string_view site, When when)
{
	auto name = fmt::format("{}/{}/{}", act, site, name_of(when));
	auto found =
		std::ranges::find_if(exceptions, [&](auto &e) { return ::fnmatch(e.pattern, name.c_str(), 0) == 0; });
	return found == std::end(exceptions) ? Ending::refused : found->ending;
}

} // namespace harness::firmware
