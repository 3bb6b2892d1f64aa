// SPDX-License-Identifier: GPL-2.0-only
#include "lib/rig.hh"

namespace harness
{

Result<Pci_function> Rig::find()
{
	auto found = pci_functions(edu_id);
	if (found.empty())
		return fail(ENODEV);
	return found.front();
}

Result<std::unique_ptr<Rig>> Rig::open(const Pci_function &function, unsigned long type)
{
	if (auto bound = function.bind_vfio(); !bound)
		return std::unexpected{bound.error()};
	auto number = function.group();
	if (!number)
		return std::unexpected{number.error()};
	auto container = Container::open();
	if (!container)
		return std::unexpected{container.error()};
	auto group = Group::open(*number);
	if (!group)
		return std::unexpected{group.error()};

	auto rig = std::make_unique<Rig>(function, std::move(*container), std::move(*group));
	Serving_watch watch;
	if (auto set = rig->group_.set_container(rig->container_); !set)
		return std::unexpected{set.error()};
	if (auto set = rig->container_.set_iommu(type); !set)
		return std::unexpected{set.error()};
	rig->served_by_ = watch.served();
	if (auto opened = rig->open_device(); !opened)
		return std::unexpected{opened.error()};
	return rig;
}

Result<> Rig::open_device()
{
	auto device = Device::open(group_, function_.address());
	if (!device)
		return std::unexpected{device.error()};
	if (auto master = device->set_bus_master(Bus_master::on); !master)
		return master;
	auto bar = device->map_bar(0);
	if (!bar)
		return std::unexpected{bar.error()};
	auto edu = Edu::attach(std::move(*bar));
	if (!edu)
		return std::unexpected{edu.error()};
	device_.emplace(std::move(*device));
	edu_.emplace(std::move(*edu));
	return {};
}

void Rig::close_device()
{
	edu_.reset();
	device_.reset();
}

} // namespace harness
