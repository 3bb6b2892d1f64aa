// SPDX-License-Identifier: GPL-2.0-only
// What devices must reach after each call, whatever was made to fail inside: told of every answer, it knows what each
// entry has become, or that nobody can know. Coarser than the model, which knows what a call may answer: it asks where
// an IOMMU page begins, of reading and writing alike.
#pragma once

#include "rig.hh"

namespace tcewin::test
{

class Shadow
{
public:
	explicit Shadow(Rig &rig) : rig_{rig} {}

	// MAP and UNMAP of [ioba, ioba + size) have succeeded.
	void mapped(u64 ioba, u64 address, u64 size, u64 page);
	void unmapped(u64 ioba, u64 size, u64 page);
	// KVM has put the page at @address into the entry for @ioba of PE number @pe, or cleared that.
	void put(unsigned pe, u64 ioba, u64 address);
	void cleared(unsigned pe, u64 ioba);
	// The entry for @ioba may be what it was or something else.
	void forget(u64 ioba);
	// So may be all of the window that holds @ioba, until it is gone; or until it serves, for then each of its
	// tables is what the answers have said.
	void forget_window(u64 ioba);
	void window_serves(u64 ioba);
	// A table of PE number @pe that starts there, or the window with all of them, is gone.
	void window_gone(u64 start, u64 size);
	void pe_gone(unsigned pe);
	void all_gone();

	// Every entry that was ever spoken of is as it should be on every PE that is attached.
	void compare() const;

private:
	static constexpr u64 unknown = ~u64{0};
	unsigned table_of(unsigned pe) const { return rig_.personality().in_memory() ? 0 : pe; }
	const u64 *wanted(unsigned pe, u64 ioba) const;
	void erase(u64 ioba);

	Rig &rig_;
	Hash<u64> ioctls_;	    // by bus address, the user address behind it
	Hash<u64> kvms_[Rig::most]; // of each table
	Hash<u64> touched_;
	RangeSet doubtful_; // windows
};

} // namespace tcewin::test
