// SPDX-License-Identifier: GPL-2.0-only
// A PCI device opened through its VFIO group: regions, configuration space, bus mastering.
#pragma once

#include <string>

#include "lib/group.hh"
#include "lib/mmio.hh"

namespace harness
{

enum class Bus_master { off, on };

class Device
{
public:
	static Result<Device> open(const Group &group, const std::string &address);

	int fd() const { return fd_.get(); }
	Result<vfio_region_info> region(std::uint32_t index) const;
	Result<Mmio> map_bar(unsigned bar) const;

	Result<std::uint16_t> config_read(std::uint32_t offset) const;
	Result<> config_write(std::uint32_t offset, std::uint16_t value) const;
	Result<> set_bus_master(Bus_master state) const;

private:
	explicit Device(Fd fd) : fd_{std::move(fd)} {}

	Fd fd_;
};

} // namespace harness
