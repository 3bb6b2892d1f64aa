// SPDX-License-Identifier: GPL-2.0-only
// Memory of this process that a device is to reach: anonymous, shared with other processes (memfd), or of huge pages.
// Touched at once, so that pinning it never has to allocate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "lib/fd.hh"

namespace harness
{

class Buffer
{
public:
	// Starts at a multiple of `alignment` (bytes, a power of two; 0: the kernel's page) and is of base pages only.
	static Result<Buffer> anonymous(std::size_t size, std::size_t alignment = 0);
	// Addresses and no memory, for overlay().
	static Result<Buffer> reserved(std::size_t size, std::size_t alignment = 0);
	// The same `piece` bytes of memory over and over: many addresses, few pages. Of huge pages
	// for a shift that the kernel has, the piece then whole ones.
	static Result<Buffer> echo(std::size_t size, std::size_t piece, unsigned huge_shift = 0);
	// MAP_SHARED of a memfd: lives as long as any process maps it. Huge pages as below, for a shift that is not 0.
	static Result<Buffer> shared(std::size_t size, unsigned huge_shift = 0);
	// MAP_SHARED of an open file.
	static Result<Buffer> of_file(int fd, std::size_t size);
	// Of the kernel's smallest huge pages that are no smaller than this; the size is rounded up to whole ones.
	// ENOMEM: the pool has none left, and gets none. EINVAL: the kernel has none so large.
	static Result<Buffer> huge(std::size_t size, unsigned huge_shift);

	Buffer(Buffer &&other) noexcept : base_{std::exchange(other.base_, nullptr)}, size_{other.size_} {}
	Buffer &operator=(Buffer &&) = delete;
	~Buffer();

	std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(base_); }
	std::size_t size() const { return size_; }
	std::span<std::byte> bytes() const { return {static_cast<std::byte *>(base_), size_}; }
	std::span<std::byte> bytes(std::size_t offset, std::size_t count) const
	{
		return bytes().subspan(offset, count);
	}

	Result<> discard(std::size_t offset, std::size_t count) const; // a hole: nothing is mapped there any more
	Result<> protect(int protection) const;			       // PROT_...
	// The beginning of a file there, in place of what was.
	Result<> overlay(std::size_t offset, std::size_t count, int fd) const;

private:
	Buffer(void *base, std::size_t size) : base_{base}, size_{size} {}
	static Result<Buffer> aligned(std::size_t size, std::size_t alignment, int protection);
	static Result<Buffer> map(std::size_t size, int protection, int flags, int fd);

	void *base_;
	std::size_t size_;
};

// What shared() is made of. Of exactly that size, so for huge pages a multiple of them.
Result<Fd> memory_file(std::size_t size, unsigned huge_shift = 0);
// Of the smallest huge page that is no smaller; EINVAL: the kernel has none.
Result<unsigned> huge_page_shift(unsigned at_least);

std::size_t page_size(); // of the kernel, bytes
unsigned page_shift();

} // namespace harness
