// SPDX-License-Identifier: GPL-2.0-only
// Threads that map and unmap side by side, each in a range of its own of one window: what a TCE costs all of them
// together. In guest time that counts instructions CPUs take turns, so it says something with the machine's clock
// alone.
#include <fmt/format.h>

#include <barrier>
#include <thread>
#include <vector>

#include "bench.hh"

namespace bench
{

namespace
{

constexpr std::uint64_t share = 64 * mib; // of a thread, a range that no other has

void side_by_side(const Bench &bench, const Region &region, const Window &window, unsigned count)
{
	std::barrier turn{static_cast<std::ptrdiff_t>(count + 1)};
	constexpr int times = 3;
	std::vector<std::jthread> team;
	for (unsigned i = 0; i < count; i++)
		team.emplace_back([&, at = i * share] {
			for (int n = 0; n < times; n++) {
				turn.arrive_and_wait();
				must("MAP_DMA", bench.container().map(window.start() + at, region.address() + at, share,
								      Access::both));
				turn.arrive_and_wait();
				must("UNMAP_DMA", bench.container().unmap(window.start() + at, share));
				turn.arrive_and_wait();
			}
		});
	const auto took = pair_of(
		[&] {
			turn.arrive_and_wait();
			turn.arrive_and_wait();
		},
		[&] { turn.arrive_and_wait(); }, times);
	const auto tces = static_cast<double>(count * share / window.page());
	const auto row = fmt::format("{} each, {} threads", size_text(share), count);
	bench.add("MAP " + row, "TCE", took.work / tces);
	bench.add("UNMAP " + row, "TCE", took.undo / tces);
}

} // namespace

void threads(const Bench &bench)
{
	constexpr unsigned most = 4;
	const auto region = must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, most * share)));
	const auto window = must("CREATE", Window::create(bench.container(), 12, gib));
	for (unsigned count : {1u, 2u, most})
		side_by_side(bench, region, window, count);
}

} // namespace bench
