// SPDX-License-Identifier: GPL-2.0-only
// How a PHB walks a table in memory (IODA2 chapter 3; OPAL_PCI_MAP_PE_DMA_WINDOW tells it of one). Written without
// core/, whose tables it reads word by word, and unlike QEMU's it complains of what real hardware cannot forgive.
#pragma once

#include <optional>

#include "complaints.hh"
#include "fake_levels.hh"

namespace tcewin::test
{

// What OPAL is told.
struct PhbTable {
	u64 root;	 // real address
	u32 levels;	 // 1 to 5
	u64 level_bytes; // of each level, the only one included
	u32 page_shift;
};

class FakePhb
{
public:
	FakePhb(Complaints &complaints, const FakeLevels &memory, const PhbTable &table);

	// How many entries the hardware can get at, whatever the window's size is.
	u64 reach() const { return u64{1} << (table_.levels * shift_); }
	// The TCE behind @index, 0 where a level is missing. Complains of an index that the hardware cannot get at and
	// of a link that leads to no level.
	u64 word(u64 index) const;
	// Where an access at @offset bytes behind the window's start ends up.
	std::optional<u64> access(u64 offset, bool write) const;

private:
	std::optional<u64> follow(u64 link) const;

	Complaints &complaints_;
	const FakeLevels &memory_;
	PhbTable table_;
	u32 shift_; // log2 of the words of a level
};

} // namespace tcewin::test
