// SPDX-License-Identifier: GPL-2.0-only
// MAP_DMA and UNMAP_DMA: a request of one length, by the size of the IOMMU page and by how the memory lies; and the
// floor.
#include <fmt/format.h>

#include "bench.hh"

namespace bench
{

namespace
{

constexpr std::uint64_t lengths[] = {64 * kib, mib, 16 * mib, 256 * mib, gib};
constexpr std::uint64_t window_size = 4 * gib;

struct Row {
	std::string name;
	const Request &request;
	std::string_view measure;

	// A small request is one call, whatever is in it.
	void print(std::string_view whose, Costs costs) const
	{
		const auto tces = request.tces();
		const bool small = request.bytes <= 64 * kib;
		for (auto &[verb, cost] : {std::pair{"MAP", costs.work}, std::pair{"UNMAP", costs.undo}})
			bench::print(whose, {.row = fmt::format("{} {}", verb, name),
					     .unit = small ? "call" : "TCE",
					     .measure = measure,
					     .value = cost / static_cast<double>(small ? 1 : tces),
					     .bytes = request.bytes,
					     .tces = tces});
	}
};

void measure(const Bench &bench, const Request &request, std::string_view how)
{
	const auto name =
		fmt::format("{}, {}, pages of {}", size_text(request.bytes), how, size_text(request.window.page()));
	const auto whose = name_of(bench.driver);
	Row{name, request, "time"}.print(whose, request.time());
	if (bench.means.count)
		if (auto calls = request.hypercalls())
			Row{name, request, "hypercalls"}.print(whose, *calls);
	if (!bench.first)
		return;
	auto least = [&] {
		return must("floor", bench.means.floor.cost(bench.means.function, request.window, request.tces()));
	};
	auto cost = least();
	for (int again = 0; again < 9; again++) {
		auto other = least();
		cost = {std::min(cost.map, other.map), std::min(cost.unmap, other.unmap)};
	}
	Row{name, request, "time"}.print("floor", {cost.map, cost.unmap});
}

void requests(const Bench &bench, unsigned shift, const Region &region, std::string_view how)
{
	auto window = Window::create(bench.container(), shift, window_size);
	if (!window)
		return; // the platform has no such pages
	for (auto bytes : lengths) {
		const Request request{bench.container(), *window, region, bytes};
		if (bytes >= window->page() && bytes <= region.size() && request.possible())
			measure(bench, request, how);
	}
	must("REMOVE", window->remove());
}

} // namespace

void mappings(const Bench &bench)
{
	{
		const auto region = must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, gib)));
		for (unsigned shift : {12u, 16u, 21u, 24u})
			requests(bench, shift, region, "contiguous");
	}
	{
		auto memory = must("memory", Buffer::anonymous(bench.means.memory, 16 * mib));
		const auto region = must("REGISTER", Region::enroll(bench.container(), std::move(memory)));
		for (unsigned shift : {12u, 16u})
			requests(bench, shift, region, "base pages");
	}
	const auto region = must("REGISTER", Region::enroll(bench.container(), scattered(bench.means.memory)));
	for (unsigned shift : {12u, 16u})
		requests(bench, shift, region, "scattered");
}

} // namespace bench
