// SPDX-License-Identifier: GPL-2.0-only
// PEs as the fake machines have them, whoever makes their windows: what kind of machine it is, which windows there are,
// and which words a device finds in them.
#pragma once

#include "tcewin/engine.h"
#include "vector.hh"

namespace tcewin::test
{

// How one machine differs from another; LoPAR allows all of it.
struct Personality {
	u64 default_start, default_size;
	u32 max_windows; // default window included; 0: it has that one for good, and there are no DDW calls
	u64 page_sizes;
	u64 largest_block;	     // IOMMU pages
	u64 ddw_start;		     // of the first DDW
	u64 ddw_stride;		     // of the next; 0: at the same address again, over the first one
	bool first_at_default_start; // a DDW takes the default window's address while the PE has no window
	bool keeps_tces;     // a table that is made again shows what it held, the first time what the kernel left
	u32 busy;	     // so often an RTAS call is answered busy before it is done
	bool batches = true; // there are H_PUT_TCE_INDIRECT and H_STUFF_TCE
	tcewin_platform platform = TCEWIN_LPAR;
	bool in_memory() const { return platform == TCEWIN_IODA2; }

	// A DDW is never at the default window's address; residue; busy.
	static constexpr Personality powervm()
	{
		return {0x10000000,   0x10000000,   2,	   0x400311000, u64{1} << 32,
			u64{1} << 58, u64{1} << 54, false, true,	2};
	}
	// An SR-IOV VF: one window, and the default window shares its table with the direct map.
	static constexpr Personality powervm_vf()
	{
		Personality p = powervm();
		p.max_windows = 1;
		return p;
	}
	// One whose window is in 64-bit space.
	static constexpr Personality powervm_vf_above_4g()
	{
		Personality p = powervm_vf();
		p.default_start = u64{1} << 32;
		return p;
	}
	static constexpr Personality qemu()
	{
		return {0, 0x40000000, 2, 0x400211000, u64{1} << 36, u64{1} << 59, 0, true, false, 0};
	}
	// A PE without DDW calls.
	static constexpr Personality without_ddw()
	{
		Personality p = qemu();
		p.max_windows = 0;
		p.page_sizes = 0x1000;
		return p;
	}
	// Bare metal, POWER8 and later: two places, the second at ddw_start, and tables in our memory.
	static constexpr Personality ioda2()
	{
		return {0, 0x80000000, 2, 0x40211000, 0, u64{1} << 59, 0, true, false, 0, false, TCEWIN_IODA2};
	}
	// What a case has that runs on both machines.
	static constexpr Personality of(Machine machine) { return machine == Machine::ioda2 ? ioda2() : qemu(); }
};

// A sparse array of TCEs as a register would hold them.
class Words
{
public:
	Words() = default;
	Words(const Words &) = delete;
	~Words() { clear(); }
	u64 get(u64 index) const;
	void set(u64 index, u64 word);
	void clear();
	bool none_in(u64 index, u64 count) const;
	bool empty() const
	{
		bool any = false;
		each([&](u64, u64) { any = true; });
		return !any;
	}
	// f(index, word) for every word that is not 0, in no order; f may set words that are there.
	template <class F>
	void each(F f) const
	{
		blocks_.each([&](u64 block, u64 *words) { visit(block, words, f); });
	}
	// The same for those of [first, end), and no longer than is needed for that or for all.
	template <class F>
	void each_in(u64 first, u64 end, F f) const
	{
		const auto inside = [&](u64 i, u64 word) {
			if (i >= first && i < end)
				f(i, word);
		};
		if ((end - first) / per_block > blocks_.size())
			return each(inside);
		for (u64 block = first / per_block; block * per_block < end; block++)
			if (u64 **words = blocks_.find(block))
				visit(block, *words, inside);
	}

private:
	static constexpr u64 per_block = 512;
	template <class F>
	static void visit(u64 block, const u64 *words, F &f)
	{
		for (u64 i = 0; i < per_block; i++)
			if (words[i])
				f(block * per_block + i, words[i]);
	}
	Hash<u64 *> blocks_;
};

struct FakePe;

// A window of a PE and what its device finds in it.
struct FakeTable {
	u64 serial; // of this making: no other table has the same
	FakePe *pe;
	u32 liobn;
	u32 page_shift;
	u64 start, entries; // bus address, TCEs
	bool is_default;
	bool left_behind{};		// made before the engine came
	bool not_announced{};		// tcewin_host_window_added() was made to refuse it
	bool not_removed{};		// ibm,remove-pe-dma-window was made to refuse it
	bool unlinked{};		// IODA2: no invalidation of the table reaches this PE any more
	Words *words;			// IODA2: as the PHB has them, not as they are in memory
	tcewin_host_table *in_memory{}; // IODA2
	tcewin_host_table *object{};	// for the rest of the kernel to find
	u64 size() const { return entries << page_shift; }
	bool holds(u64 ioba) const { return ioba >= start && ioba - start < size(); }
};

struct FakePe {
	Personality personality;
	tcewin_pe_info info;
	Vector<FakeTable *> tables;
	Vector<tcewin_window_info> announced; // what tcewin_host_window_added() was told
	Words stores[3];		      // the default window's table and one for each DDW, or one for each place
	u32 liobn_base;
	bool in_hand_over{};  // inside of tcewin_pe_take()
	bool kernels{};	      // its default window is alive, with the kernel's translations
	bool denies{};	      // it answers that a window which is there is not
	bool given_up{};      // the administrator was told that it is stuck
	u64 override_start{}; // where the next DDW will be, if not 0
	u32 override_liobn{}; // the next create makes nothing and answers this name, if not 0
	int call{};	      // the RTAS call that was answered busy
	u32 busy_left{};
	bool borrowed() const { return personality.max_windows == 0; }
};

// One store into a table.
struct Write {
	u64 serial, index, before, after;
};

} // namespace tcewin::test
