// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/memory.hh"

#include <sys/mman.h>

#include <cstring>
#include <thread>

#include "lib/buffer.hh"

namespace harness::fuzz
{

namespace
{

constexpr int private_memory = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

std::byte *pointer(std::uint64_t address) { return reinterpret_cast<std::byte *>(address); }

void *map(std::uint64_t address, std::size_t size, int flags, int fd = -1)
{
	return ::mmap(pointer(address), size, PROT_READ | PROT_WRITE, flags, fd, 0);
}

constexpr std::size_t room = 2; // pages of each thread's arguments

std::uint64_t arguments_of(unsigned thread) { return address_of(blocks.size()) + thread * room * page_size(); }

} // namespace

Memory::Memory(World &world, unsigned process, int common_file)
	: world_{world}, process_{process}, common_file_{common_file},
	  held_{[this](auto address) { return content(address); },
		[this](auto address, auto since) { return is_due(address, since); }}
{
	for (unsigned block = 0; block < blocks.size(); ++block)
		make(block);
	auto size = threads * room * page_size();
	map(arguments_of(0), size, private_memory);
	can_hold_ = held_.add(arguments_of(0), size);
	staging_ = static_cast<std::byte *>(
		::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
}

void Memory::make(unsigned block)
{
	auto address = address_of(block);
	auto size = size_of(block);
	switch (blocks[block]) {
	case Kind::nowhere:
		return;
	case Kind::common:
		map(address, size, MAP_SHARED | MAP_FIXED, common_file_);
		return;
	case Kind::huge:
		if (map(address, size, private_memory | MAP_HUGETLB) == MAP_FAILED)
			map(address, size, private_memory);
		break;
	case Kind::served:
		map(address, size, private_memory);
		if (held_.add(address, size))
			return; // each page comes when it is asked for
		break;
	default:
		map(address, size, private_memory);
	}
	fill(block);
	if (blocks[block] == Kind::read_only)
		::mprotect(pointer(address), size, PROT_READ);
	if (blocks[block] == Kind::holed)
		::munmap(pointer(address) + size / 2, page_size());
}

void Memory::fill(unsigned block) const
{
	for (std::uint64_t at = 0; at < size_of(block); at += page_size())
		if (auto page = page_at(process_, address_of(block) + at)) {
			auto beginning = beginning_of(*page);
			std::memcpy(pointer(address_of(block) + at), &beginning, sizeof beginning);
		}
}

void Memory::lose(unsigned block, unsigned how)
{
	const std::scoped_lock guard{lock_};
	block %= blocks.size();
	auto there = pointer(address_of(block));
	auto size = size_of(block);
	switch (how % 5) {
	case 0:
		::munmap(there, size);
		make(block);
		break;
	case 1: // served and read-only pages stay as they come
		if (::madvise(there, size, MADV_DONTNEED) == 0 && blocks[block] <= Kind::huge)
			fill(block);
		break;
	case 2:
		if (::mremap(there, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			     pointer(address_of(blocks.size() + 1 + block))) != MAP_FAILED)
			make(block);
		break;
	case 3:
		::mprotect(there, size, PROT_NONE);
		std::this_thread::sleep_for(std::chrono::milliseconds{2});
		::mprotect(there, size, blocks[block] == Kind::read_only ? PROT_READ : PROT_READ | PROT_WRITE);
		break;
	default:
		::munmap(there, size);
	}
}

void *Memory::put_argument(unsigned thread, const void *argument, std::size_t size, unsigned place, std::uint32_t until,
			   std::chrono::milliseconds delay)
{
	auto offset = place % 2 ? page_size() - 8 : 64;
	auto there = pointer(arguments_of(thread)) + offset;
	std::memcpy(staging_ + thread * room * page_size() + offset, argument, size);
	waits_[thread].delay = delay;
	waits_[thread].until = until;
	if (until && can_hold_)
		::madvise(pointer(arguments_of(thread)), room * page_size(), MADV_DONTNEED);
	else
		std::memcpy(there, argument, size);
	return there;
}

const std::byte *Memory::content(std::uint64_t address) const
{
	if (address >= arguments_of(0))
		return staging_ + (address - arguments_of(0));
	alignas(64) static thread_local std::byte page[1 << 16];
	auto beginning = beginning_of(*page_at(process_, address));
	std::memcpy(page, &beginning, sizeof beginning);
	return page;
}

bool Memory::is_due(std::uint64_t address, Held_pages::Clock::time_point since)
{
	using std::chrono::milliseconds;
	auto waited = Held_pages::Clock::now() - since;
	if (address < arguments_of(0))
		return waited >= milliseconds{3};
	auto &wait = waits_[(address - arguments_of(0)) / (room * page_size())];
	if (!wait.until)
		return true;
	bool due = world_.storm ? waited >= wait.delay.load() : world_.turn >= wait.until || stands_still();
	world_.held += due;
	return due;
}

// The turn is that of a call that waits for the one that is held up.
bool Memory::stands_still()
{
	auto now = Held_pages::Clock::now();
	if (auto turn = world_.turn.load(); turn != turn_ || turned_ == Held_pages::Clock::time_point{}) {
		turn_ = turn;
		turned_ = now;
	}
	return now - turned_ > std::chrono::seconds{1};
}

} // namespace harness::fuzz
