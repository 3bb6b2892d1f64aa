// SPDX-License-Identifier: GPL-2.0-only
// Hand-over, and windows that come and go.
#include "firmware/act.hh"
#include "lib/moves.hh"
#include "lib/platform.hh"

namespace harness::firmware
{

namespace
{

using abi::Bench;
using abi::Stage;

Result<> no_value(const Result<std::uint64_t> &result)
{
	return result ? Result<>{} : Result<>{std::unexpected{result.error()}};
}

// ---- a PE comes and goes ----

Result<> open_second(Scene &s)
{
	auto rig = Rig::open(s.b.function());
	if (!rig)
		return std::unexpected{rig.error()};
	s.b.second = std::move(*rig);
	return {};
}

Result<> close_second(Scene &s)
{
	s.forget();
	s.b.second.reset();
	return {};
}

std::uint64_t second_page(Scene &s) { return s.b.second->container().get_info()->dma32_window_start + 8192; }

Result<> open_and_map(Scene &s)
{
	if (auto done = open_second(s); !done)
		return done;
	auto &container = s.b.second->container();
	if (auto done = container.register_memory(s.b.memory().address(), s.b.memory().size()); !done)
		return done;
	s.b.created = second_page(s);
	return container.map(*s.b.created, s.b.vaddr(Bench::witness_unit), 4096, Access::both);
}

// ---- windows ----

std::uint64_t witness(Scene &s) { return s.b.iova(Bench::witness_page); }
std::string witness_is_reached(Scene &s) { return s.first().hits(witness(s), s.unit(Bench::witness_unit)); }
std::string witness_is_gone(Scene &s) { return s.first().misses(witness(s), s.unit(Bench::witness_unit)); }
std::string ddw_is_reached(Scene &s) { return s.first().hits(*s.b.created, s.unit(Bench::ddw_unit)); }
std::string ddw_is_gone(Scene &s) { return s.first().misses(*s.b.created, s.unit(Bench::ddw_unit)); }

Result<> remove_default(Scene &s) { return s.b.container().tce_remove(s.b.info().dma32_window_start); }

Result<> create_default(Scene &s) { return no_value(s.b.container().tce_create(12, s.b.info().dma32_window_size, 1)); }

Result<> restore_default(Scene &s) { return s.b.restore_default(); }

Result<> create_ddw_of(Scene &s, std::uint64_t size)
{
	auto window = Window::create(s.b.container(), page_shift(), size);
	if (!window)
		return std::unexpected{window.error()};
	s.b.ddw.emplace(std::move(*window));
	s.b.created = s.b.ddw->start();
	return {};
}

Result<> create_ddw(Scene &s) { return create_ddw_of(s, Bench::ddw_size); }

// One page of it leads to the unit of that name.
Result<> map_in_ddw(Scene &s)
{
	return s.b.container().map(*s.b.created, s.b.vaddr(Bench::ddw_unit), page_size(), Access::both);
}
Result<> create_and_map(Scene &s)
{
	auto done = create_ddw(s);
	return done ? map_in_ddw(s) : done;
}
Result<> create_only_ddw(Scene &s)
{
	auto done = create_ddw_of(s, s.size_beyond_default());
	return done ? map_in_ddw(s) : done;
}
Result<> note_ddw(Scene &s)
{
	s.b.created = s.b.ddw->start();
	return {};
}

Result<> remove_ddw(Scene &s) { return s.b.ddw->remove(); }

Result<> drop_ddw(Scene &s)
{
	auto done = s.b.ddw->remove();
	s.b.ddw.reset();
	return done;
}

Result<> leave_only_ddw(Scene &s)
{
	if (auto done = s.b.ddw->remove(); !done)
		return done;
	auto done = remove_default(s);
	return done ? create_only_ddw(s) : done;
}

Result<> back_to_default(Scene &s)
{
	s.b.ddw.reset();
	return s.b.restore_default();
}

std::string new_ddw_works(Scene &s)
{
	auto page = *s.b.created + 3 * page_size();
	auto &container = s.b.container();
	if (auto done = container.map(page, s.b.vaddr(Bench::ddw_unit), page_size(), Access::both); !done)
		return "MAP_DMA in it: " + done.error().name();
	auto wrong = s.first().hits(page, s.unit(Bench::ddw_unit));
	auto done = container.unmap(page, page_size());
	return done ? wrong : "UNMAP_DMA in it: " + done.error().name();
}

const Act acts[] = {
	{.name = "take",
	 .stage = Stage::container,
	 .call = open_second,
	 .after = [](Scene &s) -> std::string { return moves_data(*s.b.second) ? "" : "the container is of no use"; },
	 .undo = close_second},
	{.name = "release",
	 .stage = Stage::container,
	 .prepare = open_and_map,
	 .call = close_second,
	 .after = [](Scene &s) { return nobody_reaches(s.b.function(), *s.b.created, s.unit(Bench::witness_unit)); },
	 .undo = open_and_map,
	 .finish = close_second},
	{.name = "create-ddw",
	 .call = create_ddw,
	 .before = [](Scene &s) { return s.first().misses(second_slot, s.unit(Bench::ddw_unit)); },
	 .after = new_ddw_works,
	 .undo = drop_ddw},
	{.name = "create-default",
	 .prepare = remove_default,
	 .call = create_default,
	 .before = witness_is_gone,
	 .after = [](Scene &s) -> std::string {
		 auto mapped = s.b.map_pair();
		 return mapped ? witness_is_reached(s) : "MAP_DMA: " + mapped.error().name();
	 },
	 .undo = remove_default,
	 .finish = restore_default},
	{.name = "remove-default",
	 .call = remove_default,
	 .before = witness_is_reached,
	 .after = witness_is_gone,
	 .undo = restore_default,
	 .window = [](Scene &s) -> std::uint64_t { return s.b.info().dma32_window_start; }},
	{.name = "remove-ddw",
	 .stage = Stage::with_ddw,
	 .prepare = note_ddw,
	 .call = remove_ddw,
	 .before = ddw_is_reached,
	 .after = ddw_is_gone,
	 .undo = create_and_map,
	 .finish = drop_ddw},
	{.name = "remove-last",
	 .stage = Stage::with_ddw,
	 .prepare = leave_only_ddw,
	 .call = remove_ddw,
	 .before = ddw_is_reached,
	 .after = ddw_is_gone,
	 .undo = create_only_ddw,
	 .finish = back_to_default},
};

} // namespace

std::span<const Act> window_acts() { return acts; }

} // namespace harness::firmware
