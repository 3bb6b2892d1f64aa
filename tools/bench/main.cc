// SPDX-License-Identifier: GPL-2.0-only
// tcewin-bench: what the ioctls cost, of both drivers in one boot of a guest. Runs as root; prints a table and lines of
// JSON.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "bench.hh"
#include "cmd/options.hh"

namespace
{

using namespace bench;

void run(Driver driver, const std::vector<std::string> &groups, std::uint64_t memory, Figures &figures)
{
	Report report;
	Options options;
	options.driver = driver;
	const auto function = prepare(report, options);
	if (!function)
		std::exit(1);
	{
		const auto rig = must("open", Rig::open(*function));
		const auto info = must("GET_INFO", rig->container().get_info());
		if (info.ddw.max_dynamic_windows_supported > 0)
			(void)rig->container().tce_remove(info.dma32_window_start);
		const Bench bench{driver, rig->container(), figures, memory};
		auto wanted = [&](std::string_view group) {
			return groups.empty() || std::ranges::find(groups, group) != groups.end();
		};
		if (wanted("mappings"))
			mappings(bench);
		if (wanted("regions"))
			regions(bench);
		if (wanted("windows"))
			windows(bench);
	}
	must("unload", unload(driver));
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app{"what the ioctls of a VFIO sPAPR TCE container cost"};
	std::vector<std::string> groups;
	std::vector<std::string> drivers{"tcewin", "in-tree"};
	std::uint64_t memory = 256;
	app.add_option("--group", groups, "mappings, regions, windows; all unless told");
	app.add_option("--driver", drivers, "tcewin, in-tree; both unless told");
	app.add_option("--memory", memory, "MiB to map at most");
	CLI11_PARSE(app, argc, argv);

	fmt::print("{}\n", kernel_line());
	Figures figures;
	for (auto &driver : drivers)
		run(driver == "tcewin" ? Driver::tcewin : Driver::in_tree, groups, memory * bench::mib, figures);
	figures.print();
	figures.print_json();
	return 0;
}
