// SPDX-License-Identifier: GPL-2.0-only
// What is promised of the cost of a call, in counts that are the same on every run: instructions of the guest (-icount)
// and hypercalls, never seconds. Run by the steps figures-*.
#include <fmt/format.h>

#include <map>

#include "bench.hh"
#include "lib/kernel_memory.hh"
#include "lib/platform.hh"
#include "lib/report.hh"

namespace bench
{

namespace
{

constexpr unsigned shifts[] = {12, 16};
constexpr double instructions_a_tce = 20;
constexpr double hypercalls_a_tce = 1.0 / 500;
// REGISTER, beside in tree: both have the kernel's list of pages. Where memory is contiguous in small pages we look at
// each of them.
constexpr double bytes_beside_in_tree = 1.03;
const std::map<std::string, double> register_beside_in_tree{{"contiguous", 1.1}, {"scattered", 1.01}};

// REGISTER of all memory there is to use.
struct Registration {
	double instructions, bytes;
};

Registration register_all(const Bench &bench, const Buffer &memory)
{
	auto on = [&] { must("REGISTER", bench.container().register_memory(memory.address(), memory.size())); };
	auto off = [&] { must("UNREGISTER", bench.container().unregister_memory(memory.address(), memory.size())); };
	const auto instructions = pair_of(on, off).work;
	const auto before = Kernel_memory::rested();
	on();
	const auto grown = (Kernel_memory::rested() - before).total();
	off();
	return {instructions, static_cast<double>(grown)};
}

// Both drivers do these.
struct Seen {
	std::map<unsigned, Costs> single;		  // a request of 64 KiB, by the shift of the IOMMU page
	std::map<std::string, Registration> registration; // by the shape of the memory
};

Seen look(const Bench &bench)
{
	Seen seen;
	seen.registration["contiguous"] = register_all(bench, contiguous(bench.means, bench.means.memory));
	seen.registration["scattered"] = register_all(bench, scattered(bench.means.memory));
	const auto region = must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, 16 * mib)));
	for (auto shift : shifts) {
		const auto window = must("CREATE", Window::create(bench.container(), shift, gib));
		const Request request{bench.container(), window, region, 64 * kib};
		if (request.possible())
			seen.single[shift] = request.time();
	}
	return seen;
}

void at_most(Report &report, std::string_view what, double value, double limit)
{
	report.check(fmt::format("{}: at most {:.6g}", what, limit), value <= limit, fmt::format("{:.6g}", value));
}

void long_requests(Report &report, const Bench &bench)
{
	const auto region = must("REGISTER", Region::enroll(bench.container(), contiguous(bench.means, gib)));
	for (auto shift : shifts) {
		const auto window = must("CREATE", Window::create(bench.container(), shift, 2 * gib));
		const Request request{bench.container(), window, region, gib};
		const auto tces = static_cast<double>(request.tces());
		const auto name = fmt::format("1 GiB, pages of {}", size_text(window.page()));
		const auto took = request.time();
		at_most(report, fmt::format("MAP {}, instructions a TCE", name), took.work / tces, instructions_a_tce);
		at_most(report, fmt::format("UNMAP {}, instructions a TCE", name), took.undo / tces,
			instructions_a_tce);
		if (platform().powernv)
			continue;
		const auto calls = request.hypercalls();
		if (!report.check("hypercalls can be counted", calls.has_value(), calls ? "yes" : "no"))
			continue;
		at_most(report, fmt::format("MAP {}, hypercalls a TCE", name), calls->work / tces, hypercalls_a_tce);
		at_most(report, fmt::format("UNMAP {}, hypercalls a TCE", name), calls->undo / tces, hypercalls_a_tce);
	}
}

void empty_windows(Report &report, const Bench &bench)
{
	auto removal = [&](std::uint64_t size) {
		std::uint64_t start = 0;
		return pair_of([&] { start = must("CREATE", bench.container().tce_create(16, size, 1)); },
			       [&] { must("REMOVE", bench.container().tce_remove(start)); })
			.undo;
	};
	const auto small = removal(gib), large = removal(tib);
	at_most(report, "REMOVE 1 TiB, empty, instructions; twice those of 1 GiB", large, 2 * small);
}

void beside(Report &report, const Seen &ours, const Seen &in_tree)
{
	for (auto shift : shifts) {
		if (!in_tree.single.contains(shift)) {
			report.note(fmt::format("in tree no pages of {} in this memory", size_text(1ull << shift)));
			continue;
		}
		const auto name = fmt::format("64 KiB, pages of {}, instructions", size_text(1ull << shift));
		// On bare metal that one takes the lock of the window against KVM with a barrier more than in tree.
		const double most = platform().powernv ? 1.01 : 1;
		at_most(report, fmt::format("MAP {}; {} times in tree", name, most), ours.single.at(shift).work,
			most * in_tree.single.at(shift).work);
		at_most(report, fmt::format("UNMAP {}; in tree", name), ours.single.at(shift).undo,
			in_tree.single.at(shift).undo);
	}
	for (const auto &[shape, theirs] : in_tree.registration) {
		const auto &mine = ours.registration.at(shape);
		const auto limit = register_beside_in_tree.at(shape);
		at_most(report, fmt::format("REGISTER, {}, instructions; {} times in tree", shape, limit),
			mine.instructions, limit * theirs.instructions);
		at_most(report, fmt::format("REGISTER, {}, bytes; {} times in tree", shape, bytes_beside_in_tree),
			mine.bytes, bytes_beside_in_tree * theirs.bytes);
	}
}

} // namespace

bool check(const Means &means)
{
	Report report;
	Seen ours, in_tree;
	with_driver(Driver::tcewin, means, true, [&](const Bench &bench) {
		long_requests(report, bench);
		empty_windows(report, bench);
		ours = look(bench);
	});
	with_driver(Driver::in_tree, means, false, [&](const Bench &bench) { in_tree = look(bench); });
	beside(report, ours, in_tree);
	report.summary();
	return report.good();
}

} // namespace bench
