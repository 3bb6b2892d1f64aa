// SPDX-License-Identifier: GPL-2.0-only
// As QEMU replays a guest's window: a MAP_DMA for each IOMMU page of it, in order, nothing unmapped between; and back.
#include <fmt/format.h>

#include "bench.hh"

namespace bench
{

void replay(const Bench &bench)
{
	constexpr std::uint64_t pages = 4096;
	for (unsigned shift : {12u, 16u}) {
		const auto page = 1ull << shift;
		const auto region =
			must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, pages * page)));
		const auto window = must("CREATE", Window::create(bench.container(), shift, gib));
		if (!Request{bench.container(), window, region, page}.possible())
			continue;
		auto each = [&](auto call) {
			for (std::uint64_t at = 0; at < pages * page; at += page)
				call(at);
		};
		auto map = [&](std::uint64_t at) {
			must("MAP_DMA",
			     bench.container().map(window.start() + at, region.address() + at, page, Access::both));
		};
		auto unmap = [&](std::uint64_t at) {
			must("UNMAP_DMA", bench.container().unmap(window.start() + at, page));
		};
		const auto [on, off] = pair_of([&] { each(map); }, [&] { each(unmap); });
		const auto name = fmt::format("{} pages of {}, one by one", pages, size_text(page));
		bench.add("MAP " + name, "call", on / pages);
		bench.add("UNMAP " + name, "call", off / pages);
	}
}

} // namespace bench
