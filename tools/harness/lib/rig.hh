// SPDX-License-Identifier: GPL-2.0-only
// The whole chain for one device: function bound to vfio-pci, container, group, device, DMA engine. Members go in the
// order the kernel wants. Held by pointer, since regions, windows and mappings refer to the container in it.
#pragma once

#include <memory>
#include <optional>

#include "lib/container.hh"
#include "lib/device.hh"
#include "lib/edu.hh"
#include "lib/group.hh"
#include "lib/modules.hh"
#include "lib/pci.hh"

namespace harness
{

class Rig
{
public:
	// First edu device of the machine; ENODEV: there is none.
	static Result<Pci_function> find();
	// Binds, opens, attaches, sets the IOMMU type, opens the device and turns its bus mastering on.
	static Result<std::unique_ptr<Rig>> open(const Pci_function &function, unsigned long type = type_v2);

	const Container &container() const { return container_; }
	const Group &group() const { return group_; }
	const Edu &edu() const { return *edu_; }
	std::optional<Driver> served_by() const { return served_by_; }

	Result<> open_device(); // and attach the engine
	void close_device();	// a group leaves its container only when no device is open

	Rig(Pci_function function, Container container, Group group)
		: function_{std::move(function)}, container_{std::move(container)}, group_{std::move(group)}
	{
	}
	Rig(Rig &&) = delete;

private:
	Pci_function function_;
	Container container_;
	Group group_;
	std::optional<Device> device_;
	std::optional<Edu> edu_;
	std::optional<Driver> served_by_;
};

} // namespace harness
