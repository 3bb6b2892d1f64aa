// SPDX-License-Identifier: GPL-2.0-only
#include "lib/counts.hh"

#include <fmt/format.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "lib/buffer.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

std::int64_t minus(std::uint64_t a, std::uint64_t b) { return static_cast<std::int64_t>(a - b); }

std::uint64_t pinned_pages()
{
	(void)read_file("/proc/sys/vm/stat_refresh"); // folds what each CPU has counted for itself
	auto text = read_file("/proc/vmstat").value_or("");
	return field(text, "nr_foll_pin_acquired").value_or(0) - field(text, "nr_foll_pin_released").value_or(0);
}

} // namespace

Counts Counts::now()
{
	auto status = read_file("/proc/self/status").value_or("");
	return {.locked = field(status, "VmLck").value_or(0) * 1024, .pinned = pinned_pages()};
}

Counts Counts::rested()
{
	// A global membarrier is a synchronize_rcu(); callbacks of the first grace period have begun to run by the end
	// of the second, and on a busy machine they take a while.
	for (int i = 0; i < 2; ++i)
		(void)::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	auto last = now();
	for (int still = 0; still < 2;) {
		std::this_thread::sleep_for(std::chrono::milliseconds{40});
		auto counts = now();
		still = counts == last ? still + 1 : 0;
		last = counts;
	}
	return last;
}

std::string to_string(const Counts &counts)
{
	return fmt::format("VmLck {} KiB, pinned {} pages", counts.locked / 1024, counts.pinned);
}

std::string difference(const Counts &before, const Counts &after)
{
	if (before == after)
		return "unchanged";
	return fmt::format("VmLck {:+} KiB, pinned {:+} pages", minus(after.locked, before.locked) / 1024,
			   minus(after.pinned, before.pinned));
}

Counts settled(const Counts &wanted, std::chrono::milliseconds patience)
{
	auto deadline = std::chrono::steady_clock::now() + patience;
	for (;;) {
		auto now = Counts::now();
		if (now == wanted || std::chrono::steady_clock::now() > deadline)
			return now;
		std::this_thread::sleep_for(std::chrono::milliseconds{20});
	}
}

} // namespace harness
