// SPDX-License-Identifier: GPL-2.0-only
#include "fake_phb.hh"

#include <bit>

namespace tcewin::test
{

namespace
{

constexpr u64 may_read = 1, may_write = 2, link_bits = 0xfff;

} // namespace

FakePhb::FakePhb(Complaints &complaints, const FakeLevels &memory, const PhbTable &table)
	: complaints_{complaints}, memory_{memory}, table_{table},
	  shift_{static_cast<u32>(std::countr_zero(table.level_bytes)) - 3}
{
	if (table.levels < 1 || table.levels > 5)
		complaints.add("OPAL: levels", table.levels);
	if (!std::has_single_bit(table.level_bytes) || table.level_bytes < 4096)
		complaints.add("OPAL: table size", table.level_bytes);
	else if (table.root % table.level_bytes)
		complaints.add("OPAL: the root is not aligned", table.root, table.level_bytes);
	if (shift_ * table.levels + table.page_shift >= 55)
		complaints.add("OPAL: more address bits than a PHB walks", shift_ * table.levels, table.page_shift);
}

// The engine may write the word at this moment.
u64 FakePhb::load(const void *level, u64 i)
{
	const u64 stored = __atomic_load_n(static_cast<const u64 *>(level) + i, __ATOMIC_RELAXED);
	return std::endian::native == std::endian::big ? stored : std::byteswap(stored);
}

// @index: for whose sake it is read.
const void *FakePhb::level(u64 real, u64 index) const
{
	const void *level = memory_.live(real, table_.level_bytes);
	if (!level)
		complaints_.add("the PHB reads what is no level, or too small a one", real, index);
	return level;
}

// Where the level is that @link names. A link without permissions ends the walk; with one of the two, the PHB would end
// it for the other direction only.
std::optional<u64> FakePhb::follow(u64 link) const
{
	if (!(link & link_bits))
		return std::nullopt;
	if ((link & link_bits) != (may_read | may_write)) {
		complaints_.add("a link without both permissions, or with bits that have no meaning", link);
		return std::nullopt;
	}
	return link & ~link_bits;
}

u64 FakePhb::word(u64 index) const
{
	if (index >= reach()) {
		complaints_.add("an index beyond what the table's levels can reach", index, reach());
		return 0;
	}
	u64 base = table_.root;
	for (u32 above = table_.levels - 1;; above--) {
		const void *words = level(base, index);
		if (!words)
			return 0;
		const u64 word = load(words, index >> (above * shift_) & ((u64{1} << shift_) - 1));
		if (!above)
			return word;
		const auto below = follow(word);
		if (!below)
			return 0;
		base = *below;
	}
}

std::optional<u64> FakePhb::access(u64 offset, bool write) const
{
	const u64 tce = word(offset >> table_.page_shift);
	if (!(tce & (write ? may_write : may_read)))
		return std::nullopt;
	const u64 in_page = (u64{1} << table_.page_shift) - 1;
	return (tce & ~in_page) | (offset & in_page);
}

} // namespace tcewin::test
