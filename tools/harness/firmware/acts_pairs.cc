// SPDX-License-Identifier: GPL-2.0-only
// Two PEs in one container: one comes and goes, windows are made and removed in both, and entries written in both.
#include "abi/join.hh"
#include "firmware/act.hh"

namespace harness::firmware
{

namespace
{

using abi::Bench;
using abi::Stage;

constexpr std::uint64_t page_count = 8; // of a MAP, more than one hypercall's single entry

Result<> join(Scene &s) { return abi::join<1>(s.b); }

Result<> leave(Scene &s)
{
	s.forget();
	auto done = s.b.neighbour->leave();
	s.b.neighbour.reset();
	return done;
}

std::string both(Scene &s, std::string (Aim::*what)(std::uint64_t, std::span<std::byte>), std::uint64_t ioba,
		 std::size_t unit)
{
	if (auto wrong = (s.first().*what)(ioba, s.unit(unit)); !wrong.empty())
		return "the first PE: " + wrong;
	auto wrong = (s.second().*what)(ioba, s.unit(unit));
	return wrong.empty() ? "" : "the second PE: " + wrong;
}

// ---- the second PE ----

std::string first_has_all(Scene &s)
{
	auto wrong = s.first().hits(s.b.iova(Bench::witness_page), s.unit(Bench::witness_unit));
	return wrong.empty() ? s.first().hits(s.b.ddw->start(), s.unit(Bench::ddw_unit)) : wrong;
}
std::string first_has_ddw(Scene &s) { return s.first().hits(s.b.ddw->start(), s.unit(Bench::ddw_unit)); }
std::string both_have_all(Scene &s)
{
	auto wrong = both(s, &Aim::hits, s.b.iova(Bench::witness_page), Bench::witness_unit);
	return wrong.empty() ? both(s, &Aim::hits, s.b.ddw->start(), Bench::ddw_unit) : wrong;
}
std::string only_first_has_all(Scene &s)
{
	auto wrong = first_has_all(s);
	auto function = other_pe(s.b.function());
	if (!wrong.empty() || !function)
		return wrong;
	wrong = nobody_reaches(*function, s.b.iova(Bench::witness_page), s.unit(Bench::witness_unit));
	return wrong.empty() ? wrong : "the one that left: " + wrong;
}

// ---- a window in both ----

Result<> create_of(Scene &s, std::uint64_t size)
{
	auto window = Window::create(s.b.container(), page_shift(), size);
	if (!window)
		return std::unexpected{window.error()};
	s.b.ddw.emplace(std::move(*window));
	return {};
}
Result<> create(Scene &s) { return create_of(s, Bench::ddw_size); }
Result<> create_alone(Scene &s) { return create_of(s, s.size_beyond_default()); }
Result<> create_and_map(Scene &s)
{
	auto done = create(s);
	return done ? s.b.container().map(s.b.ddw->start(), s.b.vaddr(Bench::ddw_unit), page_size(), Access::both)
		    : done;
}
Result<> remove(Scene &s) { return s.b.ddw->remove(); }
Result<> join_and_create(Scene &s)
{
	auto done = join(s);
	return done ? create_and_map(s) : done;
}
Result<> join_without_default(Scene &s)
{
	auto done = join(s);
	return done ? s.b.container().tce_remove(s.b.info().dma32_window_start) : done;
}
std::string witness_in_both(Scene &s)
{
	return both(s, &Aim::hits, s.b.iova(Bench::witness_page), Bench::witness_unit);
}
std::string ddw_in_both(Scene &s) { return both(s, &Aim::hits, s.b.ddw->start(), Bench::ddw_unit); }
std::string ddw_in_none(Scene &s) { return both(s, &Aim::misses, s.b.ddw->start(), Bench::ddw_unit); }

Result<> forget_and_leave(Scene &s)
{
	s.b.ddw.reset();
	return leave(s);
}

// ---- entries in both ----

std::uint64_t range(Scene &s) { return s.b.iova(Bench::free_page); }
Result<> map(Scene &s)
{
	return s.b.container().map(range(s), s.b.vaddr(Bench::free_unit), page_count * 4096, Access::both);
}
Result<> unmap(Scene &s) { return s.b.container().unmap(range(s), page_count * 4096); }
std::string mapped_in_both(Scene &s) { return both(s, &Aim::hits, range(s), Bench::free_unit); }
std::string mapped_in_none(Scene &s) { return both(s, &Aim::misses, range(s), Bench::free_unit); }

const Act acts[] = {
	{.name = "two-join",
	 .stage = Stage::with_ddw,
	 .call = join,
	 .before = first_has_all,
	 .after = both_have_all,
	 .undo = leave},
	{.name = "two-join-alone",
	 .stage = Stage::with_ddw,
	 .prepare = [](Scene &s) { return s.b.container().tce_remove(s.b.info().dma32_window_start); },
	 .call = join,
	 .before = first_has_ddw,
	 .after = ddw_in_both,
	 .undo = leave,
	 .finish =
		 [](Scene &s) {
			 s.b.ddw.reset();
			 return s.b.restore_default();
		 }},
	{.name = "two-leave",
	 .stage = Stage::with_ddw,
	 .prepare = join,
	 .call = leave,
	 .after = only_first_has_all,
	 .undo = join,
	 .finish = leave},
	{.name = "two-create",
	 .prepare = join,
	 .call = create,
	 .before = witness_in_both,
	 .after = witness_in_both,
	 .undo = remove,
	 .finish = forget_and_leave},
	{.name = "two-create-alone",
	 .prepare = join_without_default,
	 .call = create_alone,
	 .after = [](Scene &) -> std::string { return ""; },
	 .undo = remove,
	 .finish =
		 [](Scene &s) {
			 s.b.ddw.reset();
			 auto done = s.b.restore_default();
			 return done ? leave(s) : done;
		 }},
	{.name = "two-remove",
	 .prepare = join_and_create,
	 .call = remove,
	 .before = ddw_in_both,
	 .after = ddw_in_none,
	 .undo = create_and_map,
	 .finish = forget_and_leave},
	{.name = "two-map",
	 .prepare = join,
	 .call = map,
	 .before = mapped_in_none,
	 .after = mapped_in_both,
	 .undo = unmap,
	 .finish = leave},
	{.name = "two-unmap",
	 .prepare =
		 [](Scene &s) {
			 auto done = join(s);
			 return done ? map(s) : done;
		 },
	 .call = unmap,
	 .before = mapped_in_both,
	 .after = mapped_in_none,
	 .undo = map,
	 .finish =
		 [](Scene &s) {
			 auto done = unmap(s);
			 return done ? leave(s) : done;
		 }},
};

} // namespace

std::span<const Act> pair_acts() { return acts; }

} // namespace harness::firmware
