// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/references.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lib/counts.hh"
#include "lib/devtree.hh"
#include "lib/kmsg.hh"
#include "lib/platform.hh"
#include "lib/rig.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

constexpr unsigned users = 3;

void check_listed(Report &report, std::string_view what, bool wanted)
{
	auto listed = kernel_refs::is_listed();
	report.check(what, listed == wanted, listed ? (*listed ? "listed" : "gone") : listed.error().name());
}

// Such a range has no pages, so REGISTER_MEMORY refuses it; and has looked at it, under a reference.
void device_memory(Report &report, const Pci_function &function)
{
	report.heading("addresses that are a device's memory");
	auto range = Buffer::anonymous(16 * page_size());
	if (!report.step("addresses", range) ||
	    !report.step("the kernel lists them as a device's", kernel_refs::list_as_device(*range)))
		return;
	{
		auto rig = Rig::open(function);
		if (report.step("set a container up", rig))
			for (unsigned i = 0; i < users; ++i)
				report.step("REGISTER_MEMORY",
					    (*rig)->container().register_memory(range->address(), range->size()),
					    Errno{EFAULT});
		check_listed(report, "refused, the range is what it was", true);
		report.step("whoever listed it drops it", kernel_refs::drop_range());
		check_listed(report, "that was the last reference", false);
		if (rig) {
			auto &container = (*rig)->container();
			report.step("REGISTER_MEMORY: it is memory now",
				    container.register_memory(range->address(), range->size()));
			report.step("UNREGISTER_MEMORY", container.unregister_memory(range->address(), range->size()));
		}
	}
}

// Each kind of window has been in the device tree then: the DDW beside the default window, and after it.
Result<> use_windows(const Container &container)
{
	auto info = container.get_info();
	if (!info)
		return std::unexpected{info.error()};
	auto start = container.tce_create(page_shift(), 16 << 20, 1);
	if (!start)
		return std::unexpected{start.error()};
	if (auto removed = container.tce_remove(*start); !removed)
		return removed;
	if (auto removed = container.tce_remove(info->dma32_window_start); !removed)
		return removed;
	start = container.tce_create(page_shift(), 16 << 20, 1);
	return start ? Result<>{} : std::unexpected{start.error()};
}

void windows(Report &report, const Pci_function &function, const kernel_refs::Nodes &unloaded)
{
	report.heading("nodes of the device tree, with windows and without");
	for (unsigned i = 0; i < users; ++i) {
		auto rig = Rig::open(function);
		if (report.step("set a container up", rig))
			report.step("a DDW, neither, and another DDW", use_windows((*rig)->container()));
	}
	auto loaded = kernel_refs::nodes();
	if (!report.step("count references of nodes", loaded) || !tcewin_writes_tree())
		return;
	auto more = kernel_refs::difference(unloaded, *loaded);
	report.check("tcewin has some", more != "none", more);
}

std::string folder(int group) { return fmt::format("/sys/kernel/iommu_groups/{}", group); }

// There the group is the PE's, and the PE goes with its last device; on an LPAR both are the PHB's.
void last_device(Report &report, const Pci_function &function)
{
	report.heading("the last device of a PE goes");
	auto group = function.group();
	if (!report.step("its group", group))
		return;
	std::vector<std::string> members;
	for (auto &other : pci_functions())
		if (other.group() == *group)
			members.push_back(other.address());
	report.check("its group's folder is there", exists(folder(*group)), fmt::format("{} devices", members.size()));
	for (auto &address : members)
		report.step(fmt::format("remove {}", address), write_file(Pci_function{address}.sysfs("remove"), "1"));
	bool stays = exists(folder(*group));
	report.check("its group is gone", !stays, stays ? "STILL THERE" : "gone");
	report.step("rescan", write_file("/sys/bus/pci/rescan", "1"));
	report.check("the device is back", exists(function.sysfs("")), "asked");
	report.step("and works", Rig::open(function));
}

void with_tcewin(Report &report, const Options &options, const kernel_refs::Nodes &unloaded)
{
	auto function = prepare(report, options);
	if (!function)
		return;
	device_memory(report, *function);
	windows(report, *function, unloaded);
	if (platform().powernv)
		last_device(report, *function);
	check_rmmod(report, options.driver);
}

} // namespace

bool run_references(const References_options &options)
{
	Report report;
	report.heading("references that tcewin gives back");
	auto kmsg = Kmsg::follow(options.expected);
	auto function = Rig::find();
	if (report.step("insmod kernel_refs", insmod(options.refs_module)) &&
	    report.step("modprobe vfio-pci", modprobe("vfio-pci")) && report.step("find an edu device", function) &&
	    report.step("bind it to vfio-pci", function->bind_vfio())) {
		auto counts = Counts::rested();
		auto before = kernel_refs::nodes();
		if (report.step("count references of nodes", before)) {
			report.note(fmt::format("of {}: {}", function->address(), (*before)[function->address()]));
			with_tcewin(report, options, *before);
			auto after = kernel_refs::nodes();
			report.check("references of nodes are as they were before", after == before,
				     after ? kernel_refs::difference(*before, *after) : after.error().name());
		}
		auto end = settled(counts);
		report.check("VmLck and pinned pages as well", end == counts, difference(counts, end));
	}
	return end(report, kmsg);
}

} // namespace harness
