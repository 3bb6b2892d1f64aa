// SPDX-License-Identifier: GPL-2.0-only
// A table that the hypervisor keeps (pSeries): entries are written by hypercall on its LIOBN, up to 512 in one where
// firmware has H_PUT_TCE_INDIRECT and H_STUFF_TCE, one by one where not. The hypervisor invalidates; nothing is left to
// do for that here.
#pragma once

#include <span>

#include "geometry.hh"
#include "result.hh"
#include "tce.hh"

namespace tcewin
{

class Paravirt
{
public:
	static constexpr u64 batch = 512; // LoPAR 14.5.4.2.4: one 4 KiB page of TCEs
	static constexpr bool remembers = false;

	// What firmware has, from ibm,hypertas-functions.
	struct Calls {
		bool put_indirect;
		bool stuff;
	};

	Paravirt(Liobn liobn, const WindowGeometry &geometry, Calls calls)
		: liobn_{liobn}, geometry_{geometry}, calls_{calls}
	{
	}

	Result<> reserve(TceRange) { return {}; }
	void show(TceRange) {}
	void take_back(TceRange) {}
	// @words begin on a 4096-byte boundary. NO_MEMORY, FIRMWARE_ERROR.
	Result<> put(TceIndex first, std::span<const Tce> words);
	Result<> clear(TceIndex first, TceCount count);
	[[gnu::always_inline]] Result<> set(TceIndex i, Tce word)
	{
		const long status = tcewin_host_put_tce(liobn_.raw(), ioba(i), word.word());
		return status == 0 ? Result<>{} : set_later(i, word, status);
	}
	void invalidate(TceRange) {}
	Result<> reserve_now(TceIndex) { return {}; }
	// FIRMWARE_ERROR, also where the hypervisor stays busy.
	[[gnu::always_inline]] Result<> set_now(TceIndex i, Tce word)
	{
		const long status = tcewin_host_put_tce(liobn_.raw(), ioba(i), word.word());
		return status == 0 ? Result<>{} : set_while_busy(i, word, status);
	}
	Result<> clear_beside(TceIndex i) { return set_now(i, Tce{}); }

private:
	[[gnu::noinline]] Result<> set_while_busy(TceIndex i, Tce word, long status);
	Result<> set_later(TceIndex i, Tce word, long status);
	u64 ioba(TceIndex i) const { return geometry_.address(i).raw(); }
	Result<> put_each(TceIndex first, std::span<const Tce> words);
	Result<> clear_each(TceIndex first, TceCount count);

	Liobn liobn_;
	WindowGeometry geometry_;
	Calls calls_;
};

} // namespace tcewin
