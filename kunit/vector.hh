// SPDX-License-Identifier: GPL-2.0-only
// Boxes and containers of plain values for the fake host and the suites: they take memory from the runner, which always
// has some, and nothing from the engine's own tcewin_host_alloc(), whose failures are what is tested.
#pragma once

#include <type_traits>

#include "suite.hh"

namespace tcewin::test
{

// One zeroed T that would be too large for a kernel's stack.
template <class T>
class Box
{
	static_assert(std::is_trivially_destructible_v<T>);

public:
	Box() : value_{static_cast<T *>(tcewin_run_alloc(sizeof(T)))} {}
	Box(const Box &) = delete;
	~Box() { tcewin_run_free(value_); }
	T &operator*() const { return *value_; }
	T *operator->() const { return value_; }

private:
	T *value_;
};

template <class T>
class Vector
{
	static_assert(std::is_trivially_copyable_v<T>);

public:
	Vector() = default;
	Vector(const Vector &) = delete;
	~Vector() { tcewin_run_free(data_); }

	void push(const T &value) { insert(size_, value); }
	void insert(u64 at, const T &value)
	{
		const T copy = value;
		if (size_ == capacity_)
			grow();
		for (u64 i = size_++; i > at; i--)
			data_[i] = data_[i - 1];
		data_[at] = copy;
	}
	void erase(u64 at, u64 count = 1)
	{
		for (u64 i = at; i + count < size_; i++)
			data_[i] = data_[i + count];
		size_ -= count;
	}
	void clear() { size_ = 0; }

	u64 size() const { return size_; }
	bool empty() const { return !size_; }
	T &operator[](u64 i) { return data_[i]; }
	const T &operator[](u64 i) const { return data_[i]; }
	T &back() { return data_[size_ - 1]; }
	T *begin() { return data_; }
	T *end() { return data_ + size_; }
	const T *begin() const { return data_; }
	const T *end() const { return data_ + size_; }

	// The first element that is not before(element): the vector is sorted by it.
	template <class Before>
	u64 partition(Before before) const
	{
		u64 low = 0, high = size_;
		while (low < high) {
			const u64 middle = low + (high - low) / 2;
			if (before(data_[middle]))
				low = middle + 1;
			else
				high = middle;
		}
		return low;
	}
	// Ascending by @key: a heap sort, no recursion.
	template <class Key>
	void sort(Key key)
	{
		for (u64 i = size_ / 2; i-- > 0;)
			sift(i, size_, key);
		for (u64 n = size_; n > 1;) {
			const T top = data_[0];
			data_[0] = data_[--n];
			data_[n] = top;
			sift(0, n, key);
		}
	}

private:
	template <class Key>
	void sift(u64 i, u64 n, Key key)
	{
		for (u64 child; (child = 2 * i + 1) < n; i = child) {
			if (child + 1 < n && key(data_[child]) < key(data_[child + 1]))
				child++;
			if (!(key(data_[i]) < key(data_[child])))
				return;
			const T moved = data_[i];
			data_[i] = data_[child];
			data_[child] = moved;
		}
	}
	void grow()
	{
		capacity_ = capacity_ ? 2 * capacity_ : 8;
		auto *bigger = static_cast<T *>(tcewin_run_alloc(capacity_ * sizeof(T)));
		for (u64 i = 0; i < size_; i++)
			bigger[i] = data_[i];
		tcewin_run_free(data_);
		data_ = bigger;
	}

	T *data_{};
	u64 size_{};
	u64 capacity_{};
};

// Numbers to values, open addressing; key ~0 is not for use.
template <class V>
class Hash
{
public:
	Hash() { clear(); }
	Hash(const Hash &) = delete;
	~Hash() { tcewin_run_free(slots_); }

	u64 size() const { return used_; }
	V *find(u64 key) const
	{
		for (u64 i = home(key); slots_[i].key != free; i = (i + 1) & mask_)
			if (slots_[i].key == key)
				return &slots_[i].value;
		return nullptr;
	}
	void put(u64 key, V value)
	{
		if (V *there = find(key)) {
			*there = value;
			return;
		}
		if (2 * ++used_ > mask_)
			resize(2 * (mask_ + 1));
		place(key, value);
	}
	void erase(u64 key)
	{
		u64 i = home(key);
		while (slots_[i].key != key)
			if (slots_[i].key == free)
				return;
			else
				i = (i + 1) & mask_;
		// What follows in the same cluster may now be unreachable from its home: place it again.
		slots_[i].key = free;
		used_--;
		for (i = (i + 1) & mask_; slots_[i].key != free; i = (i + 1) & mask_) {
			const Slot moved = slots_[i];
			slots_[i].key = free;
			place(moved.key, moved.value);
		}
	}
	void clear()
	{
		tcewin_run_free(slots_);
		used_ = 0;
		allocate(16);
	}
	template <class F>
	void each(F f) const
	{
		for (u64 i = 0; i <= mask_; i++)
			if (slots_[i].key != free)
				f(slots_[i].key, slots_[i].value);
	}

private:
	static constexpr u64 free = ~u64{0};
	struct Slot {
		u64 key;
		V value;
	};
	u64 home(u64 key) const { return (key * 0x9e3779b97f4a7c15) >> 20 & mask_; }
	void place(u64 key, V value)
	{
		u64 i = home(key);
		while (slots_[i].key != free)
			i = (i + 1) & mask_;
		slots_[i] = {key, value};
	}
	void allocate(u64 slots)
	{
		slots_ = static_cast<Slot *>(tcewin_run_alloc(slots * sizeof(Slot)));
		mask_ = slots - 1;
		for (u64 i = 0; i < slots; i++)
			slots_[i].key = free;
	}
	void resize(u64 slots)
	{
		Slot *old = slots_;
		const u64 n = mask_ + 1;
		allocate(slots);
		for (u64 i = 0; i < n; i++)
			if (old[i].key != free)
				place(old[i].key, old[i].value);
		tcewin_run_free(old);
	}

	Slot *slots_{};
	u64 mask_{};
	u64 used_{};
};

// A set of numbers as disjoint ranges [start, end) in order.
class RangeSet
{
public:
	void add(u64 start, u64 end)
	{
		if (contains(start, end))
			return;
		const u64 first = ranges_.partition([=](const Range &r) { return r.end < start; });
		u64 last = first;
		for (; last < ranges_.size() && ranges_[last].start <= end; last++) {
			start = start < ranges_[last].start ? start : ranges_[last].start;
			end = end > ranges_[last].end ? end : ranges_[last].end;
		}
		ranges_.erase(first, last - first);
		ranges_.insert(first, {start, end});
	}
	void remove(u64 start, u64 end)
	{
		for (u64 i = ranges_.partition([=](const Range &r) { return r.end <= start; });
		     i < ranges_.size() && ranges_[i].start < end;) {
			const Range r = ranges_[i];
			ranges_.erase(i);
			if (r.start < start)
				ranges_.insert(i++, {r.start, start});
			if (r.end > end)
				ranges_.insert(i++, {end, r.end});
		}
	}
	bool contains(u64 start, u64 end) const
	{
		const u64 i = ranges_.partition([=](const Range &r) { return r.end <= start; });
		return i < ranges_.size() && ranges_[i].start <= start && ranges_[i].end >= end;
	}
	bool contains(u64 at) const { return contains(at, at + 1); }
	// Every number of [start, end) that is here is in @o too.
	bool within(u64 start, u64 end, const RangeSet &o) const
	{
		for (const Range &r : ranges_) {
			const u64 a = r.start > start ? r.start : start, b = r.end < end ? r.end : end;
			if (a < b && !o.contains(a, b))
				return false;
		}
		return true;
	}
	u64 total() const
	{
		u64 n = 0;
		for (const Range &r : ranges_)
			n += r.end - r.start;
		return n;
	}

private:
	struct Range {
		u64 start, end;
	};
	Vector<Range> ranges_;
};

} // namespace tcewin::test
