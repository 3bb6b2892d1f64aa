// SPDX-License-Identifier: GPL-2.0-only
// What a container must be like after any sequence of calls, kept as plainly as can be: one entry a TCE, every question
// answered by looking at all of them. The random suite asks it what each call may answer and compares every entry with
// what a device reaches.
#pragma once

#include "rig.hh"

namespace tcewin::test
{

// A set of statuses that a call may answer.
class Answers
{
public:
	Answers() = default;
	Answers &or_(int status)
	{
		bits_ |= u64{1} << status;
		return *this;
	}
	bool empty() const { return !bits_; }
	bool has(int status) const { return bits_ >> status & 1; }

private:
	u64 bits_{};
};

class Model
{
public:
	explicit Model(Rig &rig) : rig_{rig} {}

	static constexpr u64 most_entries = 1024;

	// Why each call must be refused; empty: it must succeed. Each verb is told of its success by the call that ends
	// in _done.
	Answers add(u64 address, u64 size) const;
	Answers drop(u64 address, u64 size) const;
	Answers create(u32 page_shift, u64 size) const;
	Answers remove(u64 start) const;
	Answers map(u64 ioba, u64 address, u64 size, u32 access) const;
	Answers unmap(u64 ioba, u64 size) const;
	void add_done(u64 address, u64 size);
	void drop_done(u64 address, u64 size);
	void create_done(u64 start, u64 size, u32 page_shift, bool is_default);
	void remove_done(u64 start);
	void map_done(u64 ioba, u64 address, u64 size, u32 access);
	void unmap_done(u64 ioba, u64 size);

	// Every entry of every window on every PE is as it should be.
	void compare() const;

	struct Entry {
		u64 address;
		u32 access;
	};
	struct Window {
		bool there;
		bool is_default;
		u64 start, size;
		u32 page_shift;
		Entry entries[most_entries];
		bool holds(u64 ioba) const { return there && ioba >= start && ioba - start < size; }
	};
	struct Region {
		u64 address, size;
	};
	static constexpr unsigned most_windows = TCEWIN_WINDOWS_MAX;
	const Window &window(unsigned i) const { return windows_[i]; }
	const Vector<Region> &regions() const { return regions_; }
	unsigned windows() const;
	// IODA2: where the next window will be.
	u64 free_place() const;

private:
	void compare_windows(unsigned pe) const;
	const Window *at(u64 ioba) const;
	void check_range(Answers &why, const Window &w, u64 ioba, u64 size) const;
	bool registered(u64 address, u64 size) const;
	bool in_one_piece(u64 address, u64 size) const;

	Rig &rig_;
	Window windows_[most_windows]{};
	Vector<Region> regions_;
	bool ever_registered_{};
};

} // namespace tcewin::test
