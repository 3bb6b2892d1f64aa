// SPDX-License-Identifier: GPL-2.0-only
// The admin queue of an NVMe controller that VFIO gave us, enough of it for one command: IDENTIFY, by which the
// controller itself reads and writes memory through the user's windows. NVM Express Base Specification, 3.5 and 5.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "lib/device.hh"
#include "lib/pci.hh"

namespace harness
{

inline constexpr Pci_id nvme_id{0x1b36, 0x0010}; // QEMU's

class Nvme
{
public:
	static constexpr std::size_t queue_size = 4096; // bytes of each of the two

	// `queues` is two pages, 4 KiB each, at `ioba` on the bus; the controller holds on to them as long as this
	// lives. ETIMEDOUT: it does not get ready, or not off.
	static Result<std::unique_ptr<Nvme>> start(const Device &device, std::span<std::byte> queues,
						   std::uint64_t ioba);
	~Nvme();

	// The controller writes 4 KiB about itself at `ioba`. Its status, 0 for success; ETIMEDOUT: no answer.
	Result<std::uint16_t> identify(std::uint64_t ioba);

	Nvme(const Device &device, std::span<std::byte> queues, std::uint64_t bar)
		: device_{device}, queues_{queues}, bar_{bar}
	{
	}
	Nvme(Nvme &&) = delete;

private:
	Result<> enable(std::uint64_t ioba);
	Result<> wait_ready(std::uint32_t wanted) const;
	std::uint32_t read(std::size_t offset) const;
	void write(std::size_t offset, std::uint32_t value) const;
	void write_wide(std::size_t offset, std::uint64_t value) const;

	const Device &device_;
	std::span<std::byte> queues_;
	std::uint64_t bar_; // where the device's file has it
	std::uint16_t tail_ = 0;
	std::uint16_t phase_ = 1;
};

// Where the controller's owner put its admin queues (ASQ, ACQ); read from sysfs, no matter who owns it.
struct Admin_queues {
	std::uint64_t submission;
	std::uint64_t completion;
};
Result<Admin_queues> admin_queues(const Pci_function &function);

// The serial number in what identify() wrote.
std::string serial_number(std::span<const std::byte> page);

} // namespace harness
