// SPDX-License-Identifier: GPL-2.0-only
// PEs and what a device reaches through their windows; the hypervisor and its firmware, which make windows by RTAS and
// write their tables by hypercall (tables in memory are FakeIoda's). It checks what no real machine tells (an index
// past the end, a word that points to memory which is not pinned, two RTAS calls mixed) and keeps every store, so that
// a test can look at each state in between.
#pragma once

#include "fake_memory.hh"
#include "fake_pe.hh"
#include "injection.hh"

namespace tcewin::test
{

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
	// An LPAR's set_window and unset_window: nothing that a device sees.
	int set_object(FakePe *pe, u32 liobn, tcewin_host_table *table);
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

	// For what makes windows: a table of @pe with its words in @store, the end of one, a word that a device sees
	// from now on, and what can be said of one that it may see.
	FakeTable *make(FakePe *pe, u32 liobn, Words &store, u32 page_shift, u64 start, u64 entries);
	void destroy(FakePe *pe, u64 at);
	void store(FakeTable &t, u64 index, u64 word);
	void check_word(const FakeTable &t, u64 index, u64 word);

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
	int enter(FakePe *pe, Point p);
	void leave_residue(FakePe &pe);
	FakeTable *of_pe(const FakePe *pe, u32 liobn) const;
	bool may_be_added(const FakePe *pe, const tcewin_window_info &window) const;
	static bool announced(const FakePe *pe, const FakeTable *t);
	bool may_be_unknown(const FakePe *pe, const FakeTable *t) const;

	Complaints &complaints_;
	Injector &injector_;
	FakeMemory &memory_;
	Vector<FakePe *> pes_;
	u64 serials_{};
};

} // namespace tcewin::test
