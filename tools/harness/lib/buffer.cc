// SPDX-License-Identifier: GPL-2.0-only
#include "lib/buffer.hh"

#include <linux/mman.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "lib/sysfs.hh"

namespace harness
{

namespace
{

std::string pool_of(unsigned shift)
{
	return "/sys/kernel/mm/hugepages/hugepages-" + std::to_string((1ull << shift) >> 10) + "kB/";
}

std::size_t whole_pages(std::size_t size, unsigned shift)
{
	auto page = std::size_t{1} << shift;
	return (size + page - 1) & ~(page - 1);
}

// As many huge pages of this size as a buffer needs, beside those that are in use.
Result<> grow_pool(unsigned shift, std::size_t size)
{
	auto pool = pool_of(shift);
	auto count = [&pool](const char *file) { return parse_number(read_line(pool + file).value_or("")); };
	auto total = count("nr_hugepages"), free = count("free_hugepages");
	if (!total || !free)
		return fail(EINVAL);
	if (auto missing = size >> shift; missing > *free)
		return write_file(pool + "nr_hugepages", std::to_string(*total + missing - *free));
	return {};
}

} // namespace

Result<Buffer> Buffer::map(std::size_t size, int protection, int flags, int fd)
{
	void *base = ::mmap(nullptr, size, protection, flags, fd, 0);
	if (base == MAP_FAILED)
		return fail_errno();
	return Buffer{base, size};
}

Result<Buffer> Buffer::aligned(std::size_t size, std::size_t alignment, int protection)
{
	// More address space than asked for, then the ends that do not fit are given back.
	auto slack = alignment > page_size() ? alignment : 0;
	auto whole = map(size + slack, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (!whole)
		return whole;
	auto head = slack ? -whole->address() & (slack - 1) : 0;
	auto base = static_cast<std::byte *>(whole->base_);
	if (head)
		::munmap(base, head);
	if (slack - head)
		::munmap(base + head + size, slack - head);
	whole->base_ = nullptr;
	return Buffer{base + head, size};
}

Result<Buffer> Buffer::anonymous(std::size_t size, std::size_t alignment)
{
	auto buffer = aligned(size, alignment, PROT_READ | PROT_WRITE);
	if (!buffer)
		return buffer;
	(void)::madvise(buffer->base_, size, MADV_NOHUGEPAGE);
	for (auto &byte : buffer->bytes())
		byte = std::byte{0};
	return buffer;
}

Result<Buffer> Buffer::reserved(std::size_t size, std::size_t alignment) { return aligned(size, alignment, PROT_NONE); }

Result<Buffer> Buffer::echo(std::size_t size, std::size_t piece, unsigned huge_shift)
{
	auto file = memory_file(piece, huge_shift);
	if (!file)
		return std::unexpected{file.error()};
	auto buffer = reserved(size, piece);
	for (std::size_t at = 0; buffer && at < size; at += piece)
		if (auto done = buffer->overlay(at, std::min(piece, size - at), file->get()); !done)
			return std::unexpected{done.error()};
	return buffer;
}

Result<Fd> memory_file(std::size_t size, unsigned huge_shift)
{
	unsigned flags = MFD_CLOEXEC;
	if (huge_shift) {
		if (auto grown = grow_pool(huge_shift, size); !grown)
			return std::unexpected{grown.error()};
		flags |= MFD_HUGETLB | huge_shift << MAP_HUGE_SHIFT;
	}
	Fd file{::memfd_create("tcewin-harness", flags)};
	if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
		return fail_errno();
	return file;
}

Result<Buffer> Buffer::shared(std::size_t size, unsigned huge_shift)
{
	if (huge_shift) {
		auto shift = huge_page_shift(huge_shift);
		if (!shift)
			return std::unexpected{shift.error()};
		huge_shift = *shift;
		size = whole_pages(size, huge_shift);
	}
	auto file = memory_file(size, huge_shift);
	if (!file)
		return std::unexpected{file.error()};
	return of_file(file->get(), size);
}

Result<Buffer> Buffer::of_file(int fd, std::size_t size)
{
	return map(size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd);
}

Result<Buffer> Buffer::huge(std::size_t size, unsigned huge_shift)
{
	auto shift = huge_page_shift(huge_shift);
	if (!shift)
		return std::unexpected{shift.error()};
	size = whole_pages(size, *shift);
	if (auto grown = grow_pool(*shift, size); !grown)
		return std::unexpected{grown.error()};
	int huge = MAP_HUGETLB | static_cast<int>(*shift << MAP_HUGE_SHIFT);
	return map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | huge, -1);
}

Result<unsigned> huge_page_shift(unsigned at_least)
{
	for (auto shift = at_least; shift < 40; ++shift)
		if (exists(pool_of(shift)))
			return shift;
	return fail(EINVAL);
}

Buffer::~Buffer()
{
	if (base_)
		::munmap(base_, size_);
}

Result<> Buffer::discard(std::size_t offset, std::size_t count) const
{
	return zero_expected(::munmap(bytes().data() + offset, count));
}

Result<> Buffer::overlay(std::size_t offset, std::size_t count, int fd) const
{
	auto there = bytes().data() + offset;
	auto flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
	return ::mmap(there, count, PROT_READ | PROT_WRITE, flags, fd, 0) == there ? Result<>{} : fail_errno();
}

Result<> Buffer::protect(int protection) const { return zero_expected(::mprotect(base_, size_, protection)); }

std::size_t page_size()
{
	static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
	return size;
}

unsigned page_shift() { return static_cast<unsigned>(std::countr_zero(page_size())); }

} // namespace harness
