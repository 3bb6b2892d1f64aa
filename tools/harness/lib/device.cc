// SPDX-License-Identifier: GPL-2.0-only
#include "lib/device.hh"

#include <linux/pci_regs.h>
#include <sys/ioctl.h>

#include <bit>

namespace harness
{

namespace
{

std::uint16_t little_endian(std::uint16_t value)
{
	return std::endian::native == std::endian::little ? value : __builtin_bswap16(value);
}

} // namespace

Result<Device> Device::open(const Group &group, const std::string &address)
{
	auto fd = group.open_device(address);
	if (!fd)
		return std::unexpected{fd.error()};
	return Device{std::move(*fd)};
}

Result<vfio_region_info> Device::region(std::uint32_t index) const
{
	vfio_region_info info{};
	info.argsz = sizeof info;
	info.index = index;
	if (auto done = zero_expected(::ioctl(fd(), VFIO_DEVICE_GET_REGION_INFO, &info)); !done)
		return std::unexpected{done.error()};
	return info;
}

Result<Mmio> Device::map_bar(unsigned bar) const
{
	auto info = region(VFIO_PCI_BAR0_REGION_INDEX + bar);
	if (!info)
		return std::unexpected{info.error()};
	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return fail(EOPNOTSUPP);
	return Mmio::map(fd(), info->size, info->offset);
}

Result<std::uint16_t> Device::config_read(std::uint32_t offset) const
{
	auto config = region(VFIO_PCI_CONFIG_REGION_INDEX);
	if (!config)
		return std::unexpected{config.error()};
	std::uint16_t value = 0;
	auto n = ::pread(fd(), &value, sizeof value, static_cast<off_t>(config->offset + offset));
	if (n != sizeof value)
		return n < 0 ? fail_errno() : fail(EIO);
	return little_endian(value);
}

Result<> Device::config_write(std::uint32_t offset, std::uint16_t value) const
{
	auto config = region(VFIO_PCI_CONFIG_REGION_INDEX);
	if (!config)
		return std::unexpected{config.error()};
	value = little_endian(value);
	auto n = ::pwrite(fd(), &value, sizeof value, static_cast<off_t>(config->offset + offset));
	if (n != sizeof value)
		return n < 0 ? fail_errno() : fail(EIO);
	return {};
}

Result<> Device::set_bus_master(Bus_master state) const
{
	auto command = config_read(PCI_COMMAND);
	if (!command)
		return std::unexpected{command.error()};
	auto wanted = static_cast<std::uint16_t>(*command | PCI_COMMAND_MEMORY);
	wanted = static_cast<std::uint16_t>(state == Bus_master::on ? wanted | PCI_COMMAND_MASTER
								    : wanted & ~PCI_COMMAND_MASTER);
	return config_write(PCI_COMMAND, wanted);
}

} // namespace harness
