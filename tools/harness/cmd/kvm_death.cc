// SPDX-License-Identifier: GPL-2.0-only
// KVM's hold of a table when its process is killed, and against rmmod.
#include <signal.h>
#include <sys/time.h>

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

using Clock = std::chrono::steady_clock;
struct Clear {
	Clock::time_point begin; // of the long one
	Clock::duration one;	 // how long a page of KVM's takes; 0: it did not come to that
};

// With a timer, for the machine may have one CPU, and that one does nothing else then.
[[noreturn]] void clear_until_killed(Kvm_bench &b, int pipe)
{
	constexpr unsigned small = 12, large = 32;
	Clear clear{};
	b.window_size = std::uint64_t{512} << 30;
	if (b.set_up_container(small) && b.set_up_machine()) {
		auto table = b.make_table(Kvm_bench::liobn, large);
		auto pages = [&](std::uint64_t count) {
			return stuff_tce(b.vm->cpu(), Kvm_bench::liobn, b.window, 0, count);
		};
		auto begin = Clock::now();
		if (table && b.join(*table) && b.answered("H_STUFF_TCE of one page of KVM's", pages(1)))
			clear = {.begin = Clock::now(), .one = Clock::now() - begin};
		(void)!::write(pipe, &clear, sizeof clear);
		auto micros = std::chrono::duration_cast<std::chrono::microseconds>(clear.one).count();
		itimerval timer{.it_interval = {},
				.it_value = {.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000}};
		if (clear.one.count() != 0 && ::setitimer(ITIMER_REAL, &timer, nullptr) == 0)
			(void)pages(b.window_size >> large);
	}
	::_exit(1);
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

// H_STUFF_TCE of a table whose pages are far larger than the window's is a loop of KVM's that looks for no signal.
void kvm_killed_in_clear(Kvm_bench &b)
{
	int ends[2];
	if (!b.report.check("a pipe", ::pipe(ends) == 0, "pipe"))
		return;
	auto pid = ::fork();
	if (pid == 0)
		clear_until_killed(b, ends[1]);
	Fd in{ends[0]};
	{
		Fd out{ends[1]}; // so that its end is seen
	}
	Clear clear{};
	int status = 0;
	bool ready = pid > 0 && ::read(in.get(), &clear, sizeof clear) == sizeof clear && clear.one.count() != 0;
	bool ended = pid > 0 && ::waitpid(pid, &status, 0) == pid;
	auto took = Clock::now() - clear.begin;
	// That it ends soon no clock tells for sure: where it does not, the kernel's log has a soft lockup.
	b.report.check("a timer's signal in a clear of 128 pages", ready && ended && ended_by(status, SIGALRM),
		       to_text_of_end(status));
	b.report.note(fmt::format("it ended after {} ms, a page takes {} ms", took / 1ms, clear.one / 1ms));
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
