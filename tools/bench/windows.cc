// SPDX-License-Identifier: GPL-2.0-only
// What a window costs: to make it, and to remove it with nothing, a little or much in it.
#include <fmt/format.h>

#include "bench.hh"

namespace bench
{

namespace
{

struct Shape {
	std::uint64_t size;
	bool in_tree; // that driver visits each TCE there could be: tens of seconds for the larger ones
	bool full;    // there is the memory for so many TCEs
};

constexpr Shape shapes[] = {{gib, true, true}, {64 * gib, true, true}, {tib, false, true}, {64 * tib, false, false}};
constexpr unsigned page_shift = 16;
constexpr std::uint64_t page = 1ull << page_shift;

struct Making {
	const Bench &bench;
	const Region &region;
	std::uint64_t size;
	std::uint64_t start = 0;

	void create() { start = must("CREATE", bench.container().tce_create(page_shift, size, 1)); }
	void remove() { must("REMOVE", bench.container().tce_remove(start)); }
	void map(std::uint64_t at, std::uint64_t bytes)
	{
		must("MAP_DMA", bench.container().map(start + at, region.address(), bytes, Access::both));
	}
	void removed_with(std::string_view what, const std::function<void()> &fill)
	{
		auto make = [&] {
			create();
			fill();
		};
		bench.add(fmt::format("REMOVE {}, {}", size_text(size), what), "call",
			  pair_of(make, [&] { remove(); }).undo);
	}
};

bool can_be_filled(const Bench &bench, const Region &region)
{
	const auto window = must("CREATE", Window::create(bench.container(), page_shift, gib));
	return Request{bench.container(), window, region, page}.possible();
}

} // namespace

void windows(const Bench &bench)
{
	const auto region = must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, gib)));
	const bool fill = can_be_filled(bench, region);
	for (const Shape &shape : shapes) {
		if (bench.driver == Driver::in_tree && !shape.in_tree)
			continue;
		Making window{bench, region, shape.size};
		const auto [made, removed] = pair_of([&] { window.create(); }, [&] { window.remove(); });
		bench.add(fmt::format("CREATE {}, pages of 64 KiB", size_text(shape.size)), "call", made);
		bench.add(fmt::format("REMOVE {}, empty", size_text(shape.size)), "call", removed);
		if (!fill)
			continue;
		for (std::uint64_t count : {16, 1024})
			window.removed_with(fmt::format("{} mappings", count), [&] {
				for (std::uint64_t i = 0; i < count; i++)
					window.map(i * 2 * page, page);
			});
		if (shape.full)
			window.removed_with("full", [&] {
				for (std::uint64_t at = 0; at < shape.size; at += gib)
					window.map(at, gib);
			});
	}
}

} // namespace bench
