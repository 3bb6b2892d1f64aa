// SPDX-License-Identifier: GPL-2.0-only
// KVM's hold of a table when its process is killed, and against rmmod.
#include <signal.h>

#include <thread>

#include "cmd/kvm_bench.hh"
#include "lib/bare.hh"
#include "lib/exit_status.hh"
#include "lib/moves.hh"
#include "lib/pattern.hh"

namespace harness
{

namespace
{

using namespace std::chrono_literals;
constexpr auto near = Kvm_bench::near;

struct Target {
	bool ready;
	std::uint64_t iova;
};

// Set up, tried, said so; then its CPU is at work until it is killed.
[[noreturn]] void work_until_killed(Kvm_bench &b, Buffer shared, int pipe)
{
	Target target{};
	if (b.set_up_container(page_shift(), std::move(shared)) && b.set_up_machine()) {
		auto table = b.make_table(Kvm_bench::liobn, b.window_shift);
		target.ready = table && b.join(*table) && b.answered("H_PUT_TCE", b.put(1, near)) &&
			       b.moves("before SIGKILL", 1, near);
		target.iova = b.iova(1);
		(void)!::write(pipe, &target, sizeof target);
		for (std::uint64_t i = 0; target.ready; ++i) {
			(void)b.put(2 + i % 64, near + i % Kvm_bench::near_units);
			(void)b.stuff(2 + i % 48, 16);
		}
	}
	::_exit(1);
}

bool changed_at(const Edu &edu, std::uint64_t ioba, std::span<std::byte> memory)
{
	fill(memory, 71);
	(void)edu.to_ram(0, ioba, 2048);
	(void)edu.from_ram(ioba, 0, 2048);
	for (std::uint64_t i = 0; i < memory.size(); ++i)
		if (memory[i] != pattern_at(71, i))
			return true;
	return false;
}

void aim_at_the_dead(Kvm_bench &b, const Target &target, const Buffer &shared)
{
	auto edu = bare_edu(b.function);
	if (!b.report.step("the device, no container anywhere", edu))
		return;
	bool changed = changed_at(*edu, target.iova, shared.bytes());
	b.report.check("device writes where the dead one's entry was", !changed, changed ? "ARRIVED" : "nothing");
}

} // namespace

void kvm_killed(Kvm_bench &b)
{
	auto shared = Buffer::shared(Kvm_bench::units * Kvm_bench::unit_size());
	int ends[2];
	if (!b.report.step("memory that outlives its user (memfd)", shared) || ::pipe(ends) != 0)
		return;
	auto pid = ::fork();
	if (pid == 0)
		work_until_killed(b, std::move(*shared), ends[1]);
	Fd in{ends[0]};
	{
		Fd out{ends[1]}; // so that its end is seen
	}
	Target target{};
	if (pid < 0 || ::read(in.get(), &target, sizeof target) != sizeof target)
		target = {};
	std::this_thread::sleep_for(500ms);
	int status = 0;
	auto working = pid > 0 && ::waitpid(pid, &status, WNOHANG) == 0;
	if (working) {
		::kill(pid, SIGKILL);
		::waitpid(pid, &status, 0);
	}
	if (b.report.check("a process with a virtual CPU at work, SIGKILL",
			   target.ready && working && ended_by(status, SIGKILL), to_text_of_end(status)))
		aim_at_the_dead(b, target, *shared);
	auto again = Rig::open(b.function);
	if (b.report.step("a container can be set up again", again))
		b.report.check("and works", moves_data(**again), "asked");
}

void kvm_rmmod(Kvm_bench &b)
{
	auto driver = b.options.driver;
	auto idle = module_refs(module_of(driver));
	auto refused = [&](std::string_view when) {
		if (stays(driver)) {
			auto now = module_refs(module_of(driver));
			b.report.check(fmt::format("the driver is held: {}", when), now > idle,
				       fmt::format("{}, before {}", now.value_or(-1), idle.value_or(-1)));
			return;
		}
		auto done = unload(driver);
		b.report.check(fmt::format("rmmod is refused: {}", when),
			       !done && (done.error() == Errno{EWOULDBLOCK} || done.error() == Errno{EBUSY}),
			       outcome(done));
	};
	if (!b.set_up())
		return;
	b.answered("H_PUT_TCE", b.put(1, near));
	refused("everything is open");
	b.report.step("TCE_REMOVE: KVM lets go of a table with its group otherwise",
		      b.container().tce_remove(b.window));
	b.drop_container();
	refused("container closed, KVM has the group");
	b.told("H_PUT_TCE", b.put(2, near));
	b.vfio->close();
	// Of which it may lose count: a table that leads nowhere needs no driver.
	if (!stays(driver))
		b.report.step("rmmod: KVM has nothing but the table", unload(driver));
	else
		b.report.check("held no more: KVM has nothing but the table", module_refs(module_of(driver)) == idle,
			       "asked");
	b.left_to_us("the driver is gone: H_PUT_TCE", b.put(3, near));
	std::uint64_t tces[] = {b.gpa(near + 1) | tce_both, b.gpa(near + 2) | tce_both};
	b.left_to_us("H_PUT_TCE_INDIRECT", b.put_list(2, tces));
	b.answered("H_STUFF_TCE", b.stuff(0, 16));
	b.report.step("the driver again, under that table", load(driver, b.options.source));
	b.left_to_us("H_PUT_TCE", b.put(3, near));
	b.table->close();
	if (!stays(driver))
		b.report.step("rmmod, the table closed", unload(driver));
	b.report.step("and the driver again", load(driver, b.options.source));
}

} // namespace harness
