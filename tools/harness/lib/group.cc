// SPDX-License-Identifier: GPL-2.0-only
#include "lib/group.hh"

#include <sys/ioctl.h>

namespace harness
{

Result<Group> Group::open(int number)
{
	auto path = "/dev/vfio/" + std::to_string(number);
	auto fd = Fd::open(path.c_str(), O_RDWR);
	if (!fd)
		return std::unexpected{fd.error()};
	return Group{std::move(*fd), number};
}

Result<bool> Group::viable() const
{
	vfio_group_status status{};
	status.argsz = sizeof status;
	if (auto done = zero_expected(::ioctl(fd(), VFIO_GROUP_GET_STATUS, &status)); !done)
		return std::unexpected{done.error()};
	return (status.flags & VFIO_GROUP_FLAGS_VIABLE) != 0;
}

Result<> Group::set_container(const Container &container) const
{
	int container_fd = container.fd();
	return zero_expected(::ioctl(fd(), VFIO_GROUP_SET_CONTAINER, &container_fd));
}

Result<> Group::unset_container() const { return zero_expected(::ioctl(fd(), VFIO_GROUP_UNSET_CONTAINER)); }

Result<Fd> Group::open_device(const std::string &address) const
{
	int device = ::ioctl(fd(), VFIO_GROUP_GET_DEVICE_FD, address.c_str());
	if (device < 0)
		return fail_errno();
	return Fd{device};
}

} // namespace harness
