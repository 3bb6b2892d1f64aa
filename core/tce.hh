// SPDX-License-Identifier: GPL-2.0-only
// One TCE as hardware and hypervisor read it (LoPAR 14.5.4.2, IODA2 chapter 3): real page number and two permission
// bits, big-endian in memory. The same word on both platforms, at every IOMMU page size.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "units.hh"
#include "tcewin/engine.h"

namespace tcewin
{

// What a device may do. "none" is an invalid entry, never a mapping.
enum class Access : u32 { none = 0, read = TCEWIN_READ, write = TCEWIN_WRITE, both = TCEWIN_READ | TCEWIN_WRITE };

constexpr bool writes(Access a) { return (static_cast<u32>(a) & TCEWIN_WRITE) != 0; }

class Tce
{
public:
	constexpr Tce() = default; // invalid: the device reaches nothing
	constexpr Tce(HostPhys real, Access access) : stored_{big(real.raw() | static_cast<u64>(access))} {}

	constexpr u64 word() const { return big(stored_); } // as a register argument of H_PUT_TCE
	constexpr HostPhys real() const { return HostPhys{word() & ~u64{3}}; }
	constexpr Access access() const { return static_cast<Access>(word() & 3); }
	// The same, but whoever may write may read: what IODA2 hardware knows.
	constexpr Tce readable() const
	{
		Tce t = *this;
		t.stored_ |= t.stored_ >> 1 & big(TCEWIN_READ);
		return t;
	}
	friend constexpr bool operator==(Tce, Tce) = default;

private:
	static_assert(TCEWIN_WRITE == TCEWIN_READ << 1); // readable()
	static constexpr u64 big(u64 v)
	{
		if constexpr (std::endian::native == std::endian::big)
			return v;
		else
			return __builtin_bswap64(v);
	}
	u64 stored_{};
};

// Consecutive pages from @real on.
constexpr void fill_sequence(HostPhys real, PageShift page, Access access, std::span<Tce> out)
{
	// Four instructions each; what unrolling would save here, a request of one page would pay.
#pragma clang loop unroll(disable)
	for (Tce &tce : out) {
		tce = Tce{real, access};
		real = real + page.size();
	}
}

static_assert(sizeof(Tce) == 8);
static_assert(Tce{}.word() == 0);
static_assert(Tce{HostPhys{0x1234'5000}, Access::both}.word() == 0x1234'5003);
static_assert(Tce{HostPhys{0x1234'5000}, Access::write}.real() == HostPhys{0x1234'5000});
static_assert(Tce{HostPhys{0x1234'5000}, Access::read}.access() == Access::read);
static_assert(Tce{HostPhys{0x1234'5000}, Access::write}.readable().word() == 0x1234'5003);

} // namespace tcewin
