// SPDX-License-Identifier: GPL-2.0-only
// Every ioctl of the interface with its argument structure, so that a case can name a call and the one field it gets
// wrong.
#pragma once

#include "lib/container.hh"

namespace harness::abi
{

enum class Call { get_info, register_memory, unregister_memory, create, remove, map, unmap, eeh };

template <Call>
struct Traits;

template <>
struct Traits<Call::get_info> {
	using Argument = vfio_iommu_spapr_tce_info;
	static constexpr unsigned long request = VFIO_IOMMU_SPAPR_TCE_GET_INFO;
};
template <>
struct Traits<Call::register_memory> {
	using Argument = vfio_iommu_spapr_register_memory;
	static constexpr unsigned long request = VFIO_IOMMU_SPAPR_REGISTER_MEMORY;
};
template <>
struct Traits<Call::unregister_memory> {
	using Argument = vfio_iommu_spapr_register_memory;
	static constexpr unsigned long request = VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY;
};
template <>
struct Traits<Call::create> {
	using Argument = vfio_iommu_spapr_tce_create;
	static constexpr unsigned long request = VFIO_IOMMU_SPAPR_TCE_CREATE;
};
template <>
struct Traits<Call::remove> {
	using Argument = vfio_iommu_spapr_tce_remove;
	static constexpr unsigned long request = VFIO_IOMMU_SPAPR_TCE_REMOVE;
};
template <>
struct Traits<Call::map> {
	using Argument = vfio_iommu_type1_dma_map;
	static constexpr unsigned long request = VFIO_IOMMU_MAP_DMA;
};
template <>
struct Traits<Call::unmap> {
	using Argument = vfio_iommu_type1_dma_unmap;
	static constexpr unsigned long request = VFIO_IOMMU_UNMAP_DMA;
};
template <>
struct Traits<Call::eeh> {
	using Argument = vfio_eeh_pe_op;
	static constexpr unsigned long request = VFIO_EEH_PE_OP;
};

template <Call call>
using Argument = typename Traits<call>::Argument;

using Info = Argument<Call::get_info>;
using Memory = Argument<Call::register_memory>;
using Create = Argument<Call::create>;
using Remove = Argument<Call::remove>;
using Map = Argument<Call::map>;
using Unmap = Argument<Call::unmap>;
using Eeh = Argument<Call::eeh>;

inline Result<> promised_zero(const Result<long> &result)
{
	return result ? zero_expected(*result) : Result<>{std::unexpected{result.error()}};
}

template <Call call>
Result<> send(const Container &container, void *argument)
{
	return promised_zero(container.ioctl(Traits<call>::request, argument));
}

} // namespace harness::abi
