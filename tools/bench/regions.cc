// SPDX-License-Identifier: GPL-2.0-only
// What registered memory costs: to register it, and to find it again among many regions.
#include <fmt/format.h>

#include "bench.hh"

namespace bench
{

namespace
{

void registration(const Bench &bench)
{
	const auto memory = contiguous(bench.memory);
	const auto [on, off] = pair_of(
		[&] { must("REGISTER", bench.container.register_memory(memory.address(), memory.size())); },
		[&] { must("UNREGISTER", bench.container.unregister_memory(memory.address(), memory.size())); });
	const double gibs = static_cast<double>(memory.size()) / gib;
	bench.add("REGISTER, contiguous", "GiB", on / gibs);
	bench.add("UNREGISTER, contiguous", "GiB", off / gibs);
}

// The region in use is the one in the middle of `count`.
void among(const Bench &bench, std::uint64_t count)
{
	constexpr std::uint64_t used = 2 * mib;
	const std::uint64_t other = page_size();
	const auto memory = contiguous(used);
	const auto rest = must("memory", Buffer::echo(2 * count * other, other));
	const auto window = must("CREATE", Window::create(bench.container, page_shift(), gib));
	for (std::uint64_t i = 1; i < count; i++) {
		if (i == count / 2 + 1)
			must("REGISTER", bench.container.register_memory(memory.address(), used));
		must("REGISTER", bench.container.register_memory(rest.address() + 2 * i * other, other));
	}
	if (count <= 2)
		must("REGISTER", bench.container.register_memory(memory.address(), used));
	const auto tces = static_cast<double>(used / window.page());
	const auto [map, unmap] = pair_of(
		[&] { must("MAP_DMA", bench.container.map(window.start(), memory.address(), used, Access::both)); },
		[&] { must("UNMAP_DMA", bench.container.unmap(window.start(), used)); });
	bench.add(fmt::format("MAP 2 MiB, 1 of {} regions", count), "TCE", map / tces);
	bench.add(fmt::format("UNMAP 2 MiB, 1 of {} regions", count), "TCE", unmap / tces);
	must("UNREGISTER", bench.container.unregister_memory(memory.address(), used));
	for (std::uint64_t i = 1; i < count; i++)
		must("UNREGISTER", bench.container.unregister_memory(rest.address() + 2 * i * other, other));
}

} // namespace

void regions(const Bench &bench)
{
	registration(bench);
	for (std::uint64_t count : {1, 100, 1000, 8000})
		among(bench, count);
}

} // namespace bench
