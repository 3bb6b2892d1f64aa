// SPDX-License-Identifier: GPL-2.0-only
// The part of "firmware" that leaves PEs in quarantine: in a guest of its own.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cmd/firmware.hh"
#include "firmware/stuck.hh"
#include "lib/kmsg.hh"

namespace harness
{

namespace
{

using namespace std::chrono_literals;
using namespace firmware;

// One function of each PE, bound to vfio-pci.
std::vector<Pci_function> all_pes(Report &report)
{
	std::vector<Pci_function> pes;
	std::set<int> seen;
	for (auto &function : pci_functions(edu_id)) {
		auto group = function.group();
		if (!group || !seen.insert(*group).second)
			continue;
		report.step(fmt::format("bind {} to vfio-pci", function.address()), function.bind_vfio());
		pes.push_back(function);
	}
	return pes;
}

bool is_wanted(const std::string &line)
{
	return line.contains("a translation stays, and its pages stay pinned") ||
	       line.contains("in quarantine: blocked until its devices are removed");
}

void log_is_right(Report &report, std::vector<std::string> lines)
{
	auto told = std::ranges::count_if(lines, [](auto &line) { return line.contains("in quarantine: blocked"); });
	report.check("the log says once that a PE is in quarantine", told == 1, fmt::format("{} times", told));
	std::erase_if(lines, [](auto &line) { return is_wanted(line) || !is_splat(line); });
	report.check("the kernel found no fault in itself", lines.empty(), fmt::format("{} lines", lines.size()));
	for (auto &line : lines)
		report.note(line);
}

void run_scenario(Report &report, const Stuck &scenario, const std::vector<Pci_function> &pes, Kmsg &kmsg)
{
	report.heading(scenario.name);
	mark(scenario.name);
	auto before = Counts::rested();
	auto told = in_a_process([&](const Say &say) { scenario.run(pes, say); }, 90s);
	Faults::disarm();
	report.check("it comes to its end", told.ended, told.ended ? "ended" : "not");
	report.check("all is as it has to be", told.lines.empty(), fmt::format("{} faults", told.lines.size()));
	for (auto &line : told.lines)
		report.note(line);
	auto wanted = before;
	wanted.pinned += scenario.stays / page_size();
	auto after = settled(wanted);
	report.check(fmt::format("{} KiB stay pinned", scenario.stays >> 10), after == wanted,
		     difference(before, after));
	log_is_right(report, kmsg.lines());
}

} // namespace

bool run_stuck(const Firmware_options &options)
{
	Report report;
	report.heading(fmt::format("firmware that refuses for ever, driver {}", name_of(options.driver)));
	auto kmsg = Kmsg::follow();
	if (!prepare(report, options) || !report.step("follow the kernel's log", kmsg))
		return false;
	auto pes = all_pes(report);
	for (auto &scenario : stuck_scenarios()) {
		if (!report.check(fmt::format("PEs for {}", scenario.name), pes.size() >= scenario.pes,
				  std::to_string(pes.size())))
			break;
		run_scenario(report, scenario, {pes.begin(), pes.begin() + scenario.pes}, *kmsg);
		pes.erase(pes.begin(), pes.begin() + scenario.pes);
	}
	report.step("rmmod tcewin, which the PEs in quarantine keep", unload(options.driver), Errno{EWOULDBLOCK});
	report.summary();
	return report.good();
}

} // namespace harness
