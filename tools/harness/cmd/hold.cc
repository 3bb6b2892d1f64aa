// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/hold.hh"

#include <fmt/format.h>
#include <unistd.h>

#include "lib/buffer.hh"
#include "lib/rig.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t window_size = 1ull << 32; // more than the default one has

Result<> go_own_way(const Rig &rig, const Buffer &memory, bool keep_default)
{
	auto &container = rig.container();
	auto info = container.get_info();
	if (!info)
		return std::unexpected{info.error()};
	// In this order: some firmware gives the first window after the last one's end the default window's name.
	auto start = container.tce_create(page_shift(), window_size, 1);
	if (!start)
		return std::unexpected{start.error()};
	if (!keep_default)
		if (auto gone = container.tce_remove(info->dma32_window_start); !gone)
			return gone;
	if (auto known = container.register_memory(memory.address(), memory.size()); !known)
		return known;
	return container.map(*start, memory.address(), memory.size(), Access::both);
}

} // namespace

bool run_hold(const Hold_options &options)
{
	if (auto loaded = load_only(options.driver, options.source); !loaded)
		return fmt::print("hold: no driver: {}\n", outcome(loaded)), false;
	auto function = Rig::find();
	if (!function)
		return fmt::print("hold: no edu device\n"), false;
	auto rig = Rig::open(*function);
	auto memory = Buffer::anonymous(1u << 20);
	if (!rig || !memory)
		return fmt::print("hold: cannot open the device\n"), false;
	if (auto held = go_own_way(**rig, *memory, options.keep_default); !held)
		return fmt::print("hold: {}\n", outcome(held)), false;
	fmt::print("held by a user\n");
	std::fflush(stdout);
	for (;;)
		::pause();
}

} // namespace harness
