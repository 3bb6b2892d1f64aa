// SPDX-License-Identifier: GPL-2.0-only
// What a window costs: to make it, and to remove it with nothing, a little or much in it.
#include <fmt/format.h>

#include "bench.hh"

namespace bench
{

namespace
{

struct Shape {
	const char *name;
	std::uint64_t size;
	bool in_tree; // that driver visits each TCE there could be: tens of seconds for the larger ones
};

constexpr Shape shapes[] = {
	{"1 GiB", gib, true}, {"64 GiB", 64 * gib, true}, {"1 TiB", tib, false}, {"64 TiB", 64 * tib, false}};
constexpr unsigned page = 16;

} // namespace

void windows(const Bench &bench)
{
	const auto region = must("REGISTER", Region::enroll(bench.container, contiguous(64 * mib)));
	for (const Shape &shape : shapes) {
		if (bench.driver == Driver::in_tree && !shape.in_tree)
			continue;
		std::uint64_t start = 0;
		auto create = [&] { start = must("CREATE", bench.container.tce_create(page, shape.size, 1)); };
		auto remove = [&] { must("REMOVE", bench.container.tce_remove(start)); };
		const auto [made, removed] = pair_of(create, remove);
		bench.add(fmt::format("CREATE {}, pages of 64 KiB", shape.name), "call", made);
		bench.add(fmt::format("REMOVE {}, empty", shape.name), "call", removed);
		for (std::uint64_t count : {16, 1024}) {
			auto fill = [&] {
				create();
				for (std::uint64_t i = 0; i < count; i++)
					must("MAP_DMA", bench.container.map(start + i * 2 * (64 * kib),
									    region.address(), 64 * kib, Access::both));
			};
			bench.add(fmt::format("REMOVE {}, {} mappings", shape.name, count), "call",
				  pair_of(fill, remove, 2).second);
		}
	}
}

} // namespace bench
