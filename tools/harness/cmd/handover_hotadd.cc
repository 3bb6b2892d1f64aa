// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>

#include <barrier>
#include <thread>

#include "cmd/handover.hh"
#include "cmd/tenant.hh"
#include "lib/devtree.hh"
#include "lib/modules.hh"
#include "lib/rig.hh"
#include "lib/sysfs.hh"
#include "lib/tally.hh"

namespace harness
{

namespace
{

// Removed and found again, it must come up as its PE is: the user's.
bool come_back(Report &report, const Pci_function &function, int group)
{
	if (!report.step(fmt::format("remove {}", function.address()), write_file(function.sysfs("remove"), "1")))
		return false;
	report.check("it is gone", !exists(function.sysfs("")), "asked");
	report.step("rescan", write_file("/sys/bus/pci/rescan", "1"));
	if (!report.check("it is back", exists(function.sysfs("")), "asked"))
		return false;
	auto now = function.group();
	report.check("in the group it was in", now == group, now ? fmt::format("{}", *now) : now.error().name());
	auto driver = function.driver();
	report.check("the kernel's driver does not get it", !driver, driver.value_or("none"));
	auto table = edu_host::has_table(function);
	report.check("the kernel's DMA API has no table for it", table == false,
		     table ? (*table ? "A TABLE" : "none") : table.error().name());
	return now == group;
}

void while_owned(Report &report, Driver driver, const Functions &functions, Windows state, const Buffer &memory,
		 std::vector<std::uint64_t> &iobas)
{
	auto &owned = functions[0], &added = functions[1];
	report.heading(
		fmt::format("{} comes while the user has {}: {}", added.address(), owned.address(), name_of(state)));
	auto group = added.group();
	auto tenant = Tenant::move_in(report, functions, driver, memory);
	if (!tenant || !tenant->arrange(state))
		return;
	report.note("device tree: " + to_string(tree_windows(owned)));
	if (!group || !come_back(report, added, *group))
		return;
	if (!report.step(fmt::format("{} to vfio-pci", added.address()), added.bind_vfio()) || !tenant->open(added))
		return;
	tenant->try_everything();
	// And with windows, if there were none.
	if (state == Windows::none && tenant->arrange(Windows::both))
		tenant->try_everything();
	iobas = tenant->iobas();
}

// With the last function gone VFIO takes the group out of its container, which is still open.
void all_go(Report &report, Driver driver, const Functions &functions, const Buffer &memory)
{
	report.heading("both of them go while the user's container is open, and come again");
	if (!kernel_owns(report, functions, 64) || !kernel_leaves(report, functions))
		return;
	auto tenant = Tenant::move_in(report, functions, driver, memory);
	if (!tenant || !tenant->arrange(Windows::both))
		return;
	tenant->close_all();
	for (auto &function : functions)
		report.step(fmt::format("remove {}", function.address()), write_file(function.sysfs("remove"), "1"));
	report.step("rescan", write_file("/sys/bus/pci/rescan", "1"));
	for (auto &function : functions) {
		auto has = function.driver();
		report.check(fmt::format("the driver of {}", function.address()), has == "edu_host",
			     has.value_or("none"));
	}
	auto iobas = tenant->iobas();
	nothing_of_the_users(report, functions, iobas, memory.bytes());
	tenant.reset();
	kernel_owns(report, functions, 64);
}

// New to the kernel, and given to vfio-pci by one thread each.
void bind_at_once(const Functions &functions)
{
	for (auto &function : functions)
		(void)write_file(function.sysfs("remove"), "1");
	(void)write_file("/sys/bus/pci/rescan", "1");
	std::barrier together{static_cast<std::ptrdiff_t>(functions.size())};
	std::vector<std::jthread> threads;
	for (auto &function : functions)
		threads.emplace_back([&] {
			(void)write_file(function.sysfs("driver_override"), "vfio-pci");
			together.arrive_and_wait();
			(void)write_file("/sys/bus/pci/drivers_probe", function.address());
		});
}

// A PE that both adopt is adopted once: else no user gets it any more.
void both_at_once(Report &report, const Handover_options &options, const Functions &functions)
{
	constexpr unsigned rounds = 30;
	report.heading("both of them come, and are bound at the same moment");
	// There the VFIO core makes a group for each of two that come at once, and WARNs when it drops the second.
	if (kernel_is_before(6, 2)) {
		report.note("n/a: the VFIO core of this kernel cannot have two at once");
		return;
	}
	if (!report.step("rmmod edu_host, which would have them one after the other", rmmod("edu_host")))
		return;
	Tally tally;
	for (unsigned i = 0; i < rounds; ++i) {
		bind_at_once(functions);
		tally("open", Rig::open(functions[i % functions.size()]));
	}
	tally.print();
	auto times = tally.times("open", expect_ok);
	report.check("a user gets the PE each time", times == rounds, fmt::format("{} of {}", times, rounds));
	report.step("insmod edu_host", insmod(options.host_module, "dma_bits=32"));
	kernel_owns(report, functions, 64);
}

} // namespace

void hot_add(Report &report, const Handover_options &options, const Functions &given, const Buffer &memory)
{
	std::vector<std::uint64_t> iobas;
	auto functions = given;
	for (auto state : every_state) {
		if (!kernel_owns(report, functions, 64) || !kernel_leaves(report, functions))
			return;
		while_owned(report, options.driver, functions, state, memory, iobas);
		nothing_of_the_users(report, functions, iobas, memory.bytes());
		// Each of them is sometimes the one that stays: it need not be the one that the PE was taken through.
		std::swap(functions[0], functions[1]);
	}
	all_go(report, options.driver, given, memory);
	both_at_once(report, options, given);
}

} // namespace harness
