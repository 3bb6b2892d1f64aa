// SPDX-License-Identifier: GPL-2.0-only
#include "floor.hh"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include "floor/tcewin_floor.h"
#include "lib/devtree.hh"
#include "lib/modules.hh"
#include "lib/platform.hh"

namespace bench
{

namespace
{

// 0 on bare metal.
Result<std::uint64_t> liobn_of(const Pci_function &function, const Window &window)
{
	if (!platform().windows_in_tree)
		return 0;
	for (auto &known : tree_windows(function))
		if (known.start == window.start() && known.page_shift == window.page_shift())
			return known.liobn;
	return fail(ENOENT);
}

} // namespace

Result<Floor> Floor::load(std::uint64_t memory)
{
	if (!module_loaded("tcewin_floor"))
		if (auto loaded = insmod("/modules/tcewin_floor.ko", fmt::format("memory={}", memory >> 20)); !loaded)
			return std::unexpected{loaded.error()};
	auto fd = Fd::open("/dev/tcewin_floor", O_RDWR);
	if (!fd)
		return std::unexpected{fd.error()};
	return Floor{std::move(*fd)};
}

Result<Floor_cost> Floor::cost(const Pci_function &function, const Window &window, std::uint64_t tces) const
{
	auto liobn = liobn_of(function, window);
	if (!liobn)
		return std::unexpected{liobn.error()};
	tcewin_floor_run run{};
	run.liobn = *liobn;
	run.start = window.start();
	run.tces = tces;
	run.page_shift = window.page_shift();
	auto put = zero_expected(::ioctl(fd_.get(), TCEWIN_FLOOR_RUN, &run));
	auto map = static_cast<double>(run.nanoseconds);
	run.clear = 1;
	auto cleared = zero_expected(::ioctl(fd_.get(), TCEWIN_FLOOR_RUN, &run));
	if (!put || !cleared)
		return std::unexpected{(put ? cleared : put).error()};
	return Floor_cost{map, static_cast<double>(run.nanoseconds)};
}

Result<Buffer> Floor::contiguous(std::uint64_t size) const
{
	auto buffer = Buffer::reserved(size, 16 << 20);
	if (!buffer)
		return buffer;
	if (auto done = buffer->overlay(0, size, fd_.get()); !done)
		return std::unexpected{done.error()};
	return buffer;
}

} // namespace bench
