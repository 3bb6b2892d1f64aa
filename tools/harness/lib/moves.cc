// SPDX-License-Identifier: GPL-2.0-only
#include "lib/moves.hh"

#include <algorithm>

#include "lib/probe.hh"
#include "lib/region.hh"
#include "lib/window.hh"

namespace harness
{

bool moves_data(const Rig &rig)
{
	auto &container = rig.container();
	auto info = container.get_info();
	auto buffer = Buffer::anonymous(2 * std::max(page_size(), std::size_t{1} << 16));
	if (!info || !buffer)
		return false;
	auto region = Region::enroll(container, std::move(*buffer));
	if (!region)
		return false;
	auto start = info->dma32_window_start;
	auto scratch = Mapping::make(container, start, region->address(), 4096);
	auto target = Mapping::make(container, start + 4096, region->address() + region->size() / 2, 4096);
	if (!scratch || !target)
		return false;
	Probe probe{rig.edu(), region->buffer().bytes(0, 4096), start, region->buffer().bytes()};
	Pieces pieces{region->buffer().bytes(region->size() / 2 + 100, 1000)};
	return probe.write(start + 4096 + 100, pieces) == Reach::arrived &&
	       probe.read(start + 4096 + 100, pieces) == Reach::arrived;
}

} // namespace harness
