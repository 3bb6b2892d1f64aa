// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/kvm.hh"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <new>
#include <thread>

#include "cmd/kvm_bench.hh"
#include "lib/counts.hh"
#include "lib/exit_status.hh"
#include "lib/kmsg.hh"

namespace harness
{

namespace
{

using namespace std::chrono_literals;
constexpr auto patience = 240s; // for one scenario

struct Scenario {
	const char *name;
	const char *what;
	void (*play)(Kvm_bench &);
};

constexpr Scenario scenarios[] = {
	{"attach", "which tables KVM takes", kvm_attach},
	{"hypercalls", "H_PUT_TCE, H_PUT_TCE_INDIRECT and H_STUFF_TCE, and the device after each", kvm_hypercalls},
	{"large-pages", "pages of KVM's table larger than the window's", kvm_large_pages},
	{"past-the-end", "ranges of entries that begin in the window and end behind it", kvm_past_the_end},
	{"empty-entries", "H_PUT_TCE_INDIRECT of TCEs without permission", kvm_empty_entries},
	{"meet", "hypercalls over what an ioctl made, and ioctls over what a hypercall made", kvm_meet},
	{"unregister", "UNREGISTER_MEMORY of what hypercalls mapped", kvm_unregister},
	{"remove", "TCE_REMOVE while KVM has the table", kvm_remove},
	{"leave", "the group leaves its container while KVM has the table", kvm_leave},
	{"container-first", "container, group and device closed before KVM's table", kvm_container_first},
	{"table-first", "KVM's table closed first", kvm_table_first},
	{"machine-first", "the machine closed first", kvm_machine_first},
	{"killed", "a process that dies of SIGKILL, its virtual CPU at work", kvm_killed},
	{"killed-in-clear", "a process that is killed in the middle of a very large H_STUFF_TCE", kvm_killed_in_clear},
	{"race", "hypercalls against MAP, UNMAP and REMOVE of the same entries", kvm_race},
	{"one-entry", "virtual CPUs and an ioctl at one entry at a time", kvm_one_entry},
	{"two-groups", "a window that two PEs have", kvm_two_groups},
	{"elsewhere", "memory that another container registered, which is closed first", kvm_elsewhere},
	{"rmmod", "rmmod while KVM has the table", kvm_rmmod},
	{"two-groups-joined", "on PowerNV: both PEs of a window given to KVM", kvm_two_groups_joined},
	{"join-twice", "a table joined twice to one window", kvm_join_twice},
};

[[noreturn]] void be_the_child(const Scenario &scenario, Report &report, const Kvm_options &options,
			       const Pci_function &function)
{
	auto before = Counts::rested();
	{
		Kvm_bench bench{report, options, function};
		scenario.play(bench);
	}
	auto after = settled(before);
	report.check("VmLck and pinned pages are back after close", after == before, difference(before, after));
	::_exit(0);
}

// Its exit status; nothing: it does not end, or was killed for that.
std::optional<int> wait_for(pid_t pid)
{
	auto deadline = std::chrono::steady_clock::now() + patience;
	int status = 0;
	while (std::chrono::steady_clock::now() < deadline) {
		if (::waitpid(pid, &status, WNOHANG) == pid)
			return status;
		std::this_thread::sleep_for(20ms);
	}
	::kill(pid, SIGKILL);
	std::this_thread::sleep_for(5s);
	(void)::waitpid(pid, nullptr, WNOHANG);
	return std::nullopt;
}

// In a process of its own: memory that stays registered by mistake goes with it, and the next one starts afresh.
void play(Report &report, const Scenario &scenario, const Kvm_options &options, const Pci_function &function)
{
	report.heading(fmt::format("{}: {}", scenario.name, scenario.what));
	mark(fmt::format("kvm {}", scenario.name));
	auto kmsg = Kmsg::follow(options.expected);
	auto before = Counts::rested();
	auto shared = Buffer::shared(page_size());
	if (!report.step("memory for the score", shared))
		return;
	auto &score = *new (shared->bytes().data()) Report;
	auto pid = ::fork();
	if (pid == 0)
		be_the_child(scenario, score, options, function);
	auto status = pid > 0 ? wait_for(pid) : std::nullopt;
	report.add(score);
	report.check("it came to its end", status && ended_well(*status), status ? to_text_of_end(*status) : "no end");
	auto after = settled(before);
	report.check("and nothing of it is pinned any more", after == before, difference(before, after));
	check_splats(report, kmsg);
}

void play_all(Report &report, const Kvm_options &options, const Pci_function &function)
{
	if (!report.step("modprobe kvm-hv", modprobe("kvm-hv")))
		return;
	for (auto &scenario : scenarios)
		if (options.only.empty() || std::ranges::count(options.only, scenario.name) > 0)
			play(report, scenario, options, function);
}

} // namespace

std::vector<std::string> kvm_scenario_names()
{
	std::vector<std::string> names;
	for (auto &scenario : scenarios)
		names.emplace_back(scenario.name);
	return names;
}

bool run_kvm(const Kvm_options &options)
{
	return run_on_edu(options, "KVM's hypercalls in our windows",
			  [&](Report &report, const Pci_function &function) { play_all(report, options, function); });
}

} // namespace harness
