// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/high_window.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lib/buffer.hh"
#include "lib/devtree.hh"
#include "lib/kmsg.hh"
#include "lib/moves.hh"

namespace harness
{

namespace
{

void moves(Report &report, const Rig &rig, std::string_view window, std::uint64_t start)
{
	report.check(fmt::format("{}: the device reads and writes there", window), moves_data(rig, start),
		     fmt::format("{:#x}", start));
}

// As QEMU and DPDK do: the window that GET_INFO tells of goes first, then they make their own.
void as_clients_do(Report &report, const Rig &rig, const Tree_window &low)
{
	auto &container = rig.container();
	auto info = container.get_info();
	if (!report.step("GET_INFO", info))
		return;
	report.check("it has no default window of 32 bits",
		     info->dma32_window_start == 0 && info->dma32_window_size == 0,
		     fmt::format("{:#x}+{:#x}", info->dma32_window_start, info->dma32_window_size));
	report.check("and says that windows can be made", info->flags & VFIO_IOMMU_SPAPR_INFO_DDW,
		     fmt::format("flags {:#x}", info->flags));
	moves(report, rig, "the default window", low.start);
	report.step("TCE_REMOVE(0), which is what GET_INFO has said", container.tce_remove(0));
	report.step("and once more", container.tce_remove(0), Errno{EINVAL});
	auto back = container.tce_create(12, low.size, 1);
	if (!report.step("TCE_CREATE of the default window's size", back))
		return;
	report.check("it is the default window", *back == low.start, fmt::format("{:#x}", *back));
	moves(report, rig, "the default window, back", *back);
	auto ddw = container.tce_create(page_shift(), 1ull << 32, 1);
	if (!report.step("TCE_CREATE a DDW", ddw))
		return;
	moves(report, rig, "the DDW", *ddw);
	report.step("TCE_REMOVE the default window by its place", container.tce_remove(*back));
	moves(report, rig, "the DDW alone", *ddw);
	report.step("TCE_REMOVE(0) leaves the DDW alone", container.tce_remove(0), Errno{EINVAL});
	report.step("TCE_REMOVE the DDW", container.tce_remove(*ddw));
}

// A v1 container has that window alone, and no way to tell where it is.
void v1_is_refused(Report &report, Result<Kmsg> &log, const Pci_function &function)
{
	if (log)
		(void)log->lines();
	report.step("SET_IOMMU type 2 (v1)", Rig::open(function, type_v1), Errno{EINVAL});
	auto lines = log ? log->lines() : std::vector<std::string>{};
	auto why = std::ranges::count_if(lines, [](const std::string &line) {
		return line.find("tcewin: ") != std::string::npos && line.find("above 4 GiB") != std::string::npos;
	});
	report.check("one line in the log says why", why == 1, fmt::format("{}", why));
}

} // namespace

bool run_high_window(const Options &options)
{
	auto log = Kmsg::follow();
	return run_on_edu(options, "a default window above 4 GiB", [&](Report &report, const Pci_function &function) {
		auto tree = tree_windows(function);
		if (!report.check("the PE has one", tree.size() == 1 && tree[0].start >> 32, to_string(tree)))
			return;
		for (auto when : {"SET_IOMMU type 7", "and once more"}) {
			auto rig = Rig::open(function);
			if (report.step(when, rig))
				as_clients_do(report, **rig, tree[0]);
		}
		v1_is_refused(report, log, function);
		auto now = tree_windows(function);
		report.check("the device tree is as it was", now == tree, to_string(now));
	});
}

} // namespace harness
