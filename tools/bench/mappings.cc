// SPDX-License-Identifier: GPL-2.0-only
// MAP_DMA and UNMAP_DMA: a request of one length, by the size of the IOMMU page and by how the memory lies.
#include <fmt/format.h>

#include "bench.hh"

namespace bench
{

namespace
{

std::string size_text(std::uint64_t bytes)
{
	return bytes >= gib   ? fmt::format("{} GiB", bytes / gib)
	       : bytes >= mib ? fmt::format("{} MiB", bytes / mib)
			      : fmt::format("{} KiB", bytes / kib);
}

void requests(const Bench &bench, const Window &window, const Region &region, std::string_view how)
{
	for (std::uint64_t bytes = 64 * kib; bytes <= region.size(); bytes *= 16) {
		if (bytes < window.page())
			continue;
		const auto tces = static_cast<double>(bytes / window.page());
		const auto [map, unmap] = pair_of(
			[&] {
				must("MAP_DMA",
				     bench.container.map(window.start(), region.address(), bytes, Access::both));
			},
			[&] { must("UNMAP_DMA", bench.container.unmap(window.start(), bytes)); });
		const auto name = fmt::format("{}, {}, pages of {}", size_text(bytes), how, size_text(window.page()));
		bench.add("MAP " + name, "TCE", map / tces);
		bench.add("UNMAP " + name, "TCE", unmap / tces);
	}
}

} // namespace

void mappings(const Bench &bench)
{
	{
		const auto region = must("REGISTER", Region::enroll(bench.container, contiguous(bench.memory)));
		for (unsigned shift : {12u, 16u, 21u}) {
			auto window = Window::create(bench.container, shift, 4 * gib);
			if (!window)
				continue; // the platform has no such pages
			if (bench.container.map(window->start(), region.address(), window->page(), Access::both)) {
				must("UNMAP_DMA", bench.container.unmap(window->start(), window->page()));
				requests(bench, *window, region, "contiguous");
			}
			must("REMOVE", window->remove());
		}
	}
	const auto region = must("REGISTER", Region::enroll(bench.container, scattered(bench.memory)));
	const auto window = must("CREATE", Window::create(bench.container, page_shift(), 4 * gib));
	requests(bench, window, region, "scattered");
}

} // namespace bench
