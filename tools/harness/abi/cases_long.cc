// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: what a call that takes long lets others do meanwhile. Times are told and never judged.
#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/bystander.hh"

namespace harness::abi
{

namespace
{

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast, std::chrono::microseconds;
constexpr std::uint64_t gigabyte = 1 << 30;

// ---- a long call ----

// A gigabyte of addresses, in a window of 4 KiB pages.
Result<> take_gigabyte(Bench &b)
{
	auto own = Buffer::echo(gigabyte, 16 << 20);
	if (!own)
		return std::unexpected{own.error()};
	b.own.emplace(std::move(*own));
	auto window = Window::create(b.container(), 12, 2 * gigabyte);
	if (!window)
		return std::unexpected{window.error()};
	b.ddw.emplace(std::move(*window));
	return b.container().register_memory(b.own->address(), gigabyte);
}
Result<> give_gigabyte_back(Bench &b)
{
	auto removed = b.ddw->remove();
	b.ddw.reset();
	return removed ? unregister(b, b.own->address(), gigabyte) : removed;
}

struct Call_cost {
	microseconds took;
	microseconds gap; // of the other thread
	long switches;
};

Result<Call_cost> beside_a_spinner(Bench &b)
{
	Bystander spinner{Bystander::Kind::spins};
	std::this_thread::sleep_for(std::chrono::milliseconds{20});
	auto before = switches_so_far();
	auto begin = Clock::now();
	auto done = map(b, b.ddw->start(), b.own->address(), gigabyte);
	auto took = duration_cast<microseconds>(Clock::now() - begin);
	auto switches = switches_so_far() - before;
	auto gap = spinner.end();
	return done ? Result<Call_cost>{Call_cost{took, gap, switches}} : fail(done.error().code());
}

// The last switch may be the one on the way out. A call of few time slices says nothing.
Result<> map_gigabyte(Bench &b)
{
	if (auto done = stay_on_this_cpu(); !done)
		return done;
	auto cost = beside_a_spinner(b);
	if (!cost)
		return fail(cost.error().code());
	b.facts.push_back(fmt::format("MAP of 1 GiB: {} us with another thread on its CPU, which waited {} us at most; "
				      "{} switches",
				      cost->took.count(), cost->gap.count(), cost->switches));
	return cost->took > std::chrono::milliseconds{100} && cost->switches < 3 ? fail(EPROTO) : Result<>{};
}

// ---- a fatal signal ----

[[noreturn]] void register_and_map_for_ever(Bench &b, int ready)
{
	for (bool told = false;; told = true) {
		if (!b.container().register_memory(b.own->address(), gigabyte))
			::_exit(1);
		if (!told)
			(void)!::write(ready, "r", 1);
		(void)map(b, b.iova(0), b.own->address(), gigabyte);
		(void)b.container().unmap(b.iova(0), gigabyte);
		(void)b.container().unregister_memory(b.own->address(), gigabyte);
	}
}

// The child, whose container it becomes, is killed in one of its calls. EPERM: what is left is nobody's.
Result<> killed_in_a_call(Bench &b)
{
	auto own = Buffer::echo(gigabyte, 16 << 20);
	int ends[2];
	if (!own || ::pipe2(ends, O_CLOEXEC) != 0)
		return fail_errno();
	b.own.emplace(std::move(*own));
	auto pid = ::fork();
	if (pid == 0)
		register_and_map_for_ever(b, ends[1]);
	Fd in{ends[0]};
	::close(ends[1]);
	char told;
	if (pid < 0 || ::read(in.get(), &told, 1) != 1)
		return fail(ECHILD);
	std::this_thread::sleep_for(std::chrono::milliseconds{15});
	auto begin = Clock::now();
	::kill(pid, SIGKILL);
	int status = 0;
	if (::waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		return fail(ECHILD);
	b.facts.push_back(
		fmt::format("gone {} us after SIGKILL", duration_cast<microseconds>(Clock::now() - begin).count()));
	return register_extra(b);
}

const Case cases[] = {
	{.name = "defect/yields",
	 .row = "defects: a 1 GiB MAP yields",
	 .prepare = take_gigabyte,
	 .call = map_gigabyte,
	 .finish = give_gigabyte_back},
	{.name = "rules/killed-in-a-call",
	 .row = "rules: the longest call is interruptible by a fatal signal and undoes itself",
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = killed_in_a_call,
	 .afterwards = Afterwards::spent},
};

} // namespace

std::span<const Case> long_cases() { return cases; }

} // namespace harness::abi
