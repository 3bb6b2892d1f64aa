// SPDX-License-Identifier: GPL-2.0-only
// The engine's ownership of memory: single owners made by make<T>(), and a vector whose growth can fail and whose push
// cannot. No operator new or delete: everything comes from tcewin_host_alloc() and a failure is a Result.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "result.hh"

namespace tcewin
{

struct HostDelete {
	template <class T>
	void operator()(T *p) const
	{
		p->~T();
		tcewin_host_free(p);
	}
};

template <class T>
using Owned = std::unique_ptr<T, HostDelete>;

// A new T in @memory of the host, or NO_MEMORY where that is nullptr.
template <class T, class... A>
Result<Owned<T>> make_in(void *memory, A &&...args)
{
	static_assert(alignof(T) <= 16, "what tcewin_host_alloc() promises");
	if (!memory)
		return fail(TCEWIN_NO_MEMORY);
	return Owned<T>{::new (memory) T(std::forward<A>(args)...)};
}

// A new T, or NO_MEMORY.
template <class T, class... A>
Result<Owned<T>> make(A &&...args)
{
	return make_in<T>(tcewin_host_alloc(sizeof(T)), std::forward<A>(args)...);
}

// The same where nobody may sleep.
template <class T, class... A>
Result<Owned<T>> make_now(A &&...args)
{
	return make_in<T>(tcewin_host_alloc_now(sizeof(T)), std::forward<A>(args)...);
}

// Bookkeeping that the user pays for out of his locked memory, as long as it exists.
class Charge
{
public:
	Charge() = default; // nothing: the kernel's own need
	// NO_MEMORY over the limit. @mm is the cookie of the host, nullptr if it has been paid for otherwise.
	static Result<Charge> take(void *mm, std::size_t bytes)
	{
		if (!mm)
			return Charge{};
		return from_status(tcewin_host_charge(mm, bytes)).transform([&] { return Charge{mm, bytes}; });
	}
	// Beyond the limit, for who gives back more by it.
	static Charge take_anyway(void *mm, std::size_t bytes)
	{
		if (!mm)
			return Charge{};
		tcewin_host_charge_anyway(mm, bytes);
		return Charge{mm, bytes};
	}
	// Nothing of @mm yet.
	static Charge none(void *mm) { return Charge{mm, 0}; }
	// For one object of the heap, which takes the power of two behind its size.
	template <class T>
	static Result<Charge> for_one(void *mm)
	{
		return take(mm, std::bit_ceil(sizeof(T)));
	}
	bool paid() const { return bytes_ != 0; }
	Charge(Charge &&o) noexcept : mm_{o.mm_}, bytes_{std::exchange(o.bytes_, 0)} {}
	Charge &operator=(Charge &&) = delete;
	// For @bytes more, NO_MEMORY over the limit; for @bytes less, which sleeps.
	Result<> grow(std::size_t bytes)
	{
		if (!mm_)
			return {};
		return from_status(tcewin_host_charge(mm_, bytes)).transform([&] { bytes_ += bytes; });
	}
	// The same where nobody may sleep: NO_MEMORY also where somebody else is about the user's account.
	Result<> grow_now(std::size_t bytes)
	{
		if (!mm_)
			return {};
		return from_status(tcewin_host_charge_now(mm_, bytes)).transform([&] { bytes_ += bytes; });
	}
	void shrink(std::size_t bytes)
	{
		if (!mm_)
			return;
		tcewin_host_uncharge(mm_, bytes);
		bytes_ -= bytes;
	}
	~Charge() { end(); }
	void end()
	{
		if (const std::size_t bytes = std::exchange(bytes_, 0))
			tcewin_host_uncharge(mm_, bytes);
	}

private:
	Charge(void *mm, std::size_t bytes) : mm_{mm}, bytes_{bytes} {}
	void *mm_{};
	std::size_t bytes_{};
};

// Reserve first, then push: a transaction gets its memory before it changes anything.
template <class T>
class Vec
{
	static_assert(std::is_nothrow_move_constructible_v<T>);

public:
	Vec() = default;
	Vec(const Vec &) = delete;
	Vec &operator=(Vec &&) = delete;
	~Vec() { free(); }

	// Room for @count elements altogether. NO_MEMORY.
	Result<> reserve(std::size_t count)
	{
		if (count <= capacity_)
			return {};
		if (count > SIZE_MAX / sizeof(T))
			return fail(TCEWIN_NO_MEMORY);
		auto *bigger = static_cast<T *>(tcewin_host_alloc(count * sizeof(T)));
		if (!bigger)
			return fail(TCEWIN_NO_MEMORY);
		for (std::size_t i = 0; i < size_; i++) {
			::new (&bigger[i]) T(std::move(data_[i]));
			data_[i].~T();
		}
		tcewin_host_free(data_);
		data_ = bigger;
		capacity_ = count;
		return {};
	}
	// Room for @count more, and with them for as many again as there are, so that a long series of pushes copies
	// little. NO_MEMORY.
	Result<> reserve_more(std::size_t count)
	{
		if (count <= capacity_ - size_)
			return {};
		return reserve(std::max(2 * capacity_, size_ + std::max<std::size_t>(count, 4)));
	}
	// What was reserved in vain is given back, if there is memory to do so.
	void trim()
	{
		if (size_ == capacity_ || capacity_ * sizeof(T) <= small)
			return;
		Vec exact;
		if (!exact.reserve(size_))
			return;
		for (T &element : *this)
			exact.push(std::move(element));
		std::swap(data_, exact.data_);
		std::swap(size_, exact.size_);
		std::swap(capacity_, exact.capacity_);
	}
	// The caller has reserved.
	void push(T value) { ::new (&data_[size_++]) T(std::move(value)); }
	void pop() { data_[--size_].~T(); }
	// No elements, and no room for any.
	void free()
	{
		while (size_)
			pop();
		tcewin_host_free(std::exchange(data_, nullptr));
		capacity_ = 0;
	}
	// Order is not kept.
	void remove(std::size_t at)
	{
		if (at != size_ - 1) {
			data_[at].~T();
			::new (&data_[at]) T(std::move(data_[size_ - 1]));
		}
		pop();
	}

	std::size_t size() const { return size_; }
	bool empty() const { return size_ == 0; }
	// Past the end is a bug, and ends the task (span's own check).
	T &operator[](std::size_t i) { return std::span{data_, size_}[i]; }
	const T &operator[](std::size_t i) const { return std::span{data_, size_}[i]; }
	T *begin() { return data_; }
	T *end() { return data_ + size_; }
	const T *begin() const { return data_; }
	const T *end() const { return data_ + size_; }

private:
	static constexpr std::size_t small = 64; // bytes that are not worth a second allocation

	T *data_{};
	std::size_t size_{};
	std::size_t capacity_{};
};

} // namespace tcewin
