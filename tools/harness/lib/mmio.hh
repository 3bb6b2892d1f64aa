// SPDX-License-Identifier: GPL-2.0-only
// A memory-mapped BAR. Comes from a VFIO device, or from sysfs when no container is to be involved.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "lib/result.hh"

namespace harness
{

class Mmio
{
public:
	static Result<Mmio> map(int fd, std::size_t size, std::uint64_t offset)
	{
		void *base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
		if (base == MAP_FAILED)
			return fail_errno();
		return Mmio{base, size};
	}

	Mmio(Mmio &&other) noexcept : base_{std::exchange(other.base_, nullptr)}, size_{other.size_} {}
	Mmio &operator=(Mmio &&) = delete;
	~Mmio()
	{
		if (base_)
			::munmap(base_, size_);
	}

	std::size_t size() const { return size_; }

	template <typename Word>
	Word read(std::size_t offset) const
	{
		return *at<Word>(offset);
	}

	template <typename Word>
	void write(std::size_t offset, Word value) const
	{
		__atomic_thread_fence(__ATOMIC_SEQ_CST); // memory the device will fetch is written before the doorbell
		*at<Word>(offset) = value;
	}

private:
	Mmio(void *base, std::size_t size) : base_{base}, size_{size} {}

	template <typename Word>
	volatile Word *at(std::size_t offset) const
	{
		return reinterpret_cast<volatile Word *>(static_cast<std::byte *>(base_) + offset);
	}

	void *base_;
	std::size_t size_;
};

} // namespace harness
