// SPDX-License-Identifier: GPL-2.0-only
// Is the container still of use? Asked after every case, of the driver and of the device.
#include <fmt/format.h>

#include "abi/bench.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

std::string trouble(std::string_view what, const Result<> &result)
{
	return result ? "" : fmt::format("{}: {}", what, result.error().name());
}

} // namespace

std::string Bench::mapping_works(std::uint64_t where_to, std::uint64_t size, std::string_view where)
{
	if (auto done = container().map(where_to, vaddr(works_unit), size, Access::both); !done)
		return trouble(fmt::format("MAP_DMA in {}", where), done);
	bool arrived = reaches(where_to + 5, works_unit);
	if (auto done = container().unmap(where_to, size); !done)
		return trouble(fmt::format("UNMAP_DMA in {}", where), done);
	return arrived ? "" : fmt::format("device does not reach a new mapping in {}", where);
}

Result<> Bench::restore_default()
{
	auto start = container().tce_create(12, info_.dma32_window_size, 1);
	if (!start)
		return std::unexpected{start.error()};
	may_keep_levels();
	return *start == info_.dma32_window_start ? map_pair() : fail(EADDRNOTAVAIL);
}

void Bench::may_keep_levels()
{
	if (platform().tables_in_memory)
		kept_levels_ = 2 * page_size();
}

bool Bench::as_wanted(const Counts &wanted, const Counts &seen) const
{
	return seen.pinned == wanted.pinned && seen.locked >= wanted.locked &&
	       seen.locked <= wanted.locked + kept_levels_;
}

std::string Bench::counted(std::int64_t locked, std::int64_t pinned) const
{
	Counts wanted{.locked = counts->locked + static_cast<std::uint64_t>(locked),
		      .pinned = counts->pinned + static_cast<std::uint64_t>(pinned)};
	auto seen = settled(wanted, std::chrono::seconds{10});
	return as_wanted(wanted, seen)
		       ? ""
		       : fmt::format("{}, not {}", difference(*counts, seen), difference(*counts, wanted));
}

std::string Bench::default_works()
{
	if (!reaches(iova(witness_page) + 9, witness_unit))
		return "device does not reach what was mapped before";
	return mapping_works(iova(free_page + 3), 4096, "the default window");
}

std::string Bench::ddw_works()
{
	if (!ddw) {
		auto window = Window::create(container(), page_shift(), ddw_size);
		if (!window)
			return fmt::format("TCE_CREATE of a DDW: {}", window.error().name());
		ddw.emplace(std::move(*window));
	}
	if (auto wrong = mapping_works(ddw->start() + 3 * ddw->page(), ddw->page(), "a DDW"); !wrong.empty())
		return wrong;
	auto removed = ddw->remove();
	ddw.reset();
	return trouble("TCE_REMOVE of the DDW", removed);
}

std::string Bench::works()
{
	if (stage_ == Stage::container || stage_ == Stage::grouped)
		return "";
	if (stage_ == Stage::v1)
		if (auto ready = make_v1_ready(); !ready)
			return trouble("ENABLE and MAP_DMA", ready);
	if (stage_ == Stage::v1 || stage_ == Stage::v1_ready)
		return default_works();
	if (stage_ == Stage::fresh) {
		if (auto mapped = map_witness(); !mapped)
			return trouble("REGISTER_MEMORY and MAP_DMA", mapped);
	}
	bool had_ddw = ddw.has_value();
	if (had_ddw && !reaches(ddw->start() + 7, ddw_unit))
		return "device does not reach what was mapped before in the DDW";
	if (had_ddw)
		if (auto wrong = ddw_works(); !wrong.empty())
			return wrong;
	if (auto wrong = default_works(); !wrong.empty())
		return wrong;
	return terms_.ddw ? ddw_works() : "";
}

} // namespace harness::abi
