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

bool run_on_edu(const Options &options, std::string_view what,
		const std::function<void(Report &, const Pci_function &)> &use)
{
	Report report;
	report.heading(fmt::format("{}, driver {}", what, name_of(options.driver)));
	auto kmsg = Kmsg::follow();
	auto function = prepare(report, options);
	if (!function)
		return false;
	auto before = Counts::rested();
	use(report, *function);
	auto after = settled(before);
	report.check("VmLck and pinned pages are back after close", after == before, difference(before, after));
	report.step(fmt::format("rmmod {}", module_of(options.driver)), unload(options.driver));
	check_splats(report, kmsg);
	report.summary();
	return report.good();
}

} // namespace harness
