// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/roundtrip.hh"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/borrower.hh"
#include "lib/counts.hh"
#include "lib/devtree.hh"
#include "lib/disk.hh"
#include "lib/kmsg.hh"
#include "lib/platform.hh"

namespace harness
{

namespace
{

// On bare metal the kernel's own devices have the bypass; the driver's queues are there then.
bool has_direct_mapping(const Pci_function &disk, const std::vector<Tree_window> &windows)
{
	if (!platform().windows_in_tree) {
		auto queues = admin_queues(disk);
		return queues && queues->submission >= bypass;
	}
	return std::ranges::any_of(windows,
				   [](auto &window) { return window.property == "linux,direct64-ddr-window-info"; });
}

bool kernel_reads(Report &report, const Roundtrip_options &options, const Pci_function &disk, std::string_view when)
{
	auto windows = tree_windows(disk);
	report.note("device tree: " + to_string(windows));
	bool direct = has_direct_mapping(disk, windows);
	report.check(fmt::format("{}: a direct mapping of all memory", when), direct == options.direct,
		     direct ? "yes" : "no");
	if (!report.step("mount", mount_disk()))
		return false;
	auto sums = sound_files();
	report.check(fmt::format("{}: the files are as their sums", when), sums.value_or(0) > 0,
		     sums ? fmt::format("{} files", *sums) : sums.error().name());
	return report.step("umount", unmount_disk()) && sums;
}

template <typename Change>
void while_read(Report &report, std::string_view what, Change change)
{
	Reading reading;
	report.check("the disk is being read", reading.goes_on(), fmt::format("{} reads", reading.reads()));
	report.step(what, change());
	report.check("and still is", reading.goes_on(), fmt::format("{} reads", reading.reads()));
	report.check("no read failed", reading.errors() == 0, fmt::format("{}", reading.errors()));
}

bool kernel_has(Report &report, const Pci_function &disk)
{
	auto driver = disk.driver();
	return report.check("the disk's driver", driver == "nvme", driver.value_or("none")) &&
	       report.step("it has found the disk", wait_for_disk());
}

} // namespace

bool run_roundtrip(const Roundtrip_options &options)
{
	Report report;
	report.heading("a disk of the kernel's, lent to a user");
	report.note(kernel_line());
	auto kmsg = Kmsg::follow(options.expected);
	auto edus = pci_functions(edu_id), disks = pci_functions(nvme_id);
	bool together = edus.size() == 1 && disks.size() == 1 && edus[0].group() == disks[0].group();
	auto memory = Buffer::anonymous(Borrower::memory_size, Borrower::unit);
	if (!report.check("an edu device and a disk in one PE", together,
			  fmt::format("{} and {}", edus.size(), disks.size())) ||
	    !report.step("memory of the user's", memory) || !report.step("modprobe vfio-pci", modprobe("vfio-pci")) ||
	    !report.step("modprobe nvme", modprobe("nvme")) || !report.step("modprobe ext4", modprobe("ext4")))
		return false;
	auto &disk = disks[0];
	if (!kernel_has(report, disk) || !kernel_reads(report, options, disk, "before"))
		return false;
	while_read(report, fmt::format("load {} and only it", module_of(options.driver)),
		   [&] { return load_only(options.driver, options.source); });
	kernel_reads(report, options, disk, "adopted");

	auto before = Counts::rested();
	auto idle = module_refs(module_of(options.driver));
	Borrower borrower{report, edus[0], disk, *memory};
	borrower.spy_on_queues();
	if (borrower.borrow(options.driver))
		borrower.aim_at_own();
	auto after = settled(before);
	report.check("VmLck and pinned pages are back", after == before, difference(before, after));

	report.step("the disk back to the kernel", disk.unbind_vfio());
	if (kernel_has(report, disk) && kernel_reads(report, options, disk, "back")) {
		if (stays(options.driver)) {
			check_rmmod(report, options.driver, idle);
		} else {
			while_read(report, fmt::format("rmmod {}", module_of(options.driver)),
				   [&] { return unload(options.driver); });
			kernel_reads(report, options, disk, "without tcewin");
		}
	}
	return end(report, kmsg);
}

} // namespace harness
