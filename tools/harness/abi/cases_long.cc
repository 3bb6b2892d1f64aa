// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: what a call that takes long lets others do meanwhile. How often it lets them is judged, for how long is told.
#include <signal.h>

#include <thread>

#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/bystander.hh"
#include "lib/exit_status.hh"

namespace harness::abi
{

namespace
{

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast, std::chrono::microseconds;
constexpr std::uint64_t gigabyte = 1 << 30;

// ---- a long call ----

// A call that is not longer is not judged; of the two the MAP has to be.
constexpr microseconds short_call{15000};

// Two million entries; the table in memory, where there is one, in levels that the kernel can allocate.
constexpr std::uint64_t long_size = 8 * gigabyte;

Result<> take_long(Bench &b)
{
	auto own = Buffer::echo(long_size, 16 << 20);
	if (!own)
		return std::unexpected{own.error()};
	b.own.emplace(std::move(*own));
	auto window = Window::create(b.container(), 12, long_size, 2);
	if (!window)
		return std::unexpected{window.error()};
	b.ddw.emplace(std::move(*window));
	return b.container().register_memory(b.own->address(), long_size);
}
Result<> give_long_back(Bench &b)
{
	auto removed = b.ddw->remove();
	b.ddw.reset();
	return removed ? unregister(b, b.own->address(), long_size) : removed;
}

// Another thread of this CPU wants to run every half millisecond, before all others. Without a yield it runs once or
// twice, when the call is over; with them there is a switch each time, dozens in a long call. How long it waited is
// told, and not judged, nor how many switches there are in a time: the host of the guest may have had other things to
// do.
constexpr long enough = 5;
Result<microseconds> beside_a_sleeper(Bench &b, const char *name, Result<> (*call)(Bench &))
{
	Bystander sleeper{Bystander::Kind::wakes};
	std::this_thread::sleep_for(std::chrono::milliseconds{20});
	auto before = switches_so_far();
	auto begin = Clock::now();
	auto done = call(b);
	auto took = duration_cast<microseconds>(Clock::now() - begin);
	auto switches = switches_so_far() - before;
	auto gap = sleeper.end();
	b.facts.push_back(fmt::format("{}: {} us beside a thread of its CPU, which waited {} us at most; {} switches",
				      name, took.count(), gap.count(), switches));
	if (!done)
		return fail(done.error().code());
	return took > short_call && switches < enough ? Result<microseconds>{fail(EPROTO)} : took;
}

Result<> map_long(Bench &b) { return map(b, b.ddw->start(), b.own->address(), long_size); }
Result<> unmap_long(Bench &b) { return b.container().unmap(b.ddw->start(), long_size); }

Result<> long_calls(Bench &b)
{
	if (auto done = stay_on_this_cpu(); !done)
		return done;
	auto mapped = beside_a_sleeper(b, "MAP of 8 GiB", map_long);
	auto unmapped = beside_a_sleeper(b, "UNMAP of 8 GiB", unmap_long);
	if (!mapped || !unmapped)
		return fail((mapped ? unmapped : mapped).error().code());
	return *mapped > short_call ? Result<>{} : fail(ETIME);
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
	if (::waitpid(pid, &status, 0) != pid || !ended_by(status, SIGKILL))
		return fail(ECHILD);
	b.facts.push_back(
		fmt::format("gone {} us after SIGKILL", duration_cast<microseconds>(Clock::now() - begin).count()));
	return register_extra(b);
}

const Case cases[] = {
	{.name = "defect/yields",
	 .row = "defects: a long MAP yields",
	 .prepare = take_long,
	 .call = long_calls,
	 .finish = give_long_back},
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
