// SPDX-License-Identifier: GPL-2.0-only
// /dev/vfio/vfio: one method for each ioctl of the sPAPR TCE interface (linux/vfio.h), with argsz and flags as a good
// client sends them. ioctl() is the way for a bad one. Addresses and sizes are bytes throughout.
#pragma once

#include <linux/vfio.h>

#include <cstdint>

#include "lib/fd.hh"
#include "lib/result.hh"

namespace harness
{

enum class Access : std::uint32_t {
	read = VFIO_DMA_MAP_FLAG_READ, // as the device sees it
	write = VFIO_DMA_MAP_FLAG_WRITE,
	both = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
};

using Tce_info = vfio_iommu_spapr_tce_info;

class Container
{
public:
	static Result<Container> open();

	int fd() const { return fd_.get(); }
	Result<long> ioctl(unsigned long request, void *argument) const; // any result that is not -1 is passed on
	Result<long> ioctl(unsigned long request, unsigned long argument) const;

	Result<long> api_version() const;
	Result<long> check_extension(unsigned long type) const;
	Result<> set_iommu(unsigned long type) const;

	Result<Tce_info> get_info() const;
	Result<> register_memory(std::uint64_t vaddr, std::uint64_t size) const;
	Result<> unregister_memory(std::uint64_t vaddr, std::uint64_t size) const;
	Result<std::uint64_t> tce_create(std::uint32_t page_shift, std::uint64_t size,
					 std::uint32_t levels) const; // start_addr
	Result<> tce_remove(std::uint64_t start) const;
	Result<> map(std::uint64_t iova, std::uint64_t vaddr, std::uint64_t size, Access access) const;
	Result<> unmap(std::uint64_t iova, std::uint64_t size) const;
	Result<> enable() const;  // v1
	Result<> disable() const; // v1
	Result<long> eeh_op(std::uint32_t op) const;

private:
	explicit Container(Fd fd) : fd_{std::move(fd)} {}

	Fd fd_;
};

inline constexpr unsigned long type_v1 = VFIO_SPAPR_TCE_IOMMU;
inline constexpr unsigned long type_v2 = VFIO_SPAPR_TCE_v2_IOMMU;

} // namespace harness
