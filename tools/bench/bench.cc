// SPDX-License-Identifier: GPL-2.0-only
#include "bench.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "cmd/options.hh"
#include "hypercalls.hh"

namespace bench
{

using Clock = std::chrono::steady_clock;

void must(const char *what, const Result<> &result)
{
	if (result)
		return;
	fmt::print("bench: {}: {}\n", what, result.error().name());
	std::exit(1);
}

void print(std::string_view whose, const Figure &figure)
{
	fmt::print("json: {{\"row\": \"{}\", \"unit\": \"{}\", \"measure\": \"{}\", \"of\": \"{}\", \"value\": {:.4f}, "
		   "\"bytes\": {}, \"tces\": {}}}\n",
		   figure.row, figure.unit, figure.measure, whose, figure.value, figure.bytes, figure.tces);
	std::fflush(stdout);
}

std::string size_text(std::uint64_t bytes)
{
	return bytes >= tib   ? fmt::format("{} TiB", bytes / tib)
	       : bytes >= gib ? fmt::format("{} GiB", bytes / gib)
	       : bytes >= mib ? fmt::format("{} MiB", bytes / mib)
			      : fmt::format("{} KiB", bytes / kib);
}

Costs pair_of(const std::function<void()> &work, const std::function<void()> &undo)
{
	using Nanoseconds = std::chrono::duration<double, std::nano>;
	constexpr auto never = std::numeric_limits<double>::max();
	constexpr Nanoseconds enough = std::chrono::milliseconds{400};
	constexpr int least = 2, most = 10;
	Costs best{never, never};
	const auto start = Clock::now();
	for (int i = 0; i < most && (i < least || Clock::now() - start < enough); i++) {
		auto begin = Clock::now();
		work();
		auto middle = Clock::now();
		undo();
		auto end = Clock::now();
		best.work = std::min(best.work, Nanoseconds{middle - begin}.count());
		best.undo = std::min(best.undo, Nanoseconds{end - middle}.count());
	}
	return best;
}

bool Request::possible() const
{
	if (!container.map(window.start(), region.address(), window.page(), Access::both))
		return false;
	must("UNMAP_DMA", container.unmap(window.start(), window.page()));
	return true;
}

void Request::map() const { must("MAP_DMA", container.map(window.start(), region.address(), bytes, Access::both)); }

void Request::unmap() const { must("UNMAP_DMA", container.unmap(window.start(), bytes)); }

Costs Request::time() const
{
	return pair_of([&] { map(); }, [&] { unmap(); });
}

std::optional<Costs> Request::hypercalls() const
{
	auto counter = Hypercalls::count();
	if (!counter)
		return std::nullopt;
	auto so_far = [&] { return static_cast<double>(must("count", counter->so_far())); };
	auto begin = so_far();
	map();
	auto middle = so_far();
	unmap();
	return Costs{middle - begin, so_far() - middle};
}

void with_driver(Driver driver, const Means &means, bool first, const std::function<void(const Bench &)> &use)
{
	Report report;
	Options options;
	options.driver = driver;
	if (!prepare(report, options))
		std::exit(1);
	{
		const auto rig = must("open", Rig::open(means.function));
		const auto info = must("GET_INFO", rig->container().get_info());
		if (info.ddw.max_dynamic_windows_supported > 0)
			(void)rig->container().tce_remove(info.dma32_window_start);
		use({driver, *rig, means, first});
	}
	must("unload", unload(driver));
}

} // namespace bench
