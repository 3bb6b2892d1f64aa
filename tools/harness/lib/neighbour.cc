// SPDX-License-Identifier: GPL-2.0-only
#include "lib/neighbour.hh"

#include <set>

namespace harness
{

Result<Pci_function> other_pe(const Pci_function &first, unsigned n)
{
	auto own = first.group();
	if (!own)
		return std::unexpected{own.error()};
	std::set<int> seen{*own};
	for (auto &function : pci_functions(edu_id)) {
		auto number = function.group();
		if (!number || !seen.insert(*number).second || --n > 0)
			continue;
		if (auto bound = function.bind_vfio(); !bound)
			return std::unexpected{bound.error()};
		return function;
	}
	return fail(ENODEV);
}

Result<Neighbour> Neighbour::join(const Container &container, const Pci_function &function)
{
	auto number = function.group();
	if (!number)
		return std::unexpected{number.error()};
	auto group = Group::open(*number);
	if (!group)
		return std::unexpected{group.error()};
	if (auto set = group->set_container(container); !set)
		return std::unexpected{set.error()};
	Neighbour joined{std::move(*group)};
	auto device = Device::open(joined.group_, function.address());
	if (!device)
		return std::unexpected{device.error()};
	if (auto master = device->set_bus_master(Bus_master::on); !master)
		return std::unexpected{master.error()};
	auto bar = device->map_bar(0);
	auto edu = bar ? Edu::attach(std::move(*bar)) : Result<Edu>{std::unexpected{bar.error()}};
	if (!edu)
		return std::unexpected{edu.error()};
	joined.device_.emplace(std::move(*device));
	joined.edu_.emplace(std::move(*edu));
	return joined;
}

Result<> Neighbour::leave()
{
	edu_.reset();
	device_.reset();
	return group_.unset_container();
}

} // namespace harness
