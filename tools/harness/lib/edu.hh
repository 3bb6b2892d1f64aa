// SPDX-License-Identifier: GPL-2.0-only
// The DMA engine of QEMU's "edu" device. Its 4 KiB buffer cannot be read or written by the processor: data goes
// in from RAM and out to RAM only, and the transfer runs from a timer, 100 ms of guest time after the command.
#pragma once

#include <cstdint>

#include "lib/mmio.hh"

namespace harness
{

class Edu
{
public:
	// The last byte stays unused: QEMU before 8.0 ends itself when a transfer touches the buffer's end.
	static constexpr std::uint32_t capacity = 4095;

	// ENODEV: the id register is not edu's. Its byte order is found by it.
	static Result<Edu> attach(Mmio bar);

	// Both return when the engine has stopped. That says nothing of whether data arrived: an untranslated address
	// is no error to the device. EINVAL: outside the buffer. ETIMEDOUT: the engine is still running.
	Result<> from_ram(std::uint64_t ioba, std::uint32_t offset, std::uint32_t count) const;
	Result<> to_ram(std::uint32_t offset, std::uint64_t ioba, std::uint32_t count) const;

private:
	enum class Order { as_is, swapped };

	Edu(Mmio bar, Order order) : bar_{std::move(bar)}, order_{order} {}

	std::uint64_t read(std::size_t offset) const;
	void write(std::size_t offset, std::uint64_t value) const;
	Result<> run(std::uint64_t source, std::uint64_t destination, std::uint32_t count,
		     std::uint64_t direction) const;
	Result<> wait_idle() const;

	Mmio bar_;
	Order order_;
};

} // namespace harness
