// SPDX-License-Identifier: GPL-2.0-only
#include "lib/edu.hh"

#include <chrono>
#include <thread>

namespace harness
{

namespace
{

constexpr std::uint32_t id = 0x010000ed;
constexpr std::size_t source_register = 0x80;
constexpr std::size_t destination_register = 0x88;
constexpr std::size_t count_register = 0x90;
constexpr std::size_t command_register = 0x98;
constexpr std::uint64_t start = 1;
constexpr std::uint64_t towards_ram = 2;
constexpr std::uint64_t buffer = 0x40000;

using namespace std::chrono_literals;
constexpr auto poll_every = 2ms;
constexpr auto patience = 20s;

bool in_buffer(std::uint32_t offset, std::uint32_t count)
{
	return count > 0 && offset <= Edu::capacity && count <= Edu::capacity - offset;
}

} // namespace

Result<Edu> Edu::attach(Mmio bar)
{
	auto word = bar.read<std::uint32_t>(0);
	if (word == id)
		return Edu{std::move(bar), Order::as_is};
	if (word == __builtin_bswap32(id))
		return Edu{std::move(bar), Order::swapped};
	return fail(ENODEV);
}

std::uint64_t Edu::read(std::size_t offset) const
{
	auto word = bar_.read<std::uint64_t>(offset);
	return order_ == Order::swapped ? __builtin_bswap64(word) : word;
}

void Edu::write(std::size_t offset, std::uint64_t value) const
{
	bar_.write<std::uint64_t>(offset, order_ == Order::swapped ? __builtin_bswap64(value) : value);
}

Result<> Edu::wait_idle() const
{
	auto deadline = std::chrono::steady_clock::now() + patience;
	while (read(command_register) & start) {
		if (std::chrono::steady_clock::now() > deadline)
			return fail(ETIMEDOUT);
		std::this_thread::sleep_for(poll_every);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return {};
}

Result<> Edu::run(std::uint64_t source, std::uint64_t destination, std::uint32_t count, std::uint64_t direction) const
{
	if (auto idle = wait_idle(); !idle)
		return idle; // registers are locked while a transfer runs
	write(source_register, source);
	write(destination_register, destination);
	write(count_register, count);
	write(command_register, start | direction);
	return wait_idle();
}

Result<> Edu::from_ram(std::uint64_t ioba, std::uint32_t offset, std::uint32_t count) const
{
	if (!in_buffer(offset, count))
		return fail(EINVAL);
	return run(ioba, buffer + offset, count, 0);
}

Result<> Edu::to_ram(std::uint32_t offset, std::uint64_t ioba, std::uint32_t count) const
{
	if (!in_buffer(offset, count))
		return fail(EINVAL);
	return run(buffer + offset, ioba, count, towards_ram);
}

} // namespace harness
