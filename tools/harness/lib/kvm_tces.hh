// SPDX-License-Identifier: GPL-2.0-only
// KVM's side of a DMA window: a table of guest TCEs under a LIOBN (KVM_CREATE_SPAPR_TCE_64), KVM's VFIO device, which
// joins such a table and a group's IOMMU table, and the three hypercalls that write to both.
#pragma once

#include <cstdint>
#include <span>

#include "lib/group.hh"
#include "lib/vm.hh"

namespace harness
{

// The permission bits of a TCE; the rest of it is an address of the virtual machine.
inline constexpr std::uint64_t tce_none = 0, tce_read = 1, tce_write = 2, tce_both = 3;

// A table that KVM may write to on its own account. Closing it ends KVM's hold of every IOMMU table joined to it.
class Kvm_table
{
public:
	struct Shape {
		std::uint64_t liobn;
		std::uint32_t page_shift;
		std::uint64_t start; // bytes
		std::uint64_t size;  // bytes
	};

	// EBUSY: the machine has this LIOBN. ENOMEM: RLIMIT_MEMLOCK.
	static Result<Kvm_table> create(const Vm &vm, const Shape &shape);

	int fd() const { return fd_.get(); }
	const Shape &shape() const { return shape_; }
	void close() { Fd gone{std::move(fd_)}; }

private:
	Kvm_table(Fd fd, const Shape &shape) : fd_{std::move(fd)}, shape_{shape} {}

	Fd fd_;
	Shape shape_;
};

// KVM's VFIO device, one a machine. It keeps the groups it was given open, whoever else closes them.
class Kvm_vfio
{
public:
	static Result<Kvm_vfio> create(const Vm &vm);

	Result<> add(const Group &group) const;
	Result<> remove(const Group &group) const;
	// EINVAL: the group has no IOMMU table with this start, pages no larger, and this size at least.
	Result<> join(const Group &group, const Kvm_table &table) const;
	void close() { Fd gone{std::move(fd_)}; }

private:
	explicit Kvm_vfio(Fd fd) : fd_{std::move(fd)} {}
	Result<> set(std::uint64_t attribute, const void *argument) const;

	Fd fd_;
};

// The hypercalls. IOBAs are bytes, counts are pages of the table that KVM has under the LIOBN.
Result<Answer> put_tce(Vcpu &cpu, std::uint64_t liobn, std::uint64_t ioba, std::uint64_t tce);
// `list`: the address in the machine where the TCEs are, in big-endian, at a multiple of 4 KiB.
Result<Answer> put_tce_indirect(Vcpu &cpu, std::uint64_t liobn, std::uint64_t ioba, std::uint64_t list,
				std::uint64_t count);
Result<Answer> stuff_tce(Vcpu &cpu, std::uint64_t liobn, std::uint64_t ioba, std::uint64_t tce, std::uint64_t count);

} // namespace harness
