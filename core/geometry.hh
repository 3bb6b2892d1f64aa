// SPDX-License-Identifier: GPL-2.0-only
// Where a window lies and how its addresses become indices. All bounds checks of MAP and UNMAP are here, for the whole
// range.
#pragma once

#include <type_traits>

#include "result.hh"
#include "units.hh"

namespace tcewin
{

// [start, start + size) on the bus, in IOMMU pages of page_shift. Both are multiples of the page; size need not be a
// power of two.
struct WindowGeometry {
	Ioba start;
	Bytes size;
	PageShift page_shift;

	constexpr bool contains(Ioba a) const { return a >= start && a - start < size; }
	constexpr bool overlaps(const WindowGeometry &o) const { return contains(o.start) || o.contains(start); }
	constexpr TceCount entries() const { return page_shift.pages(size); }
	constexpr TceRange all() const { return {TceIndex{0}, entries()}; }
	constexpr Ioba address(TceIndex i) const { return start + page_shift.bytes(TceCount{i.raw()}); }

	// The entries of [first, first + length). @first is inside the window. ZERO_SIZE, UNALIGNED, OVERFLOW,
	// OUT_OF_WINDOW.
	constexpr Result<TceRange> range(Ioba first, Bytes length) const
	{
		if (length == Bytes{0})
			return fail(TCEWIN_ZERO_SIZE);
		if (!page_shift.aligned(first) || !page_shift.aligned(length))
			return fail(TCEWIN_UNALIGNED);
		if (!fits(first, length))
			return fail(TCEWIN_OVERFLOW);
		if (length > size - (first - start))
			return fail(TCEWIN_OUT_OF_WINDOW);
		return TceRange{TceIndex{page_shift.pages(first - start).raw()}, page_shift.pages(length)};
	}
};

// No window is without its page size.
static_assert(!std::is_default_constructible_v<WindowGeometry>);

} // namespace tcewin
