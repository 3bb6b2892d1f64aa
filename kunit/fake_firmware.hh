// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor and its firmware: PEs, their windows by RTAS, their tables by hypercall, and what a device reaches
// through them. It checks what no real machine tells (an index past the end, a word that points to memory which is not
// pinned, two RTAS calls mixed) and keeps every store, so that a test can look at each state in between.
#pragma once

#include "fake_memory.hh"
#include "injection.hh"

namespace tcewin::test
{

// How one firmware differs from another; LoPAR allows all of it.
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
	// f(index, word) for every word that is not 0, in no order.
	template <class F>
	void each(F f) const
	{
		blocks_.each([&](u64 block, u64 *words) {
			for (u64 i = 0; i < per_block; i++)
				if (words[i])
					f(block * per_block + i, words[i]);
		});
	}

private:
	static constexpr u64 per_block = 512;
	Hash<u64 *> blocks_;
};

struct FakePe;

struct FakeTable {
	u64 serial; // of this making: no other table has the same
	FakePe *pe;
	u32 liobn;
	u32 page_shift;
	u64 start, entries; // bus address, TCEs
	bool is_default;
	bool left_behind{};   // made before the engine came
	bool not_announced{}; // tcewin_host_window_added() was made to refuse it
	bool not_removed{};   // ibm,remove-pe-dma-window was made to refuse it
	Words *words;
	u64 size() const { return entries << page_shift; }
	bool holds(u64 ioba) const { return ioba >= start && ioba - start < size(); }
};

struct FakePe {
	Personality personality;
	tcewin_pe_info info;
	Vector<FakeTable *> tables;
	Vector<tcewin_window_info> announced; // what tcewin_host_window_added() was told
	Words stores[3];		      // the default window's table, and one for each DDW
	u32 liobn_base;
	bool in_hand_over{};  // inside of tcewin_pe_take()
	bool kernels{};	      // its default window is alive, with the kernel's translations
	u64 override_start{}; // where the next DDW will be, if not 0
	int call{};	      // the RTAS call that was answered busy
	u32 busy_left{};
	bool borrowed() const { return personality.max_windows == 0; }
};

// One store into a table.
struct Write {
	u64 serial, index, before, after;
};

class FakeFirmware
{
public:
	FakeFirmware(Complaints &complaints, Injector &injector, FakeMemory &memory)
		: complaints_{complaints}, injector_{injector}, memory_{memory}
	{
	}
	FakeFirmware(const FakeFirmware &) = delete;
	~FakeFirmware();

	// A PE in the state after take_ownership: no window, but for a borrowed one's.
	FakePe *new_pe(const Personality &personality);
	const Vector<FakePe *> &pes() const { return pes_; }
	// The kernel has it: its default window, full of the kernel's translations, is all there is.
	void give_to_kernel(FakePe *pe);

	// host.h's functions of the same names; @tces are the words themselves, big-endian.
	long put(u32 liobn, u64 ioba, u64 tce);
	long put_indirect(u32 liobn, u64 ioba, const u64 *tces, u64 count);
	long stuff(u32 liobn, u64 ioba, u64 tce, u64 count);
	int query(FakePe *pe, tcewin_ddw_query *query);
	int create(FakePe *pe, u32 page_shift, u32 window_shift, tcewin_ddw_window *window);
	int remove(FakePe *pe, u32 liobn);
	int reset(FakePe *pe);
	int wait(int status);
	int platform_take(FakePe *pe, tcewin_pe_info *info);
	int platform_release(FakePe *pe);
	int window_added(FakePe *pe, const tcewin_window_info *window);
	void window_removed(FakePe *pe, const tcewin_window_info *window);

	// @word is none of the engine's: it was in the table before.
	static bool is_residue(u64 word) { return word & residue_mark; }
	// The real address that @pe's device reaches at @ioba, if it may.
	std::optional<u64> device_access(const FakePe *pe, u64 ioba, bool write) const;
	// Complains about any table that translates to memory which is not pinned.
	void check_reach(const char *rule);
	// All that @pe has is its default window, empty, and the kernel knows of it: as it is while nobody uses a
	// window.
	bool idle(const FakePe *pe) const;
	// The last operation is over: nothing of the kernel's is left in a table.
	void settled();
	// No windows, nothing announced.
	void finish();

	Vector<Write> history;
	u64 tces_written{}; // entries stored, cleared ones included
	u64 waits_owed{};   // busy answers of RTAS that tcewin_host_rtas_wait() has not been asked about
	u64 calls_without_yield{}, most_without_yield{};
	// Calls that were made to fail and that bring an empty default window, or end one: only they may make a
	// difference in whether a PE without windows in use has it.
	u64 default_window_faults{};

private:
	enum : long { h_success = 0, h_parameter = -4 };
	enum : int { rtas_success = 0, rtas_hardware = -1, rtas_busy = -2, rtas_parameter = -3 };
	static constexpr u64 residue_mark = 0x800; // in a word that the engine has not written

	FakeTable *find(u32 liobn) const;
	FakeTable *check_call(u32 liobn, u64 ioba, u64 count);
	long done(Point p, FakeTable *t, u64 ioba, const u64 *tces, bool same, u64 count);
	void store(FakeTable &t, u64 index, u64 word);
	int enter(FakePe *pe, Point p);
	FakeTable *make(FakePe *pe, u32 liobn, Words &store, u32 page_shift, u64 start, u64 entries);
	void destroy(FakePe *pe, u64 at);
	void leave_residue(FakePe &pe);
	FakeTable *of_pe(const FakePe *pe, u32 liobn) const;
	static bool announced(const FakePe *pe, const FakeTable *t);
	static bool may_be_unknown(const FakePe *pe, const FakeTable *t);

	Complaints &complaints_;
	Injector &injector_;
	FakeMemory &memory_;
	Vector<FakePe *> pes_;
	u64 serials_{};
};

} // namespace tcewin::test
