// SPDX-License-Identifier: GPL-2.0-only
// One page mapped all over a window: the page is pinned and charged once, so only what the window remembers of each
// mapping can stop the caller. It has to, at RLIMIT_MEMLOCK, and the call that is stopped has to be undone.
#include <fmt/format.h>

#include <algorithm>

#include "cmd/scale.hh"
#include "lib/counts.hh"
#include "lib/limits.hh"
#include "lib/platform.hh"
#include "lib/probe.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t room = 1 << 20;	     // bytes that may be locked beside what is already
constexpr std::uint64_t patience = room / 8; // no bookkeeping of a mapping is smaller than that many to the MiB

constexpr std::uint64_t piece = 64 << 10; // of a level, at most

// How many pages could be mapped, and what the next one was answered.
struct Filled {
	std::uint64_t count = 0;
	Result<> answer;
};

Filled fill(const Container &container, const Region &region, const Window &window)
{
	Filled filled;
	while (filled.count < patience) {
		auto iova = window.start() + filled.count * window.page();
		filled.answer = container.map(iova, region.address(), window.page(), Access::both);
		if (!filled.answer)
			break;
		++filled.count;
	}
	return filled;
}

std::string text(const Result<Reach> &reach) { return reach ? std::string{name_of(*reach)} : reach.error().name(); }

} // namespace

std::int64_t cost_of_levels(std::uint64_t mapped, std::uint64_t window)
{
	if (!platform().tables_in_memory)
		return 0;
	std::uint64_t pieces = 1; // the topmost one, which is there from the beginning
	for (auto left = window, fit = piece / 8; left > 1; left = (left + fit - 1) / fit)
		pieces += std::min(mapped, (left + fit - 1) / fit);
	return static_cast<std::int64_t>(pieces * piece);
}

void fill_to_limit(Report &report, const Rig &rig, const Region &region, const Window &window,
		   std::uint64_t scratch_ioba)
{
	auto &container = rig.container();
	auto before = Counts::rested();
	auto limit = Locked_memory_limit::set(room);
	if (!report.step(fmt::format("RLIMIT_MEMLOCK {} KiB above VmLck, no CAP_IPC_LOCK", room >> 10), limit))
		return;
	auto filled = fill(container, region, window);
	report.step(fmt::format("MAP_DMA of one page at ever higher addresses, {} times, and then", filled.count),
		    filled.answer, Errno{ENOMEM});
	auto full = Counts::rested();
	auto charged = full.locked - before.locked;
	auto step = platform().tables_in_memory ? piece : page_size();
	report.check("VmLck grew to the limit, and not beyond", charged <= room && charged + step >= room,
		     fmt::format("+{} KiB", charged >> 10));
	report.check("no page was pinned for it", full.pinned == before.pinned, difference(before, full));

	auto next = window.start() + filled.count * window.page();
	report.step("MAP_DMA once more", container.map(next, region.address(), window.page(), Access::both),
		    Errno{ENOMEM});
	report.step("MAP_DMA in the last page",
		    container.map(window.end() - window.page(), region.address(), window.page(), Access::both),
		    Errno{ENOMEM});
	auto after = Counts::rested();
	report.check("which change nothing", after == full, difference(full, after));

	auto memory = region.buffer().bytes();
	Probe probe{rig.edu(), memory.last(4096), scratch_ioba, memory};
	Pieces pieces{memory.subspan(100, 1000)};
	auto hit = probe.write(next - window.page() + 100, pieces), miss = probe.write(next + 100, pieces);
	auto last = probe.write(window.end() - window.page() + 100, pieces);
	report.check("device writes through the last mapping that was made", hit == Reach::arrived, text(hit));
	report.check("and not where the ones that failed would be", miss == Reach::nothing && last == Reach::nothing,
		     fmt::format("{}, {}", text(miss), text(last)));

	report.step("UNMAP_DMA of all of it, at the limit", container.unmap(window.start(), window.size()));
	after = Counts::rested();
	// Levels that were made stay with the window.
	auto levels = static_cast<std::uint64_t>(cost_of_levels(filled.count, filled.count));
	report.check("VmLck is back",
		     after.locked >= before.locked && after.locked <= before.locked + levels &&
			     after.pinned == before.pinned,
		     difference(before, after));
	auto gone = probe.write(window.start() + 100, pieces);
	report.check("device reaches nothing", gone == Reach::nothing, text(gone));
	report.step("MAP_DMA works again", container.map(next, region.address(), window.page(), Access::both));
	report.step("UNMAP_DMA of it", container.unmap(next, window.page()));
}

} // namespace harness
