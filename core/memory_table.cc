// SPDX-License-Identifier: GPL-2.0-only
#include "memory_table.hh"

namespace tcewin
{

Result<Owned<MemoryTable>> MemoryTable::create(void *mm, const WindowGeometry &geometry, u32 levels,
					       LevelTree::Root root)
{
	auto tree = TRY(LevelTree::create(mm, geometry, levels, root));
	const LevelTree::Shape shape = tree->shape();
	const tcewin_table_info info{.start = geometry.start.raw(),
				     .size = geometry.size.raw(),
				     .root = tree->root(),
				     .page_shift = geometry.page_shift.raw(),
				     .levels = shape.levels,
				     .level_shift = shape.shift};
	tcewin_host_table *host = tcewin_host_table_new(&info);
	if (!host)
		return fail(TCEWIN_NO_MEMORY);
	auto table = make<MemoryTable>(std::move(tree), host);
	if (!table)
		tcewin_host_table_free(host);
	return table;
}

} // namespace tcewin
