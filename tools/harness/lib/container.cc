// SPDX-License-Identifier: GPL-2.0-only
#include "lib/container.hh"

#include <sys/ioctl.h>

namespace harness
{

namespace
{

template <typename Argument>
Argument sized()
{
	Argument argument{};
	argument.argsz = sizeof argument;
	return argument;
}

Result<> promised_zero(Result<long> result)
{
	if (!result)
		return std::unexpected{result.error()};
	return zero_expected(*result);
}

} // namespace

Result<Container> Container::open()
{
	auto fd = Fd::open("/dev/vfio/vfio", O_RDWR);
	if (!fd)
		return std::unexpected{fd.error()};
	return Container{std::move(*fd)};
}

Result<long> Container::ioctl(unsigned long request, void *argument) const
{
	return checked(::ioctl(fd(), request, argument));
}

Result<long> Container::ioctl(unsigned long request, unsigned long argument) const
{
	return checked(::ioctl(fd(), request, argument));
}

Result<long> Container::api_version() const { return ioctl(VFIO_GET_API_VERSION, 0ul); }

Result<long> Container::check_extension(unsigned long type) const { return ioctl(VFIO_CHECK_EXTENSION, type); }

Result<> Container::set_iommu(unsigned long type) const { return promised_zero(ioctl(VFIO_SET_IOMMU, type)); }

Result<Tce_info> Container::get_info() const
{
	auto info = sized<Tce_info>();
	auto done = promised_zero(ioctl(VFIO_IOMMU_SPAPR_TCE_GET_INFO, &info));
	if (!done)
		return std::unexpected{done.error()};
	return info;
}

Result<> Container::register_memory(std::uint64_t vaddr, std::uint64_t size) const
{
	auto argument = sized<vfio_iommu_spapr_register_memory>();
	argument.vaddr = vaddr;
	argument.size = size;
	return promised_zero(ioctl(VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &argument));
}

Result<> Container::unregister_memory(std::uint64_t vaddr, std::uint64_t size) const
{
	auto argument = sized<vfio_iommu_spapr_register_memory>();
	argument.vaddr = vaddr;
	argument.size = size;
	return promised_zero(ioctl(VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &argument));
}

Result<std::uint64_t> Container::tce_create(std::uint32_t page_shift, std::uint64_t size, std::uint32_t levels) const
{
	auto argument = sized<vfio_iommu_spapr_tce_create>();
	argument.page_shift = page_shift;
	argument.window_size = size;
	argument.levels = levels;
	auto done = promised_zero(ioctl(VFIO_IOMMU_SPAPR_TCE_CREATE, &argument));
	if (!done)
		return std::unexpected{done.error()};
	return argument.start_addr;
}

Result<> Container::tce_remove(std::uint64_t start) const
{
	auto argument = sized<vfio_iommu_spapr_tce_remove>();
	argument.start_addr = start;
	return promised_zero(ioctl(VFIO_IOMMU_SPAPR_TCE_REMOVE, &argument));
}

Result<> Container::map(std::uint64_t iova, std::uint64_t vaddr, std::uint64_t size, Access access) const
{
	auto argument = sized<vfio_iommu_type1_dma_map>();
	argument.flags = static_cast<std::uint32_t>(access);
	argument.vaddr = vaddr;
	argument.iova = iova;
	argument.size = size;
	return promised_zero(ioctl(VFIO_IOMMU_MAP_DMA, &argument));
}

Result<> Container::unmap(std::uint64_t iova, std::uint64_t size) const
{
	auto argument = sized<vfio_iommu_type1_dma_unmap>();
	argument.iova = iova;
	argument.size = size;
	return promised_zero(ioctl(VFIO_IOMMU_UNMAP_DMA, &argument));
}

Result<> Container::enable() const { return promised_zero(ioctl(VFIO_IOMMU_ENABLE, 0ul)); }

Result<> Container::disable() const { return promised_zero(ioctl(VFIO_IOMMU_DISABLE, 0ul)); }

Result<long> Container::eeh_op(std::uint32_t op) const
{
	auto argument = sized<vfio_eeh_pe_op>();
	argument.op = op;
	return ioctl(VFIO_EEH_PE_OP, &argument);
}

} // namespace harness
