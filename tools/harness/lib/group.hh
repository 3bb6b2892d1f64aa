// SPDX-License-Identifier: GPL-2.0-only
// /dev/vfio/N: the IOMMU group, and its way into a container and out of it.
// The kernel detaches the group from its container when this descriptor and every device of it are closed.
#pragma once

#include <string>

#include "lib/container.hh"

namespace harness
{

class Group
{
public:
	static Result<Group> open(int number); // EBUSY: somebody has it open

	int fd() const { return fd_.get(); }
	int number() const { return number_; }

	Result<bool> viable() const; // every device of it is at vfio-pci, or at no driver
	Result<> set_container(const Container &container) const;
	Result<> unset_container() const; // EBUSY: a device is open
	Result<Fd> open_device(const std::string &address) const;

private:
	Group(Fd fd, int number) : fd_{std::move(fd)}, number_{number} {}

	Fd fd_;
	int number_;
};

} // namespace harness
