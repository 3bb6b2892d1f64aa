// SPDX-License-Identifier: GPL-2.0-only
// The longest calls there are, of 16 GiB: what they take, and for how long at most nobody else got their CPU.
#include <fmt/format.h>

#include "bench.hh"
#include "lib/bystander.hh"
#include "lib/platform.hh"

namespace bench
{

namespace
{

constexpr std::uint64_t length = 16 * gib;

// In tree a table of one level has to be of one piece of memory, which the kernel does not have for so many TCEs.
unsigned levels() { return platform().tables_in_memory ? 2 : 1; }

void call(const Bench &bench, std::string_view verb, const Window &window, const std::function<void()> &work)
{
	const auto tces = length / window.page();
	const auto row = fmt::format("{} 16 GiB, contiguous, pages of {}", verb, size_text(window.page()));
	Bystander bystander{Bystander::Kind::wakes};
	std::this_thread::sleep_for(std::chrono::milliseconds{20});
	const auto begin = std::chrono::steady_clock::now();
	work();
	const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
	const auto gap = std::chrono::duration<double, std::nano>(bystander.end()).count();
	bench.add({.row = row,
		   .unit = "TCE",
		   .value = took.count() / static_cast<double>(tces),
		   .bytes = length,
		   .tces = tces});
	bench.add(row + ": longest wait", "call", gap);
}

void least(const Bench &bench, const Window &window)
{
	const auto tces = length / window.page();
	const auto floor = must("floor", bench.means.floor.cost(bench.means.function, window, tces));
	for (auto &[verb, cost] : {std::pair{"MAP", floor.map}, std::pair{"UNMAP", floor.unmap}})
		print("floor",
		      {.row = fmt::format("{} 16 GiB, contiguous, pages of {}", verb, size_text(window.page())),
		       .unit = "TCE",
		       .value = cost / static_cast<double>(tces),
		       .bytes = length,
		       .tces = tces});
}

} // namespace

void stalls(const Bench &bench)
{
	must("stay on a CPU", stay_on_this_cpu());
	const auto region = must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, length)));
	for (unsigned shift : {12u, 16u}) {
		auto window = must("CREATE", Window::create(bench.container(), shift, length, levels()));
		const Request request{bench.container(), window, region, length};
		if (!request.possible())
			continue;
		if (bench.first)
			least(bench, window);
		call(bench, "MAP", window, [&] { request.map(); });
		call(bench, "UNMAP", window, [&] { request.unmap(); });
		request.map();
		call(bench, "REMOVE full", window, [&] { must("REMOVE", window.remove()); });
	}
}

} // namespace bench
