// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/hotplug.hh"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/tenant.hh"
#include "lib/bare.hh"
#include "lib/devtree.hh"
#include "lib/kmsg.hh"
#include "lib/monitor.hh"
#include "lib/pattern.hh"
#include "lib/real_memory.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t dimm = 256ull << 20;
constexpr std::uint32_t aimed = 512;
constexpr std::uint64_t seed = 61;
constexpr std::chrono::seconds patience{30};

class Hotplug
{
public:
	Hotplug(Report &report, Driver driver, Functions functions, const Buffer &memory)
		: report_{report}, driver_{driver}, functions_{std::move(functions)}, memory_{memory},
		  first_{online_blocks()}
	{
	}

	void run();

private:
	bool plug();
	bool while_owned();
	void unreachable(const std::vector<std::uint64_t> &starts);
	void reachable(std::string_view when);
	std::size_t each() const { return dimm / block_size(); }

	Report &report_;
	Driver driver_;
	Functions functions_;
	const Buffer &memory_;
	Blocks first_; // what was online in the beginning
	std::size_t dimms_ = 0;
};

bool Hotplug::plug()
{
	auto before = online_blocks();
	++dimms_;
	ask_monitor(fmt::format("object_add memory-backend-ram,id=m{},size={}M", dimms_, dimm >> 20));
	ask_monitor(fmt::format("device_add pc-dimm,id=d{0},memdev=m{0}", dimms_));
	auto came = wait_for_blocks(before, each(), patience).size();
	return report_.check("one more DIMM is online", came == each(), fmt::format("{} blocks of {}", came, each()));
}

Result<> write_at(const Functions &functions, std::uint64_t bus)
{
	for (auto &function : functions) {
		auto edu = bare_edu(function);
		if (!edu)
			return std::unexpected{edu.error()};
		if (auto moved = edu->to_ram(0, bus, aimed); !moved)
			return moved;
	}
	return {};
}

bool changed(const Frame &frame)
{
	std::uint64_t position = 0;
	return !std::ranges::all_of(frame.bytes.first(aimed),
				    [&](auto byte) { return byte == pattern_at(seed, position++); });
}

// The devices are tried where a window for all memory would have that which came: in each window of the user's.
void Hotplug::unreachable(const std::vector<std::uint64_t> &starts)
{
	auto all = most_of_memory();
	auto frames = all ? frames_in(*all, online_blocks() - first_) : std::unexpected{all.error()};
	if (!report_.step("all memory, touched", frames))
		return;
	report_.check("pages in each block that came", frames->size() == dimms_ * each(),
		      fmt::format("{}", frames->size()));
	for (auto &frame : *frames)
		for (auto start : starts) {
			fill(frame.bytes, seed);
			auto moved = write_at(functions_, start + frame.real);
			bool safe = moved && !changed(frame);
			report_.check(fmt::format("the user's devices write at {:#x}", start + frame.real), safe,
				      !moved ? moved.error().name()
				      : safe ? "nothing"
					     : "ARRIVED");
		}
}

bool Hotplug::while_owned()
{
	report_.heading("memory comes while a user has the PE");
	auto tenant = Tenant::move_in(report_, functions_, driver_, memory_);
	if (!tenant || !tenant->arrange(Windows::both))
		return false;
	tenant->try_everything();
	bool came = plug();
	tenant->try_everything();
	tenant->close_all();
	if (came)
		unreachable(tenant->starts());
	return came;
}

void Hotplug::reachable(std::string_view when)
{
	report_.heading(when);
	if (!kernel_owns(report_, functions_, 64))
		return;
	auto tree = tree_windows(functions_[0]);
	auto direct = std::ranges::find(tree, "linux,direct64-ddr-window-info", &Tree_window::property);
	auto all = most_of_memory();
	auto frames = all ? frames_in(*all, online_blocks() - first_) : std::unexpected{all.error()};
	if (!report_.step("all memory, touched", frames) || direct == tree.end())
		return;
	report_.check("pages in each block that came", frames->size() == dimms_ * each(),
		      fmt::format("{}", frames->size()));
	for (auto &function : functions_)
		report_.step(fmt::format("{} to no driver", function.address()), edu_host::leave(function));
	for (auto &frame : *frames) {
		fill(frame.bytes, seed);
		auto moved = write_at(functions_, direct->start + frame.real);
		bool arrived = moved && changed(frame);
		report_.check(fmt::format("the host's devices reach memory at {:#x}", frame.real), arrived,
			      !moved	? moved.error().name()
			      : arrived ? "yes"
					: "NO");
	}
}

void Hotplug::run()
{
	if (!kernel_owns(report_, functions_, 64) || !kernel_leaves(report_, functions_) || !while_owned())
		return;
	reachable("afterwards");
	report_.heading("memory comes while the kernel has the PE");
	if (!plug())
		return;
	reachable("with what came last");
	if (!kernel_owns(report_, functions_, 64) || !kernel_leaves(report_, functions_))
		return;
	report_.heading("one more user");
	{
		auto tenant = Tenant::move_in(report_, functions_, driver_, memory_);
		if (tenant && tenant->arrange(Windows::both)) {
			tenant->close_all();
			unreachable(tenant->starts());
		}
	}
	reachable("after one more user");
}

} // namespace

bool run_hotplug(const Hotplug_options &options)
{
	Report report;
	report.heading("memory that comes, and a PE with a window for all memory");
	report.note(kernel_line());
	auto kmsg = Kmsg::follow(options.expected);
	auto functions = pci_functions(edu_id);
	auto memory = Buffer::anonymous(Tenant::memory_size, Tenant::unit);
	report.check("edu devices", !functions.empty(), fmt::format("{}", functions.size()));
	if (report.good() && report.step("memory of the user's", memory) &&
	    report.step("insmod edu_host", insmod(options.host_module, "dma_bits=64")) &&
	    report.step(fmt::format("load {} and only it", module_of(options.driver)),
			load_only(options.driver, options.source)))
		Hotplug{report, options.driver, functions, *memory}.run();
	return end(report, kmsg);
}

} // namespace harness
