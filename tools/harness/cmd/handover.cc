// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/handover.hh"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/tenant.hh"
#include "lib/bare.hh"
#include "lib/counts.hh"
#include "lib/devtree.hh"
#include "lib/kmsg.hh"
#include "lib/pattern.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

constexpr std::uint32_t aimed = 512;
constexpr std::uint64_t seed = 23;

// The edu devices of the first PE; fewer than two of them: nothing to try.
Functions find_pe(Report &report)
{
	auto found = pci_functions(edu_id);
	std::erase_if(found, [&](const Pci_function &function) { return function.group() != found.front().group(); });
	report.check("two edu devices in one PE", found.size() == 2, fmt::format("{}", found.size()));
	return found;
}

Result<> aim(const Edu &edu, const std::vector<std::uint64_t> &iobas)
{
	std::uint32_t offset = 0;
	for (auto ioba : iobas) {
		if (auto moved = edu.to_ram(0, ioba, aimed); !moved)
			return moved;
		if (auto moved = edu.from_ram(ioba, offset, aimed); !moved)
			return moved;
		offset = (offset + aimed) % edu_host::buffer_size;
	}
	return {};
}

bool untouched(std::span<const std::byte> memory)
{
	std::uint64_t position = 0;
	return std::ranges::all_of(memory, [&](auto byte) { return byte == pattern_at(seed, position++); });
}

// What a device read there lies behind one unit's page, so in its buffer are the bytes that begin some unit.
bool holds_memory(const std::string &buffer, std::span<const std::byte> memory)
{
	for (std::size_t at = 0; at + aimed <= buffer.size(); at += aimed)
		for (std::size_t from = 0; from < memory.size(); from += Tenant::unit)
			if (std::ranges::equal(std::string_view{buffer}.substr(at, 16), memory.subspan(from, 16), {},
					       [](char c) { return static_cast<std::byte>(c); }))
				return true;
	return false;
}

// "Nothing arrived" means something only if the same aim hits while the user is there.
void aim_is_right(Report &report, Tenant &tenant, const Functions &functions, std::span<std::byte> memory)
{
	tenant.close_all();
	for (auto &function : functions) {
		auto edu = bare_edu(function);
		if (!report.step(fmt::format("{} without VFIO, the user's mappings there", function.address()), edu))
			continue;
		fill(memory, seed);
		auto moved = aim(*edu, tenant.iobas());
		report.check("it reaches the user's memory", moved && !untouched(memory), outcome(moved));
	}
}

// The kernel, a user with every set of windows, nobody, the kernel.
void round(Report &report, const Handover_options &options, const Functions &functions, unsigned dma_bits,
	   const Buffer &memory)
{
	report.heading(fmt::format("there and back, the kernel's driver with {} bits", dma_bits));
	if (!kernel_owns(report, functions, dma_bits) || !kernel_leaves(report, functions))
		return;
	std::vector<std::uint64_t> iobas;
	{
		auto tenant = Tenant::move_in(report, functions, options.driver, memory);
		if (!tenant || !tenant->open(functions[1]))
			return;
		for (auto state : {Windows::none, Windows::ddw_only, Windows::both, Windows::first_only, Windows::both})
			if (tenant->arrange(state))
				tenant->try_everything();
		iobas = tenant->iobas();
		aim_is_right(report, *tenant, functions, memory.bytes());
	}
	nothing_of_the_users(report, functions, iobas, memory.bytes());
	kernel_owns(report, functions, dma_bits);
}

// Both functions go and come while they are the kernel's; the PE is adopted again and handed over as before.
void come_and_go(Report &report, const Functions &functions)
{
	report.heading("removed and found again while the kernel has them");
	for (auto &function : functions)
		report.step(fmt::format("remove {}", function.address()), write_file(function.sysfs("remove"), "1"));
	report.step("rescan", write_file("/sys/bus/pci/rescan", "1"));
	kernel_moves(report, functions, "found again");
}

void all_rounds(Report &report, const Handover_options &options, const Functions &functions, const Buffer &memory)
{
	round(report, options, functions, 32, memory);
	round(report, options, functions, 64, memory);
	hot_add(report, options, functions, memory);
	come_and_go(report, functions);
	round(report, options, functions, 64, memory);
}

} // namespace

bool kernel_moves(Report &report, const Functions &functions, std::string_view when)
{
	bool all = true;
	for (auto &function : functions) {
		auto answer = edu_host::round_trip(function);
		all &= report.check(fmt::format("{}: {} moves data for the kernel", when, function.address()),
				    answer == "ok", answer ? *answer : answer.error().name());
	}
	return all;
}

bool kernel_owns(Report &report, const Functions &functions, unsigned dma_bits)
{
	report.step(fmt::format("DMA mask of {} bits", dma_bits), edu_host::set_dma_bits(dma_bits));
	for (auto &function : functions)
		if (!report.step(fmt::format("{} to the kernel's driver", function.address()),
				 edu_host::bind(function)))
			return false;
	report.note("device tree: " + to_string(tree_windows(functions[0])));
	bool direct = edu_host::has_direct_mapping(functions[0]);
	report.check("a direct mapping of all memory", direct == (dma_bits == 64), direct ? "yes" : "no");
	return kernel_moves(report, functions, "the kernel's");
}

bool kernel_leaves(Report &report, const Functions &functions)
{
	for (auto &function : functions)
		if (!report.step(fmt::format("{} to no driver", function.address()), edu_host::leave(function)))
			return false;
	for (auto &page : edu_host::kept())
		for (auto &function : functions) {
			auto edu = bare_edu(function);
			auto moved = edu ? edu->to_ram(0, page.bus, aimed) : Result<>{std::unexpected{edu.error()}};
			report.check(fmt::format("{} still reaches the kernel's page at {:#x}", function.address(),
						 page.bus),
				     moved && !edu_host::all_intact(), outcome(moved));
			report.step("put it right", edu_host::refill());
		}
	for (auto &function : functions)
		if (!report.step(fmt::format("{} to vfio-pci", function.address()), function.bind_vfio()))
			return false;
	return true;
}

void nothing_of_the_users(Report &report, const Functions &functions, const std::vector<std::uint64_t> &iobas,
			  std::span<std::byte> memory)
{
	fill(memory, seed);
	for (auto &function : functions) {
		if (!report.step(fmt::format("{} to no driver", function.address()), edu_host::leave(function)))
			return;
		auto edu = bare_edu(function);
		auto moved = edu ? aim(*edu, iobas) : Result<>{std::unexpected{edu.error()}};
		bool safe = moved && untouched(memory);
		report.check(fmt::format("{} writes where the user had {} pages", function.address(), iobas.size()),
			     safe,
			     !moved ? moved.error().name()
			     : safe ? "nothing"
				    : "ARRIVED");
	}
	report.check("and there were some", !iobas.empty(), fmt::format("{}", iobas.size()));
	for (auto &function : functions) {
		if (!report.step(fmt::format("{} back to the kernel", function.address()), edu_host::bind(function)))
			return;
		auto buffer = edu_host::buffer(function);
		bool safe = buffer && buffer->size() >= edu_host::buffer_size && !holds_memory(*buffer, memory);
		report.check("it had read nothing of the user's", safe,
			     !buffer ? buffer.error().name()
			     : safe  ? "nothing"
				     : "READ IT");
	}
}

bool run_handover(const Handover_options &options)
{
	Report report;
	report.heading("a PE with two devices, from the kernel to a user and back");
	report.note(kernel_line());
	auto kmsg = Kmsg::follow(options.expected);
	auto functions = find_pe(report);
	auto memory = Buffer::anonymous(Tenant::memory_size, Tenant::unit);
	if (functions.size() != 2 || !report.step("memory of the user's", memory) ||
	    !report.step("insmod edu_host", insmod(options.host_module, "dma_bits=32")) ||
	    !kernel_moves(report, functions, "before tcewin is loaded") ||
	    !report.step(fmt::format("load {} and only it", module_of(options.driver)),
			 load_only(options.driver, options.source)))
		return false;
	kernel_moves(report, functions, "adopted");

	auto before = Counts::rested();
	auto idle = module_refs(module_of(options.driver));
	switch (options.part) {
	case Handover_options::Part::rounds:
		all_rounds(report, options, functions, *memory);
		break;
	case Handover_options::Part::masks:
		every_pair_of_masks(report, options, functions, *memory);
		break;
	case Handover_options::Part::shortage:
		no_memory_at_release(report, options, functions, *memory);
		break;
	}
	auto after = settled(before);
	report.check("VmLck and pinned pages are back", after == before, difference(before, after));

	check_rmmod(report, options.driver, idle);
	kernel_moves(report, functions, "without tcewin");
	return end(report, kmsg);
}

} // namespace harness
