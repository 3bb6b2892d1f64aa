// SPDX-License-Identifier: GPL-2.0-only
// A second PE with a device of its own, put into a container that has one already.
#pragma once

#include <optional>

#include "lib/device.hh"
#include "lib/edu.hh"
#include "lib/pci.hh"

namespace harness
{

// The n-th edu whose IOMMU group is neither the first one's nor that of those before it. ENODEV: so many PEs are not
// here.
Result<Pci_function> other_pe(const Pci_function &first, unsigned n = 1);

class Neighbour
{
public:
	// The container's type is set. On failure the group is closed, and in no container.
	static Result<Neighbour> join(const Container &container, const Pci_function &function);

	const Edu &edu() const { return *edu_; }
	const Group &group() const { return group_; }
	Result<> leave(); // the container, not the process

private:
	explicit Neighbour(Group group) : group_{std::move(group)} {}

	Group group_;
	std::optional<Device> device_;
	std::optional<Edu> edu_;
};

} // namespace harness
