// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>

#include "cmd/handover.hh"
#include "cmd/tenant.hh"
#include "lib/faults.hh"
#include "lib/platform.hh"
#include "lib/rig.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

using namespace std::chrono_literals;

const std::vector<Fault> no_memory{{"tcewin_kernel_has_table", -12}};
// Memory is there, but whoever offers the PE to the kernel is not to press for it.
const std::vector<Fault> no_memory_at_hand{{"tcewin_memory_at_hand", -12}};
constexpr const char *only_marked_tasks = "/sys/kernel/debug/fail_function/task-filter";

// The kernel is offered the PE ever more seldom. Where it never gets it the guest ends at its limit.
bool has_table_at_last(const Pci_function &function)
{
	while (edu_host::has_table(function) != true)
		std::this_thread::sleep_for(50ms);
	return true;
}

void back_at_the_kernels(Report &report, const Functions &functions, std::string_view when)
{
	for (auto &function : functions)
		report.check(fmt::format("{}: {} has the kernel's table", when, function.address()),
			     has_table_at_last(function), "at last");
	for (auto &function : functions)
		report.step(fmt::format("{} to the kernel's driver", function.address()), edu_host::bind(function));
	kernel_moves(report, functions, when);
}

void nobody_gets_it(Report &report, const Functions &functions)
{
	// The group is claimed by a worker, which has only to be given a CPU.
	std::this_thread::sleep_for(300ms);
	auto user = Rig::open(functions[0]);
	report.check("no user gets it", !user, user ? "ONE DID" : user.error().name());
	for (auto &function : functions) {
		report.step(fmt::format("{} to the kernel's driver", function.address()), edu_host::bind(function),
			    Errno{ENODEV});
		auto table = edu_host::has_table(function);
		report.check("the kernel's DMA API has no table for it", table == false, table ? "?" : "none");
	}
}

// Memory that is short is not pressed for: the platform would have the kernel kill a process for it.
void presses_not(Report &report, const Functions &functions)
{
	auto want = Faults::arm(no_memory_at_hand);
	if (!report.step("memory is not at hand", want))
		return;
	while (!want->fired()) // it is asked ever more seldom
		std::this_thread::sleep_for(50ms);
	for (auto &function : functions)
		report.check(fmt::format("{} has no table", function.address()), edu_host::has_table(function) == false,
			     "asked");
}

void find_again(Report &report, const Functions &functions)
{
	for (auto &function : functions)
		report.step(fmt::format("remove {}", function.address()), write_file(function.sysfs("remove"), "1"));
	report.step("rescan", write_file("/sys/bus/pci/rescan", "1"));
}

// The kernel's driver is there, and is asked as soon as a device is found. It gets no DMA, whatever mask it sets.
void nobodys_when_found(Report &report, const Functions &functions)
{
	for (auto bits : {64U, 0U}) {
		report.step(fmt::format("a driver with {} bits", bits), edu_host::set_dma_bits(bits));
		find_again(report, functions);
		for (auto &function : functions)
			report.check(fmt::format("{} has no driver", function.address()),
				     function.driver() != "edu_host", function.driver().value_or("none"));
		nobody_gets_it(report, functions);
	}
	report.step("a driver with 64 bits", edu_host::set_dma_bits(64));
}

// A user of both windows leaves while all these fail, which they do from then on. Nothing: it did not come so far.
std::optional<Faults> leaves(Report &report, const Handover_options &options, const Functions &functions,
			     const Buffer &memory, const std::vector<Fault> &faults, std::string_view what)
{
	if (!kernel_leaves(report, functions))
		return {};
	auto tenant = Tenant::move_in(report, functions, options.driver, memory);
	if (!tenant || !tenant->arrange(Windows::both))
		return {};
	auto armed = Faults::arm(faults);
	if (!report.step(what, armed))
		return {};
	tenant.reset();
	return std::move(*armed);
}

void leaves_in_want(Report &report, const Handover_options &options, const Functions &functions, const Buffer &memory)
{
	report.heading("a user leaves while the kernel has no memory for its table");
	auto want = leaves(report, options, functions, memory, no_memory, "from now on it has none");
	if (!want)
		return;
	report.check("it was asked to take the PE back", want->fired(), "asked");
	nobody_gets_it(report, functions);
	report.step("one of them is removed", write_file(functions[1].sysfs("remove"), "1"));
	report.step("rescan", write_file("/sys/bus/pci/rescan", "1"));
	nobody_gets_it(report, functions);
	presses_not(report, functions);
	Faults::disarm();
	back_at_the_kernels(report, functions, "it has memory again");
}

// On an LPAR the table group stays when all devices go, and with it whose it is. Bare metal makes a new PE.
void all_go_in_want(Report &report, const Handover_options &options, const Functions &functions, const Buffer &memory)
{
	report.heading("all devices are found again while the kernel has no memory for its table");
	auto want = leaves(report, options, functions, memory, no_memory, "from now on it has none");
	if (!want)
		return;
	nobody_gets_it(report, functions);
	if (platform().powernv) {
		find_again(report, functions);
		kernel_moves(report, functions, "made anew");
	} else {
		nobodys_when_found(report, functions);
	}
	Faults::disarm();
	find_again(report, functions);
	kernel_moves(report, functions, "found again");
}

// What the platform does not tell: it is not memory that is missing.
void refused_in_want(Report &report, const Handover_options &options, const Functions &functions, const Buffer &memory)
{
	report.heading("a user leaves, and what the kernel needs for its table is refused");
	auto faults = no_memory;
	faults.push_back({platform().powernv ? "tcewin_fill_place" : "tcewin_tces_clear", -1});
	auto refusal = leaves(report, options, functions, memory, faults, "from now on it is");
	if (!refusal)
		return;
	Faults::disarm();
	std::this_thread::sleep_for(3s); // a shortage would be over
	nobody_gets_it(report, functions);
	find_again(report, functions);
	kernel_moves(report, functions, "found again");
}

// What it does on its way out is done with a fatal signal pending.
[[noreturn]] void die_with_the_group(const Handover_options &options, const Functions &functions, const Buffer &memory)
{
	Report silent;
	auto tenant = Tenant::move_in(silent, functions, options.driver, memory);
	if (!tenant || !write_file("/proc/self/make-it-fail", "1"))
		::_exit(1);
	::raise(SIGKILL);
	::_exit(1);
}

void is_killed(Report &report, const Handover_options &options, const Functions &functions, const Buffer &memory)
{
	report.heading("a user is killed: it is not his dying process that gives the PE back");
	if (!kernel_leaves(report, functions))
		return;
	auto want = Faults::arm(no_memory);
	if (!report.step("from now on there is no memory", want) ||
	    !report.step("for marked processes", write_file(only_marked_tasks, "Y")))
		return;
	std::fflush(stdout);
	auto child = ::fork();
	if (child == 0)
		die_with_the_group(options, functions, memory);
	int status = 0;
	::waitpid(child, &status, 0);
	report.check("it had the PE, and was killed", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		     fmt::format("{:#x}", status));
	report.check("nothing of it lacked memory", !want->fired(), "asked");
	for (auto &function : functions)
		report.check(fmt::format("{} has the kernel's table", function.address()),
			     edu_host::has_table(function) == true, "asked");
	Faults::disarm();
	report.step("for all processes", write_file(only_marked_tasks, "N"));
	back_at_the_kernels(report, functions, "after his end");
}

} // namespace

void no_memory_at_release(Report &report, const Handover_options &options, const Functions &functions,
			  const Buffer &memory)
{
	auto obstacle = Faults::obstacle({no_memory[0].function, no_memory_at_hand[0].function});
	if (!report.check("this kernel can lack memory on demand", obstacle.empty(), obstacle))
		return;
	report.step("a driver with 64 bits", edu_host::set_dma_bits(64));
	for (auto &function : functions)
		report.step(fmt::format("{} to the kernel's driver", function.address()), edu_host::bind(function));
	kernel_moves(report, functions, "before");
	leaves_in_want(report, options, functions, memory);
	is_killed(report, options, functions, memory);
	leaves_in_want(report, options, functions, memory);
	all_go_in_want(report, options, functions, memory);
	refused_in_want(report, options, functions, memory);
}

} // namespace harness
