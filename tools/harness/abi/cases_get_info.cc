// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: SPAPR_TCE_GET_INFO.
#include <algorithm>
#include <cstring>

#include "abi/case.hh"
#include "abi/faults.hh"

namespace harness::abi
{

namespace
{

constexpr const char *row = "GET_INFO: default window, and with DDW the flag, pgsizes, max windows, levels";
constexpr std::size_t short_size = offsetof(Info, ddw);
constexpr std::byte untouched{0x5a};

// The answer lies in a longer buffer; nothing behind the claimed size may change.
Result<> answer_of(Bench &b, std::size_t claimed, std::size_t written)
{
	std::byte buffer[256];
	std::ranges::fill(buffer, untouched);
	Info info{};
	info.argsz = static_cast<std::uint32_t>(claimed);
	std::memcpy(buffer, &info, short_size);
	if (auto done = send<Call::get_info>(b.container(), buffer); !done)
		return done;
	auto behind = std::span{buffer}.subspan(written);
	return std::ranges::count(behind, untouched) == std::ssize(behind) ? Result<>{} : fail(EOVERFLOW);
}

Result<> short_structure(Bench &b) { return answer_of(b, short_size, short_size); }
Result<> between_structures(Bench &b) { return answer_of(b, short_size + 4, short_size); }
Result<> long_structure(Bench &b) { return answer_of(b, 200, sizeof(Info)); }

std::string values(Bench &b)
{
	auto info = b.container().get_info();
	if (!info)
		return "no second answer";
	if (info->dma32_window_start != b.info().dma32_window_start ||
	    info->dma32_window_size != b.info().dma32_window_size)
		return "another default window than at first";
	for (auto &window : b.tree())
		if (window.property == "ibm,dma-window" &&
		    (window.start != info->dma32_window_start || window.size != info->dma32_window_size))
			return fmt::format("default window {:#x}+{:#x}, device tree: {}", info->dma32_window_start,
					   info->dma32_window_size, to_string(window));
	return "";
}

std::string ddw_values(Bench &b)
{
	auto &ddw = b.info().ddw;
	if (!b.terms().ddw)
		return b.info().flags ? "a DDW flag without DDW" : "";
	if (b.info().flags != VFIO_IOMMU_SPAPR_INFO_DDW)
		return "no DDW flag";
	if (!(ddw.pgsizes & 4096) || !(ddw.pgsizes & page_size()))
		return fmt::format("pgsizes {:#x}", ddw.pgsizes);
	if (ddw.max_dynamic_windows_supported < 1 || ddw.max_dynamic_windows_supported > 2)
		return fmt::format("max_dynamic_windows_supported {}", ddw.max_dynamic_windows_supported);
	return ddw.levels >= 1 && ddw.levels <= 5 ? "" : fmt::format("levels {}", ddw.levels);
}

const Case cases[] = {
	{.name = "get-info/values",
	 .row = row,
	 .stage = Stage::fresh,
	 .call = as_it_should_be<Call::get_info>,
	 .verify = values},
	{.name = "get-info/ddw-values",
	 .row = row,
	 .stage = Stage::fresh,
	 .call = as_it_should_be<Call::get_info>,
	 .verify = ddw_values},
	// The guest's firmware reports them (pgsz of QEMU's PHB).
	{.name = "defect/pgsizes-16g",
	 .row = "defects: 16 GiB pages are reported",
	 .stage = Stage::fresh,
	 .call = as_it_should_be<Call::get_info>,
	 .verify = [](Bench &b) -> std::string {
		 auto sizes = b.info().ddw.pgsizes;
		 return sizes >> 34 & 1 ? "" : fmt::format("pgsizes {:#x}", sizes);
	 }},
	{.name = "get-info/same-with-windows",
	 .row = row,
	 .stage = Stage::with_ddw,
	 .call = as_it_should_be<Call::get_info>,
	 .verify = values},
	{.name = "get-info/short-structure",
	 .row = "GET_INFO: the short (pre-DDW) structure is honoured",
	 .call = short_structure},
	{.name = "get-info/between-structures",
	 .row = "GET_INFO: the short (pre-DDW) structure is honoured",
	 .call = between_structures},
	{.name = "get-info/long-structure",
	 .row = "GET_INFO: nothing behind the structure is written",
	 .call = long_structure},
	// ENXIO is for a driver without a group; without one the core has no driver to ask.
	{.name = "get-info/no-iommu",
	 .row = "GET_INFO: of the VFIO core: no IOMMU set: EINVAL",
	 .expected = EINVAL,
	 .stage = Stage::grouped,
	 .call = as_it_should_be<Call::get_info>},
};

} // namespace

std::span<const Case> get_info_cases() { return cases; }

} // namespace harness::abi
