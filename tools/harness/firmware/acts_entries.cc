// SPDX-License-Identifier: GPL-2.0-only
// MAP_DMA and UNMAP_DMA of one page and of 4 MiB, over nothing and over what is mapped, in containers of both kinds.
#include "firmware/act.hh"

namespace harness::firmware
{

namespace
{

using abi::Bench;
using abi::Stage;

constexpr std::uint64_t large = 4 << 20;
constexpr std::size_t old_unit = Bench::free_unit + 1;

std::uint64_t default_start(Scene &s) { return s.b.info().dma32_window_start; }

// ---- one page ----

std::uint64_t page(Scene &s) { return s.b.iova(Bench::free_page); }

Result<> map_page_to(Scene &s, std::size_t unit)
{
	return s.b.container().map(page(s), s.b.vaddr(unit), 4096, Access::both);
}
Result<> map_page(Scene &s) { return map_page_to(s, Bench::free_unit); }
Result<> map_old_page(Scene &s) { return map_page_to(s, old_unit); }
Result<> unmap_page(Scene &s) { return s.b.container().unmap(page(s), 4096); }
std::string page_is_mapped(Scene &s) { return s.first().hits(page(s), s.unit(Bench::free_unit)); }
std::string page_is_not(Scene &s) { return s.first().misses(page(s), s.unit(Bench::free_unit)); }
std::string old_page_is_mapped(Scene &s) { return s.first().hits(page(s), s.unit(old_unit)); }

// ---- 4 MiB, of eight ----

std::uint64_t range(Scene &s) { return default_start(s) + large; }

Result<> take_own(Scene &s)
{
	auto memory = Buffer::anonymous(2 * large, s.b.unit());
	if (!memory)
		return std::unexpected{memory.error()};
	s.b.own.emplace(std::move(*memory));
	s.b.may_keep_levels();
	return {};
}
Result<> register_own(Scene &s)
{
	if (auto done = take_own(s); !done)
		return done;
	return s.b.container().register_memory(s.b.own->address(), s.b.own->size());
}
Result<> unregister_own(Scene &s) { return s.b.container().unregister_memory(s.b.own->address(), s.b.own->size()); }

Result<> map_range_from(Scene &s, std::size_t offset)
{
	return s.b.container().map(range(s), s.b.own->address() + offset, large, Access::both);
}
Result<> map_range(Scene &s) { return map_range_from(s, 0); }
Result<> map_old_range(Scene &s) { return map_range_from(s, large); }
Result<> unmap_range(Scene &s) { return s.b.container().unmap(range(s), large); }

// Its first page and its last.
std::string range_leads_to(Scene &s, std::size_t offset)
{
	auto wrong = s.first().hits(range(s), s.own(offset));
	return wrong.empty() ? s.first().hits(range(s) + large - 4096, s.own(offset + large - 4096)) : wrong;
}
std::string range_is_mapped(Scene &s) { return range_leads_to(s, 0); }
std::string old_range_is_mapped(Scene &s) { return range_leads_to(s, large); }
std::string range_is_not(Scene &s)
{
	auto wrong = s.first().misses(range(s), s.own(0));
	return wrong.empty() ? s.first().misses(range(s) + large - 4096, s.own(large - 4096)) : wrong;
}

Result<> register_and_map(Scene &s)
{
	auto done = register_own(s);
	return done ? map_range(s) : done;
}
Result<> register_and_map_old(Scene &s)
{
	auto done = register_own(s);
	return done ? map_old_range(s) : done;
}
Result<> take_and_map(Scene &s)
{
	auto done = take_own(s);
	return done ? map_range(s) : done;
}
Result<> unmap_and_unregister(Scene &s)
{
	auto done = unmap_range(s);
	return done ? unregister_own(s) : done;
}

const Act acts[] = {
	{.name = "map-page",
	 .call = map_page,
	 .before = page_is_not,
	 .after = page_is_mapped,
	 .undo = unmap_page,
	 .window = default_start},
	{.name = "map-4m",
	 .prepare = register_own,
	 .call = map_range,
	 .before = range_is_not,
	 .after = range_is_mapped,
	 .undo = unmap_range,
	 .finish = unregister_own,
	 .window = default_start},
	{.name = "map-page-over",
	 .prepare = map_old_page,
	 .call = map_page,
	 .before = old_page_is_mapped,
	 .after = page_is_mapped,
	 .undo = map_old_page,
	 .finish = unmap_page,
	 .window = default_start},
	{.name = "map-4m-over",
	 .prepare = register_and_map_old,
	 .call = map_range,
	 .before = old_range_is_mapped,
	 .after = range_is_mapped,
	 .undo = map_old_range,
	 .finish = unmap_and_unregister,
	 .window = default_start},
	{.name = "unmap-page",
	 .prepare = map_page,
	 .call = unmap_page,
	 .before = page_is_mapped,
	 .after = page_is_not,
	 .undo = map_page,
	 .finish = unmap_page,
	 .window = default_start},
	{.name = "unmap-4m",
	 .prepare = register_and_map,
	 .call = unmap_range,
	 .before = range_is_mapped,
	 .after = range_is_not,
	 .undo = map_range,
	 .finish = unmap_and_unregister,
	 .window = default_start},
};

const Act acts_of_v1[] = {
	{.name = "v1-map-page",
	 .stage = Stage::v1_ready,
	 .call = map_page,
	 .before = page_is_not,
	 .after = page_is_mapped,
	 .undo = unmap_page},
	{.name = "v1-map-4m-over",
	 .stage = Stage::v1_ready,
	 .prepare =
		 [](Scene &s) {
			 auto done = take_own(s);
			 return done ? map_old_range(s) : done;
		 },
	 .call = map_range,
	 .before = old_range_is_mapped,
	 .after = range_is_mapped,
	 .undo = map_old_range,
	 .finish = unmap_range},
	{.name = "v1-unmap-4m",
	 .stage = Stage::v1_ready,
	 .prepare = take_and_map,
	 .call = unmap_range,
	 .before = range_is_mapped,
	 .after = range_is_not,
	 .undo = map_range,
	 .finish = unmap_range},
	{.name = "v1-disable",
	 .stage = Stage::v1_ready,
	 .prepare = take_and_map,
	 .call = [](Scene &s) { return s.b.container().disable(); },
	 .before = range_is_mapped,
	 .after = range_is_not,
	 .undo =
		 [](Scene &s) {
			 auto done = s.b.make_v1_ready();
			 return done ? map_range(s) : done;
		 },
	 .finish = unmap_range},
};

} // namespace

std::span<const Act> entry_acts() { return acts; }
std::span<const Act> v1_acts() { return acts_of_v1; }

} // namespace harness::firmware
