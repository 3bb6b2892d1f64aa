// SPDX-License-Identifier: GPL-2.0-only
// The engine's quantities as distinct types: an address of one space cannot become one of another, nor a count of TCEs
// a count of bytes, without a line that says so. Used by everything in core/; costs nothing at run time.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace tcewin
{

using u32 = std::uint32_t;
using u64 = std::uint64_t;

// A number with a meaning. Only comparison is common to all of them.
template <class Tag, class Rep = u64>
class Unit
{
public:
	constexpr Unit() = default;
	constexpr explicit Unit(Rep raw) : raw_{raw} {}
	constexpr Rep raw() const { return raw_; }
	friend constexpr auto operator<=>(Unit, Unit) = default;

private:
	Rep raw_{};
};

using Bytes = Unit<struct BytesTag>;	   // a size or distance in any address space
using Liobn = Unit<struct LiobnTag, u32>;  // the hypervisor's name of a table
using TceCount = Unit<struct TceCountTag>; // so many entries of a table
using TceIndex = Unit<struct TceIndexTag>; // an entry's number, 0 at the window's start
using Ioba = Unit<struct IobaTag>;	   // an address on the PCI bus
using HostPhys = Unit<struct HostPhysTag>; // a real address of the host
using UserVa = Unit<struct UserVaTag>;	   // an address of the user's process

constexpr Bytes operator+(Bytes a, Bytes b) { return Bytes{a.raw() + b.raw()}; }
constexpr Bytes operator-(Bytes a, Bytes b) { return Bytes{a.raw() - b.raw()}; }
constexpr TceCount operator+(TceCount a, TceCount b) { return TceCount{a.raw() + b.raw()}; }
constexpr TceCount operator-(TceCount a, TceCount b) { return TceCount{a.raw() - b.raw()}; }
constexpr TceIndex operator+(TceIndex i, TceCount n) { return TceIndex{i.raw() + n.raw()}; }
constexpr TceCount operator-(TceIndex a, TceIndex b) { return TceCount{a.raw() - b.raw()}; }

// The three address spaces: address + size is an address, address - address a size.
template <class T>
concept Address = std::same_as<T, Ioba> || std::same_as<T, HostPhys> || std::same_as<T, UserVa>;

template <Address A>
constexpr A operator+(A a, Bytes n)
{
	return A{a.raw() + n.raw()};
}
template <Address A>
constexpr Bytes operator-(A a, A b)
{
	return Bytes{a.raw() - b.raw()};
}

// log2 of a page size; only 12 to 63 can be one.
class PageShift
{
public:
	static constexpr std::optional<PageShift> from(u32 shift)
	{
		return shift >= 12 && shift < 64 ? std::optional{PageShift{shift}} : std::nullopt;
	}
	constexpr u32 raw() const { return shift_; }
	constexpr Bytes size() const { return Bytes{u64{1} << shift_}; }
	constexpr u64 mask() const { return size().raw() - 1; }
	template <class T>
	constexpr bool aligned(T value) const
	{
		return (value.raw() & mask()) == 0;
	}
	constexpr TceCount pages(Bytes size) const { return TceCount{size.raw() >> shift_}; }
	constexpr Bytes bytes(TceCount n) const { return Bytes{n.raw() << shift_}; }
	friend constexpr auto operator<=>(PageShift, PageShift) = default;

private:
	constexpr explicit PageShift(u32 shift) : shift_{shift} {}
	u32 shift_;
};

inline constexpr PageShift page_4k = *PageShift::from(12);

// [start, start + size) does not wrap; the very last byte of a space is never part of a range.
template <Address A>
constexpr bool fits(A start, Bytes size)
{
	return start.raw() + size.raw() >= start.raw();
}

// Entries [first, first + count) of one table.
struct TceRange {
	TceIndex first;
	TceCount count;
	constexpr TceIndex end() const { return first + count; }
	constexpr bool empty() const { return count.raw() == 0; }
	// What both have in common; empty, at this range's start, where they do not meet.
	constexpr TceRange meet(TceRange o) const
	{
		const TceIndex a = first > o.first ? first : o.first;
		const TceIndex b = end() < o.end() ? end() : o.end();
		return a < b ? TceRange{a, b - a} : TceRange{first, TceCount{0}};
	}
};

} // namespace tcewin
