// SPDX-License-Identifier: GPL-2.0-only
// tcewin-bench: what the ioctls cost, of both drivers in one boot of a guest, and the floor. Runs as root; prints lines
// of JSON, which tools/bench/run puts together.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "bench.hh"
#include "cmd/options.hh"

namespace
{

using namespace bench;

struct Group {
	const char *name;
	void (*run)(const Bench &);
};

// The stalls last: they bind the process to a CPU.
constexpr Group groups[] = {{"mappings", mappings}, {"replay", replay},	  {"regions", regions}, {"windows", windows},
			    {"kvm", bench::kvm},    {"threads", threads}, {"stalls", stalls}};

void run(const std::vector<std::string> &wanted, const Bench &bench)
{
	for (auto &group : groups)
		if (std::ranges::find(wanted, group.name) != wanted.end()) {
			fmt::print("       {}, {}\n", group.name, name_of(bench.driver));
			std::fflush(stdout);
			group.run(bench);
		}
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app{"what the ioctls of a VFIO sPAPR TCE container cost"};
	std::vector<std::string> wanted;
	std::vector<std::string> drivers{"tcewin", "in-tree"};
	std::uint64_t memory = 256;
	bool count = false, only_check = false;
	for (auto &group : groups)
		wanted.emplace_back(group.name);
	app.add_option("--group", wanted, "mappings, replay, regions, windows, kvm, threads, stalls; all unless told");
	app.add_option("--driver", drivers, "tcewin, in-tree; both unless told");
	app.add_option("--memory", memory, "MiB to map at most");
	app.add_flag("--count", count, "hypercalls, too");
	app.add_flag("--check", only_check, "only whether the promised counts are kept");
	CLI11_PARSE(app, argc, argv);

	fmt::print("{}\n", kernel_line());
	// What the kernel still does by itself after it has come up is not to be counted. Where time counts
	// instructions nobody waits for this to pass.
	if (count || only_check)
		::sleep(20);
	const auto function = must("an edu device", Rig::find());
	// The floor's memory is for where there are no huge pages.
	const auto floor = must("tcewin_floor.ko", Floor::load(huge_page_shift(21) ? 0 : memory * mib));
	const Means means{function, floor, memory * mib, count};
	if (only_check)
		return check(means) ? 0 : 1;
	for (auto &driver : drivers)
		with_driver(driver == "tcewin" ? Driver::tcewin : Driver::in_tree, means, &driver == &drivers.front(),
			    [&](const Bench &bench) { run(wanted, bench); });
	return 0;
}
