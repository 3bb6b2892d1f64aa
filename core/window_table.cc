// SPDX-License-Identifier: GPL-2.0-only
#include "window.hh"

namespace tcewin
{

namespace
{

tcewin_table_info describe(const WindowGeometry &geometry)
{
	return {.start = geometry.start.raw(),
		.size = geometry.size.raw(),
		.root = nullptr,
		.page_shift = geometry.page_shift.raw(),
		.levels = 1,
		.level_shift = 0,
		.liobn = 0};
}

// Nobody else knows of it yet.
Result<Owned<WindowTable>> prepared(Result<Owned<WindowTable>> table)
{
	if (table)
		TRY((*table)->cleared.prepare());
	return table;
}

} // namespace

Result<HostTable> HostTable::create(const Window &window, void *mm, const tcewin_table_info &info)
{
	HostTable table{tcewin_host_table_new(mm, window.host_lock(), &info)};
	if (!table.get())
		return fail(TCEWIN_NO_MEMORY);
	return table;
}

Result<Owned<WindowTable>> WindowTable::in_memory(Window &window, void *mm, void *payer, u32 levels,
						  LevelTree::Root first)
{
	const WindowGeometry &geometry = window.geometry();
	auto tree = TRY(LevelTree::create(payer, geometry, levels, first));
	tcewin_table_info info = describe(geometry);
	info.root = tree->root();
	info.levels = tree->shape().levels;
	info.level_shift = tree->shape().shift;
	auto host = TRY(HostTable::create(window, mm, info));
	const InMemory backend{*tree, host.get()};
	return prepared(make<WindowTable>(window, payer, std::move(tree), std::move(host), Table{backend}, Charge{}));
}

Result<Owned<WindowTable>> WindowTable::of_firmware(Window &window, void *mm, void *payer, Liobn liobn,
						    const Table &table, Charge charge)
{
	tcewin_table_info info = describe(window.geometry());
	info.liobn = liobn.raw();
	auto host = TRY(HostTable::create(window, mm, info));
	return prepared(
		make<WindowTable>(window, payer, Owned<LevelTree>{}, std::move(host), table, std::move(charge)));
}

void WindowTable::dirty(Tce word) const
{
	const tcewin_piece page{0, word.real().raw()};
	if (writes(word.access()))
		tcewin_host_dirty(&page, 1, 0, window.geometry().page_shift.size().raw());
}

void WindowTable::dirty_now(Tce word) const
{
	if (writes(word.access()))
		tcewin_host_dirty_now(word.real().raw(), window.geometry().page_shift.size().raw());
}

Result<> WindowTable::clear_beside(TceIndex i)
{
	return backend.visit([&](auto &b) -> Result<> {
		TRY(b.clear_beside(i));
		b.invalidate({i, TceCount{1}});
		return {};
	});
}

void WindowTable::settle_entries(Emptied proof)
{
	const TceRange range = proof.range();
	Pauses pauses;
	for (TceIndex i = foreign.next_any(range); i < range.end();
	     i = foreign.next_any({i + TceCount{1}, range.end() - (i + TceCount{1})})) {
		pauses.step();
		const HostPhys real = foreign.get(i).real();
		dirty(foreign.get(i));
		const bool done = tcewin_host_table_settle(host.get(), i.raw()) == TCEWIN_OK;
		foreign.set(i, done ? Tce{} : Tce{real, Access::none});
	}
}

} // namespace tcewin
