// SPDX-License-Identifier: GPL-2.0-only
// What registered memory costs: to register it, to keep it, and to find it again among many regions.
#include <fmt/format.h>

#include "bench.hh"
#include "lib/kernel_memory.hh"

namespace bench
{

namespace
{

void registration(const Bench &bench, const Buffer &memory, std::string_view how)
{
	auto on = [&] { must("REGISTER", bench.container().register_memory(memory.address(), memory.size())); };
	auto off = [&] { must("UNREGISTER", bench.container().unregister_memory(memory.address(), memory.size())); };
	const auto took = pair_of(on, off);
	const double gibs = static_cast<double>(memory.size()) / gib;
	const auto row = fmt::format("REGISTER, {}", how);
	bench.add(row, "GiB", took.work / gibs);
	bench.add("UN" + row, "GiB", took.undo / gibs);

	const auto before = Kernel_memory::rested();
	on();
	const auto grown = (Kernel_memory::rested() - before).total();
	off();
	bench.add({.row = row, .unit = "GiB", .measure = "bytes", .value = static_cast<double>(grown) / gibs});
}

// The region in use is the one in the middle of `count`.
void among(const Bench &bench, std::uint64_t count)
{
	constexpr std::uint64_t used = 16 * mib;
	const std::uint64_t other = page_size();
	const auto memory = contiguous(bench.means, used);
	const auto rest = must("memory", Buffer::echo(2 * count * other, other));
	const auto window = must("CREATE", Window::create(bench.container(), page_shift(), gib));
	for (std::uint64_t i = 1; i < count; i++) {
		if (i == count / 2 + 1)
			must("REGISTER", bench.container().register_memory(memory.address(), used));
		must("REGISTER", bench.container().register_memory(rest.address() + 2 * i * other, other));
	}
	if (count <= 2)
		must("REGISTER", bench.container().register_memory(memory.address(), used));
	const auto tces = static_cast<double>(used / window.page());
	const auto [map, unmap] = pair_of(
		[&] { must("MAP_DMA", bench.container().map(window.start(), memory.address(), used, Access::both)); },
		[&] { must("UNMAP_DMA", bench.container().unmap(window.start(), used)); });
	const auto row = fmt::format("{}, 1 of {} regions", size_text(used), count);
	bench.add("MAP " + row, "TCE", map / tces);
	bench.add("UNMAP " + row, "TCE", unmap / tces);
	must("UNREGISTER", bench.container().unregister_memory(memory.address(), used));
	for (std::uint64_t i = 1; i < count; i++)
		must("UNREGISTER", bench.container().unregister_memory(rest.address() + 2 * i * other, other));
}

} // namespace

void regions(const Bench &bench)
{
	registration(bench, contiguous(bench.means, bench.means.memory), "contiguous");
	registration(bench, scattered(bench.means.memory), "scattered");
	for (std::uint64_t count : {1, 100, 1000, 8000})
		among(bench, count);
}

} // namespace bench
