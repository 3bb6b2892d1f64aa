// SPDX-License-Identifier: GPL-2.0-only
// After the process: a child maps shared memory and is killed; the parent, which still has that memory, aims the device
// at the addresses the child used. First with nobody in charge of the group, then in a container with nothing mapped.
#include <algorithm>
#include <signal.h>

#include "cmd/life.hh"
#include "lib/bare.hh"
#include "lib/bypass.hh"
#include "lib/counts.hh"
#include "lib/exit_status.hh"
#include "lib/pattern.hh"
#include "lib/platform.hh"
#include "lib/region.hh"

namespace harness
{

namespace
{

constexpr std::size_t units_shared = 4;
constexpr std::uint64_t page_in_window = 5; // IOMMU pages from a window's start
constexpr std::size_t bypassed_unit = 2;    // not mapped; see target_in_ddw

struct Targets {
	bool ready;
	std::uint64_t default_ioba;
	std::uint64_t ddw_ioba;
};

std::size_t unit_size(const Life_options &options)
{
	return std::max({std::size_t{1} << 16, std::size_t{1} << options.ddw_shift, page_size()});
}

// On bare metal the kernel's bypass lies where the DDW was: the address is one where that shows memory of ours, or the
// device would be aimed at the kernel's once the process is gone.
Result<std::uint64_t> target_in_ddw(const Life_options &options, const Units &shared, std::uint64_t window)
{
	if (!platform().powernv)
		return window + (page_in_window << options.ddw_shift);
	auto ioba = bypass_address(shared.at(bypassed_unit, 0, 1));
	if (ioba && (*ioba < window || *ioba - window >= options.ddw_size || *ioba & ((1ull << options.ddw_shift) - 1)))
		return fail(ERANGE);
	return ioba;
}

// The child: everything mapped, tried, and then it waits to be killed.
Targets map_and_try(const Life_options &options, const Units &shared, const Rig &rig)
{
	Targets targets{};
	auto &container = rig.container();
	auto info = container.get_info();
	if (!info || !container.register_memory(shared.address(0), shared.memory.size()))
		return targets;
	auto window = container.tce_create(options.ddw_shift, options.ddw_size, 1);
	if (!window)
		return targets;

	auto ddw_page = 1ull << options.ddw_shift;
	targets.default_ioba = info->dma32_window_start + page_in_window * 4096;
	auto in_ddw = target_in_ddw(options, shared, *window);
	if (!in_ddw)
		return targets;
	targets.ddw_ioba = *in_ddw;
	auto scratch_ioba = *window;
	if (!container.map(targets.default_ioba, shared.address(0), 4096, Access::both) ||
	    !container.map(targets.ddw_ioba, shared.address(1), ddw_page, Access::both) ||
	    !container.map(scratch_ioba, shared.address(shared.scratch_index()), ddw_page, Access::both))
		return targets;

	Probe probe{rig.edu(), shared.scratch(), scratch_ioba, shared.memory};
	targets.ready = probe.write(targets.default_ioba, {shared.at(0, 0, 512)}) == Reach::arrived &&
			probe.write(targets.ddw_ioba, {shared.at(1, 0, 512)}) == Reach::arrived;
	return targets;
}

[[noreturn]] void be_the_child(const Life_options &options, const Pci_function &function, const Units &shared, int pipe)
{
	auto rig = Rig::open(function);
	auto targets = rig ? map_and_try(options, shared, **rig) : Targets{};
	(void)!::write(pipe, &targets, sizeof targets);
	for (;;)
		::pause();
}

Targets let_one_die(const Life_options &options, const Pci_function &function, const Units &shared)
{
	int ends[2];
	if (::pipe(ends) != 0)
		return {};
	auto pid = ::fork();
	if (pid == 0)
		be_the_child(options, function, shared, ends[1]);
	Fd in{ends[0]}, out{ends[1]};
	Targets targets{};
	if (pid < 0 || ::read(in.get(), &targets, sizeof targets) != sizeof targets)
		targets = {};
	if (pid > 0) {
		int status = 0;
		::kill(pid, SIGKILL);
		if (::waitpid(pid, &status, 0) != pid || !ended_by(status, SIGKILL))
			targets = {}; // it died before, and of something else
	}
	return targets;
}

// Both directions at one address, the memory in doubt filled before.
Result<bool> changed_by(const Edu &edu, std::uint64_t ioba, std::span<std::byte> memory, std::uint64_t seed)
{
	fill(memory, seed);
	if (auto moved = edu.to_ram(0, ioba, 2048); !moved)
		return std::unexpected{moved.error()};
	if (auto moved = edu.from_ram(ioba, 0, 2048); !moved)
		return std::unexpected{moved.error()};
	for (std::uint64_t i = 0; i < memory.size(); ++i)
		if (memory[i] != pattern_at(seed, i))
			return true;
	return false;
}

bool expect_change(Report &report, std::string_view what, const Result<bool> &changed, bool wanted)
{
	if (!changed)
		return report.step(what, changed);
	return report.check(what, *changed == wanted, *changed ? "arrived" : "nothing");
}

bool aim_bare(Report &report, const Pci_function &function, const Targets &targets, const Units &shared)
{
	auto memory = shared.at(0, 0, bypassed_unit * shared.unit);
	auto edu = bare_edu(function);
	if (!report.step("open the device with no container anywhere", edu))
		return false;
	bool safe = expect_change(report, "device writes where the default window's mapping was",
				  changed_by(*edu, targets.default_ioba, memory, 71), false);
	bool safe_ddw = expect_change(report, "device writes where the DDW's mapping was",
				      changed_by(*edu, targets.ddw_ioba, memory, 72), false);
	if (platform().powernv)
		expect_change(report, "and reaches by the kernel's bypass, which is back, what that shows there",
			      changed_by(*edu, targets.ddw_ioba, shared.at(bypassed_unit, 0, 2048), 74), true);
	return safe && safe_ddw;
}

// "Nothing arrived" means something only if the same aim hits when the mapping is there: once through VFIO, once bare.
void check_the_aim(Report &report, Rig &rig, const Pci_function &function, const Targets &targets, const Units &shared,
		   Probe &probe)
{
	auto &container = rig.container();
	if (!report.step("REGISTER_MEMORY of the shared memory, to see the aim is right",
			 container.register_memory(shared.address(0), shared.memory.size())))
		return;
	auto mapping = Mapping::make(container, targets.default_ioba, shared.address(0), 4096);
	if (!report.step("MAP_DMA it again at the same address", mapping))
		return;
	expect_reach(report, "device writes there now", probe.write(targets.default_ioba, {shared.at(0, 0, 512)}),
		     Reach::arrived);
	rig.close_device();
	auto edu = bare_edu(function);
	if (!report.step("the device without VFIO, the mapping still there", edu))
		return;
	expect_change(report, "device writes there as well",
		      changed_by(*edu, targets.default_ioba, shared.at(0, 0, shared.unit), 73), true);
	report.step("UNMAP_DMA it", mapping->unmap());
	report.step("UNREGISTER_MEMORY", container.unregister_memory(shared.address(0), shared.memory.size()));
}

void aim_afresh(Report &report, const Life_options &options, const Pci_function &function, const Targets &targets,
		const Units &shared, Window_story &first, Window_story &second)
{
	auto rig = Rig::open(function);
	if (!report.step("a new container, nothing mapped of the dead one's", rig))
		return;
	auto &container = (*rig)->container();
	auto own = Buffer::anonymous(unit_size(options));
	if (!report.step("memory of its own", own))
		return;
	auto region = Region::enroll(container, std::move(*own));
	auto info = container.get_info();
	if (!report.step("REGISTER_MEMORY of its own", region) || !report.step("GET_INFO", info))
		return;
	auto scratch_ioba = info->dma32_window_start;
	auto scratch = Mapping::make(container, scratch_ioba, region->address(), 4096);
	if (!report.step("MAP_DMA a scratch page", scratch))
		return;

	Probe probe{(*rig)->edu(), region->buffer().bytes(0, 4096), scratch_ioba, shared.memory};
	auto attempt = [&](std::uint64_t ioba, std::string_view name) {
		bool write = expect_reach(report, fmt::format("device writes where the {} mapping was", name),
					  probe.write(ioba, {shared.at(0, 0, 512)}), Reach::nothing);
		bool read = expect_reach(report, fmt::format("device reads where the {} mapping was", name),
					 probe.read(ioba, {shared.at(0, 0, 512)}), Reach::nothing);
		return write && read;
	};
	if (!attempt(targets.default_ioba, "default window's"))
		first.after_death = "YES";
	if (!attempt(targets.ddw_ioba, "DDW's"))
		second.after_death = "YES";
	auto window = container.tce_create(options.ddw_shift, options.ddw_size, 1);
	if (report.step("TCE_CREATE of an empty DDW", window) && !attempt(targets.ddw_ioba, "DDW's (in the new DDW)"))
		second.after_death = "YES";

	check_the_aim(report, **rig, function, targets, shared, probe);
}

} // namespace

void die(Report &report, const Life_options &options, const Pci_function &function, Window_story &first,
	 Window_story &second)
{
	auto huge_shift = options.ddw_shift > page_shift() ? options.ddw_shift : 0;
	auto buffer = Buffer::shared(units_shared * unit_size(options), huge_shift);
	if (!report.step("memory that outlives its user (memfd)", buffer))
		return;
	Units shared{buffer->bytes(), unit_size(options)};
	auto before = Counts::now();
	auto targets = let_one_die(options, function, shared);
	if (!report.check("a process mapped it, its device wrote it, SIGKILL", targets.ready,
			  targets.ready ? "gone" : "no use"))
		return;
	auto after = settled(before);
	report.check("pinned pages are as before it", after == before, difference(before, after));

	bool safe = aim_bare(report, function, targets, shared);
	first.after_death = second.after_death = safe ? "no" : "YES";
	aim_afresh(report, options, function, targets, shared, first, second);
}

} // namespace harness
