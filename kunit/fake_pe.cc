// SPDX-License-Identifier: GPL-2.0-only
#include "fake_pe.hh"

namespace tcewin::test
{

u64 Words::get(u64 index) const
{
	u64 **block = blocks_.find(index / per_block);
	return block ? (*block)[index % per_block] : 0;
}

void Words::set(u64 index, u64 word)
{
	u64 **block = blocks_.find(index / per_block);
	if (!block && !word)
		return;
	if (!block) {
		blocks_.put(index / per_block, static_cast<u64 *>(tcewin_run_alloc(per_block * sizeof(u64))));
		block = blocks_.find(index / per_block);
	}
	(*block)[index % per_block] = word;
}

void Words::clear()
{
	blocks_.each([](u64, u64 *words) { tcewin_run_free(words); });
	blocks_.clear();
}

bool Words::none_in(u64 index, u64 count) const
{
	for (u64 block = index / per_block; block <= (index + count - 1) / per_block; block++)
		if (blocks_.find(block))
			return false;
	return true;
}

} // namespace tcewin::test
