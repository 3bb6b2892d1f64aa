// SPDX-License-Identifier: GPL-2.0-only
#include "lib/pci.hh"

#include <dirent.h>

#include <algorithm>
#include <memory>

#include "lib/sysfs.hh"

namespace harness
{

namespace
{

constexpr const char *devices = "/sys/bus/pci/devices/";

std::uint16_t read_id(const std::string &path)
{
	auto line = read_line(path);
	return line ? static_cast<std::uint16_t>(parse_number(*line).value_or(0)) : 0;
}

} // namespace

std::string Pci_function::sysfs(std::string_view file) const { return devices + address_ + "/" + std::string{file}; }

Pci_id Pci_function::id() const { return {read_id(sysfs("vendor")), read_id(sysfs("device"))}; }

Result<int> Pci_function::group() const
{
	auto name = link_name(sysfs("iommu_group"));
	if (!name)
		return fail(ENOENT);
	auto number = parse_number(*name);
	if (!number)
		return fail(ENOENT);
	return static_cast<int>(*number);
}

std::optional<std::string> Pci_function::driver() const { return link_name(sysfs("driver")); }

Result<> Pci_function::bind_vfio() const
{
	auto now = driver();
	if (now == "vfio-pci")
		return {};
	if (auto set = write_file(sysfs("driver_override"), "vfio-pci"); !set)
		return set;
	if (now)
		if (auto freed = write_file(sysfs("driver/unbind"), address_); !freed)
			return freed;
	if (auto probed = write_file("/sys/bus/pci/drivers_probe", address_); !probed)
		return probed;
	// drivers_probe reports no failure of the driver's own probe.
	return driver() == "vfio-pci" ? Result<>{} : fail(ENODEV);
}

Result<> Pci_function::unbind_vfio() const
{
	if (driver() == "vfio-pci")
		if (auto freed = write_file(sysfs("driver/unbind"), address_); !freed)
			return freed;
	if (auto reset = write_file(sysfs("driver_override"), "\n"); !reset)
		return reset;
	(void)write_file("/sys/bus/pci/drivers_probe", address_);
	return {};
}

std::vector<Pci_function> pci_functions()
{
	std::vector<Pci_function> found;
	std::unique_ptr<DIR, int (*)(DIR *)> dir{::opendir(devices), ::closedir};
	if (!dir)
		return found;
	while (auto entry = ::readdir(dir.get()))
		if (entry->d_name[0] != '.')
			found.emplace_back(entry->d_name);
	std::ranges::sort(found, {}, &Pci_function::address);
	return found;
}

std::vector<Pci_function> pci_functions(Pci_id id)
{
	auto found = pci_functions();
	std::erase_if(found, [id](const Pci_function &function) {
		auto its = function.id();
		return its.vendor != id.vendor || its.device != id.device;
	});
	return found;
}

} // namespace harness
