// SPDX-License-Identifier: GPL-2.0-only
// Proofs that devices do not reach anything by some entries any more, invalidation included: without one nothing behind
// them is given back. Window makes them where it has cleared and invalidated just these entries, or where their table
// is gone; who gives back takes the range from the proof, which is spent with that.
#pragma once

#include <utility>

#include "tce.hh"

namespace tcewin
{

template <class Of>
class [[nodiscard]] Proof
{
public:
	Proof(const Proof &) = delete;
	// @spent proves nothing from now on.
	Proof(Proof &&spent) noexcept : range_{std::exchange(spent.range_, {})} {}
	Proof &operator=(Proof &&) = delete;
	// The entries that it is of.
	TceRange range() const { return range_; }

private:
	friend class Window;
	explicit Proof(TceRange range) : range_{range} {}

	TceRange range_;
};

class Window;
struct WindowTable;
// No table of the window translates the entries.
using Settled = Proof<Window>;
// One of them does not.
using Emptied = Proof<WindowTable>;

} // namespace tcewin
