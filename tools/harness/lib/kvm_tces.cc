// SPDX-License-Identifier: GPL-2.0-only
#include "lib/kvm_tces.hh"

#include <sys/ioctl.h>

namespace harness
{

Result<Kvm_table> Kvm_table::create(const Vm &vm, const Shape &shape)
{
	kvm_create_spapr_tce_64 argument{};
	argument.liobn = shape.liobn;
	argument.page_shift = shape.page_shift;
	argument.offset = shape.start >> shape.page_shift;
	argument.size = shape.size >> shape.page_shift;
	int fd = ::ioctl(vm.fd(), KVM_CREATE_SPAPR_TCE_64, &argument);
	if (fd < 0)
		return fail_errno();
	return Kvm_table{Fd{fd}, shape};
}

Result<Kvm_vfio> Kvm_vfio::create(const Vm &vm)
{
	kvm_create_device argument{};
	argument.type = KVM_DEV_TYPE_VFIO;
	if (auto made = zero_expected(::ioctl(vm.fd(), KVM_CREATE_DEVICE, &argument)); !made)
		return std::unexpected{made.error()};
	return Kvm_vfio{Fd{static_cast<int>(argument.fd)}};
}

Result<> Kvm_vfio::set(std::uint64_t attribute, const void *argument) const
{
	kvm_device_attr attr{};
	attr.group = KVM_DEV_VFIO_GROUP;
	attr.attr = attribute;
	attr.addr = reinterpret_cast<std::uint64_t>(argument);
	return zero_expected(::ioctl(fd_.get(), KVM_SET_DEVICE_ATTR, &attr));
}

Result<> Kvm_vfio::add(const Group &group) const
{
	std::int32_t fd = group.fd();
	return set(KVM_DEV_VFIO_GROUP_ADD, &fd);
}

Result<> Kvm_vfio::remove(const Group &group) const
{
	std::int32_t fd = group.fd();
	return set(KVM_DEV_VFIO_GROUP_DEL, &fd);
}

Result<> Kvm_vfio::join(const Group &group, const Kvm_table &table) const
{
	kvm_vfio_spapr_tce argument{.groupfd = group.fd(), .tablefd = table.fd()};
	return set(KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &argument);
}

Result<Answer> put_tce(Vcpu &cpu, std::uint64_t liobn, std::uint64_t ioba, std::uint64_t tce)
{
	return cpu.issue(Hcall::put_tce, {liobn, ioba, tce, 0});
}

Result<Answer> put_tce_indirect(Vcpu &cpu, std::uint64_t liobn, std::uint64_t ioba, std::uint64_t list,
				std::uint64_t count)
{
	return cpu.issue(Hcall::put_tce_indirect, {liobn, ioba, list, count});
}

Result<Answer> stuff_tce(Vcpu &cpu, std::uint64_t liobn, std::uint64_t ioba, std::uint64_t tce, std::uint64_t count)
{
	return cpu.issue(Hcall::stuff_tce, {liobn, ioba, tce, count});
}

} // namespace harness
