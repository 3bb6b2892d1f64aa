// SPDX-License-Identifier: GPL-2.0-only
// The windows of one PE that firmware has, each with what it is there for. The rest of the kernel is told of each that
// comes and goes. Owned by Pe.
#pragma once

#include <array>
#include <optional>

#include "geometry.hh"

namespace tcewin
{

enum class WindowKind { default_window, ddw };

// A window as firmware made it.
struct PeWindow {
	Liobn liobn;
	WindowGeometry geometry;
	WindowKind kind;
};

tcewin_window_info describe(const PeWindow &window);

class WindowList
{
public:
	// In use by somebody, or the spare one, or nobody's but firmware did not remove it.
	enum class Use { live, spare, orphan };
	struct Entry {
		PeWindow window;
		Use use;
		bool announced;	       // the kernel knows of it
		bool may_hold = false; // nobody emptied it
	};
	using Slot = std::optional<Entry>;

	explicit WindowList(void *host) : host_{host} {}

	// @window is there from now on, and the kernel knows. NO_SLOT, or what the host says.
	Result<> enter(const PeWindow &window, Use use);
	// It is there and nobody's; if the kernel cannot be told, then without.
	void enter_orphan(const PeWindow &window);
	// @slot's window is gone, and the kernel knows no more of it.
	void forget(Slot &slot);

	// The slot of a window, or of the first of a use, or else nullptr.
	Slot *find(Liobn liobn);
	Slot *find(Use use);
	bool empty() const;
	bool overlaps(const WindowGeometry &geometry) const;
	// No other window is there.
	bool alone(Liobn liobn) const;

	Slot *begin() { return slots_.begin(); }
	Slot *end() { return slots_.end(); }

private:
	Slot *free_slot();

	void *host_;
	std::array<Slot, 4> slots_{};
};

} // namespace tcewin
