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
	auto info = rig.container().get_info();
	return info && moves_data(rig, info->dma32_window_start);
}

bool moves_data(const Rig &rig, std::uint64_t start)
{
	auto &container = rig.container();
	const auto unit = std::max(page_size(), std::size_t{1} << 16);
	auto buffer = Buffer::anonymous(2 * unit, unit);
	if (!buffer)
		return false;
	auto region = Region::enroll(container, std::move(*buffer));
	if (!region)
		return false;
	const auto page = page_size();
	auto scratch = Mapping::make(container, start, region->address(), page);
	auto target = Mapping::make(container, start + page, region->address() + unit, page);
	if (!scratch || !target)
		return false;
	Probe probe{rig.edu(), region->buffer().bytes(0, 4096), start, region->buffer().bytes()};
	Pieces pieces{region->buffer().bytes(unit + 100, 1000)};
	return probe.write(start + page + 100, pieces) == Reach::arrived &&
	       probe.read(start + page + 100, pieces) == Reach::arrived;
}

} // namespace harness
