// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: CHECK_EXTENSION and SET_IOMMU. What the VFIO core answers by itself is here as well, since the driver that a
// core asks after ours may spoil it.
#include "abi/case.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

constexpr const char *check_row = "CHECK_EXTENSION: 1 for types 2 and 7; 0 otherwise";

template <unsigned long type, long wanted>
Result<> extension(Bench &b)
{
	auto answer = b.container().check_extension(type);
	if (!answer)
		return std::unexpected{answer.error()};
	return *answer == wanted ? Result<>{} : fail(EPROTO); // answered, and wrongly
}

Result<> eeh_extension(Bench &b) { return platform().eeh ? extension<VFIO_EEH, 1>(b) : extension<VFIO_EEH, 0>(b); }

template <unsigned long type>
Result<> set_iommu(Bench &b)
{
	return b.container().set_iommu(type);
}

template <unsigned long type>
Result<> refused_then_v2(Bench &b)
{
	if (b.container().set_iommu(type))
		return fail(EPROTO);
	return b.container().set_iommu(type_v2);
}

const Case cases[] = {
	{.name = "check-extension/v2", .row = check_row, .call = extension<type_v2, 1>},
	{.name = "check-extension/v2-before-set-iommu",
	 .row = check_row,
	 .stage = Stage::container,
	 .call = extension<type_v2, 1>},
	{.name = "check-extension/type1", .row = check_row, .call = extension<VFIO_TYPE1_IOMMU, 0>},
	{.name = "check-extension/unknown", .row = check_row, .call = extension<99, 0>},
	{.name = "check-extension/unknown-before-set-iommu",
	 .row = check_row,
	 .stage = Stage::container,
	 .call = extension<99, 0>},
	{.name = "check-extension/huge", .row = check_row, .call = extension<~0ul, 0>},
	{.name = "check-extension/eeh",
	 .row = "CHECK_EXTENSION: VFIO_EEH as the kernel's eeh_enabled()",
	 .call = eeh_extension},

	{.name = "set-iommu/no-group",
	 .row = "SET_IOMMU: of the VFIO core: no group in the container: EINVAL",
	 .expected = EINVAL,
	 .stage = Stage::container,
	 .call = set_iommu<type_v2>},
	{.name = "set-iommu/twice",
	 .row = "SET_IOMMU: of the VFIO core: set already: EINVAL",
	 .expected = EINVAL,
	 .call = set_iommu<type_v2>},
	{.name = "set-iommu/unknown",
	 .row = "SET_IOMMU: of the VFIO core: nobody has this type: ENODEV",
	 .expected = ENODEV,
	 .stage = Stage::grouped,
	 .call = set_iommu<99>},
	{.name = "set-iommu/v2",
	 .row = "SET_IOMMU 7: v2 container",
	 .stage = Stage::grouped,
	 .call = set_iommu<type_v2>},
	{.name = "set-iommu/v2-after-refusal",
	 .row = "clients: a failed SET_IOMMU is clean, the next one works",
	 .stage = Stage::grouped,
	 .call = refused_then_v2<99>},
	{.name = "set-iommu/v2-without-ddw",
	 .row = "SET_IOMMU: v2 on a PE without DDW support: EINVAL",
	 .expected = EINVAL,
	 .stage = Stage::grouped,
	 .call = set_iommu<type_v2>},

	// Of the v1 interface.
	{.name = "check-extension/v1", .row = check_row, .call = extension<type_v1, 1>},
	{.name = "check-extension/v1-before-set-iommu",
	 .row = check_row,
	 .stage = Stage::container,
	 .call = extension<type_v1, 1>},
	{.name = "set-iommu/v1",
	 .row = "SET_IOMMU 2: v1 container",
	 .stage = Stage::grouped,
	 .call = set_iommu<type_v1>},
	{.name = "set-iommu/v1-after-refusal",
	 .row = "clients: QEMU falls back from v2 to v1",
	 .stage = Stage::grouped,
	 .call =
		 [](Bench &b) {
			 bool refused = b.terms().v2 || !b.container().set_iommu(type_v2);
			 return refused ? b.container().set_iommu(type_v1) : Result<>{fail(EPROTO)};
		 }},
};

} // namespace

std::span<const Case> attach_cases() { return cases; }

} // namespace harness::abi
