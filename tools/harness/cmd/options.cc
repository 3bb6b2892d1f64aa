// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/options.hh"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "lib/buffer.hh"
#include "lib/counts.hh"
#include "lib/kmsg.hh"
#include "lib/rig.hh"

namespace harness
{

std::string kernel_line()
{
	utsname name;
	::uname(&name);
	return fmt::format("Linux {}, pages of {} KiB", name.release, page_size() >> 10);
}

std::string to_text(std::optional<Driver> driver) { return driver ? std::string{name_of(*driver)} : "nobody known"; }

std::optional<Pci_function> prepare(Report &report, const Options &options)
{
	report.note(kernel_line());
	if (!report.step(fmt::format("load {} and only it", module_of(options.driver)),
			 load_only(options.driver, options.source)))
		return std::nullopt;
	auto function = Rig::find();
	if (!report.step("find an edu device (1234:11e8)", function))
		return std::nullopt;
	if (!report.step(fmt::format("bind {} to vfio-pci", function->address()), function->bind_vfio()))
		return std::nullopt;
	return *function;
}

void check_rmmod(Report &report, Driver driver, std::optional<int> idle)
{
	auto name = module_of(driver);
	if (!stays(driver)) {
		report.step(fmt::format("rmmod {}", name), unload(driver));
		return;
	}
	report.step(fmt::format("rmmod {}, which this kernel has as its IOMMU driver", name), unload(driver),
		    Errno{EWOULDBLOCK});
	if (!idle)
		return;
	auto now = module_refs(name);
	report.check("only that keeps it: its references are as before", now == idle,
		     fmt::format("{}, before {}", now.value_or(-1), *idle));
}

bool run_on_edu(const Options &options, std::string_view what,
		const std::function<void(Report &, const Pci_function &)> &use)
{
	Report report;
	report.heading(fmt::format("{}, driver {}", what, name_of(options.driver)));
	auto kmsg = Kmsg::follow(options.expected);
	auto function = prepare(report, options);
	if (!function)
		return false;
	auto before = Counts::rested();
	auto idle = module_refs(module_of(options.driver));
	use(report, *function);
	auto after = settled(before);
	report.check("VmLck and pinned pages are back after close", after == before, difference(before, after));
	check_rmmod(report, options.driver, idle);
	return end(report, kmsg);
}

} // namespace harness
