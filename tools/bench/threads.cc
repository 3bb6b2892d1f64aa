// SPDX-License-Identifier: GPL-2.0-only
// Threads that map and unmap side by side, each in a range of its own of one window: what a TCE costs all of them
// together. In guest time that counts instructions CPUs take turns, so it says something with the machine's clock
// alone.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <limits>
#include <span>
#include <thread>
#include <vector>

#include "bench.hh"

namespace bench
{

namespace
{

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t share = 256 * mib; // of a thread, a range that no other has
constexpr unsigned most = 4, rounds = 5;

struct Span {
	Clock::time_point begin, end;
};
using Spans = std::array<Span, rounds>;

Span timed(const auto &work)
{
	const auto begin = Clock::now();
	work();
	return {begin, Clock::now()};
}

// From when the first began to when the last was done, in the best of the rounds; nanoseconds.
double together(std::span<const Spans> threads)
{
	auto best = std::numeric_limits<double>::max();
	for (unsigned round = 0; round < rounds; round++) {
		auto all = threads.front()[round];
		for (auto &spans : threads) {
			all.begin = std::min(all.begin, spans[round].begin);
			all.end = std::max(all.end, spans[round].end);
		}
		best = std::min(best, std::chrono::duration<double, std::nano>(all.end - all.begin).count());
	}
	return best;
}

void side_by_side(const Bench &bench, const Region &region, const Window &window, unsigned count)
{
	std::vector<Spans> maps(count), unmaps(count);
	{
		std::barrier turn{static_cast<std::ptrdiff_t>(count)};
		std::vector<std::jthread> team;
		for (unsigned i = 0; i < count; i++)
			team.emplace_back([&, i] {
				auto &container = bench.container();
				const auto at = i * share;
				for (unsigned round = 0; round < rounds; round++) {
					turn.arrive_and_wait();
					maps[i][round] = timed([&] {
						must("MAP_DMA",
						     container.map(window.start() + at, region.address() + at, share,
								   Access::both));
					});
					turn.arrive_and_wait();
					unmaps[i][round] = timed([&] {
						must("UNMAP_DMA", container.unmap(window.start() + at, share));
					});
				}
			});
	}
	const auto tces = static_cast<double>(count * share / window.page());
	const auto row = fmt::format("{} each, threads: {}", size_text(share), count);
	bench.add("MAP " + row, "TCE", together(maps) / tces);
	bench.add("UNMAP " + row, "TCE", together(unmaps) / tces);
}

} // namespace

void threads(const Bench &bench)
{
	const auto region = must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, most * share)));
	const auto window = must("CREATE", Window::create(bench.container(), 12, gib));
	for (unsigned count : {1u, 2u, most})
		side_by_side(bench, region, window, count);
}

} // namespace bench
