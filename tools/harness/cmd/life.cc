// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/life.hh"

#include <algorithm>

#include "lib/counts.hh"
#include "lib/devtree.hh"
#include "lib/bypass.hh"
#include "lib/kmsg.hh"
#include "lib/platform.hh"
#include "lib/region.hh"

namespace harness
{

namespace
{

constexpr std::size_t unit_count = 16;
constexpr unsigned default_shift = 12;
constexpr std::uint64_t small_ddw = 256 << 20;

Result<std::unique_ptr<Rig>> attach(Report &report, const Life_options &options, const Pci_function &function)
{
	auto rig = Rig::open(function);
	if (!report.step("open container, group, device; SET_IOMMU type 7", rig))
		return rig;
	auto served = (*rig)->served_by();
	report.check("the driver that serves (by its reference count)", served == options.driver, to_text(served));
	auto &container = (*rig)->container();
	report.check("CHECK_EXTENSION type 7", container.check_extension(type_v2).value_or(-1) == 1, "asked");
	report.check("group is viable", (*rig)->group().viable().value_or(false), "asked");
	return rig;
}

std::optional<Tce_info> inform(Report &report, const Container &container, const Pci_function &function)
{
	auto info = container.get_info();
	if (!report.step("GET_INFO", info))
		return std::nullopt;
	report.note(fmt::format("default window {:#x}+{:#x}, flags {:#x}, pgsizes {:#x}, windows {}, levels {}",
				info->dma32_window_start, info->dma32_window_size, info->flags, info->ddw.pgsizes,
				info->ddw.max_dynamic_windows_supported, info->ddw.levels));
	report.note("device tree: " + to_string(tree_windows(function)));
	return *info;
}

// A mapping is alive in `victim` when the window goes; the scratch is in `other`, which stays.
std::string remove_alive(Report &report, const Rig &rig, const Units &units, const Geometry &victim,
			 const Geometry &other, std::string_view name)
{
	auto &container = rig.container();
	auto iova = victim.start + 4 * victim.page();
	auto scratch = Mapping::make(container, other.start, units.address(units.scratch_index()), other.page());
	auto mapping = Mapping::make(container, iova, units.address(6), victim.page());
	if (!report.step(fmt::format("{}: MAP_DMA, scratch in the other window", name), scratch) ||
	    !report.step(fmt::format("{}: MAP_DMA a page that will be alive", name), mapping))
		return "-";
	Probe probe{rig.edu(), units.scratch(), other.start, units.memory};
	Pieces pieces{units.at(6, 21, 1500)};
	expect_reach(report, fmt::format("{}: device writes before TCE_REMOVE", name), probe.write(iova + 21, pieces),
		     Reach::arrived);
	if (!report.step(fmt::format("{}: TCE_REMOVE({:#x})", name, victim.start), container.tce_remove(victim.start)))
		return "-";
	mapping->forget();
	bool write = expect_reach(report, fmt::format("{}: device writes after TCE_REMOVE", name),
				  probe.write(iova + 21, pieces), Reach::nothing);
	bool read = expect_reach(report, fmt::format("{}: device reads after TCE_REMOVE", name),
				 probe.read(iova + 21, pieces), Reach::nothing);
	report.step(fmt::format("{}: MAP_DMA there", name),
		    container.map(iova, units.address(6), victim.page(), Access::both), Errno{ENXIO});
	return write && read ? "no" : "YES";
}

Result<Geometry> create(Report &report, const Container &container, unsigned shift, std::uint64_t size,
			std::string_view name)
{
	auto start = container.tce_create(shift, size, 1);
	report.step(fmt::format("TCE_CREATE {} ({} KiB pages, {} MiB)", name, (1ull << shift) >> 10, size >> 20),
		    start);
	if (!start)
		return std::unexpected{start.error()};
	report.note(fmt::format("start_addr {:#x}", *start));
	return Geometry{*start, size, shift};
}

// What the kernel's devices reach all memory by is closed to a user's. `window`: where the scratch may be.
void no_bypass(Report &report, const Rig &rig, const Units &units, const Geometry &window, std::string_view when)
{
	if (!platform().powernv)
		return;
	auto scratch =
		Mapping::make(rig.container(), window.start, units.address(units.scratch_index()), window.page());
	Pieces pieces{units.at(4, 64, 512)};
	auto ioba = bypass_address(pieces.front());
	if (!report.step(fmt::format("{}: MAP_DMA a scratch page", when), scratch) ||
	    !report.step("the physical address of some memory", ioba))
		return;
	Probe probe{rig.edu(), units.scratch(), window.start, units.memory};
	expect_reach(report, fmt::format("{}: device writes it by the kernel's bypass", when),
		     probe.write(*ioba, pieces), Reach::nothing);
	expect_reach(report, fmt::format("{}: device reads it by the kernel's bypass", when), probe.read(*ioba, pieces),
		     Reach::nothing);
}

// What a device that is hot-added will believe, and a kernel that is loaded for kexec or to save a dump: the default
// window is there, and nothing of the user's.
void tree_has_default_alone(Report &report, const Pci_function &function, const Geometry &default_window,
			    std::string_view when)
{
	auto tree = tree_windows(function);
	bool alone = tree.size() == 1 && tree[0].property == "ibm,dma-window" && tree[0].start == default_window.start;
	report.check(fmt::format("{}: the device tree has the default window alone", when), alone, to_string(tree));
}

// The platform's own operations of a PE announce what they make.
void tree_has_both(Report &report, const Pci_function &function, const Geometry &ddw, const Geometry &default_window)
{
	auto tree = tree_windows(function);
	auto at = [&tree](std::uint64_t start) {
		return std::ranges::find_if(tree, [start](auto &window) { return window.start == start; });
	};
	auto shown = at(ddw.start), first = at(default_window.start);
	if (!report.check("the device tree shows the DDW", shown != tree.end(), to_string(tree)))
		return;
	report.check("under the name of a DDW that is no direct one", shown->property == "linux,dma64-ddr-window-info",
		     shown->property);
	report.check("with the size and the page shift that CREATE was asked for",
		     shown->size == ddw.size && shown->page_shift == ddw.page_shift,
		     fmt::format("{:#x} and {}", shown->size, shown->page_shift));
	// QEMU numbers the windows of a PE by the last byte.
	bool another = first != tree.end() && shown->liobn != first->liobn && shown->liobn >> 8 == first->liobn >> 8;
	report.check("and with a number that is the PE's and not the default window's", another,
		     fmt::format("{:#x}", shown->liobn));
}

bool platform_makes_windows(const Life_options &options)
{
	auto with = [&](std::string_view parameter) {
		return options.source.parameters.find(parameter) != std::string::npos;
	};
	return options.driver == Driver::in_tree ? !with("vfio=0") : with("platform_ops=1");
}

void live(Report &report, const Life_options &options, const Pci_function &function, Window_story &first,
	  Window_story &second)
{
	auto rig = attach(report, options, function);
	if (!rig)
		return;
	auto &container = (*rig)->container();
	auto info = inform(report, container, function);
	if (!info)
		return;

	auto before = Counts::now();
	auto unit = std::max({std::size_t{1} << 16, std::size_t{1} << options.ddw_shift, page_size()});
	// IOMMU pages above the kernel's own want memory of huge pages behind them.
	bool huge = options.ddw_shift > page_shift();
	auto buffer = huge ? Buffer::huge(unit_count * unit, options.ddw_shift) : Buffer::anonymous(unit_count * unit);
	if (!report.step("allocate memory", buffer))
		return;
	auto region = Region::enroll(container, std::move(*buffer));
	if (!report.step(fmt::format("REGISTER_MEMORY {} KiB", unit_count * unit >> 10), region))
		return;
	auto registered = Counts::now();
	report.check("VmLck and pinned pages count the region",
		     registered.locked - before.locked == region->size() &&
			     registered.pinned - before.pinned == region->size() / page_size(),
		     difference(before, registered));

	Units units{region->buffer().bytes(), unit};
	Geometry default_window{info->dma32_window_start, info->dma32_window_size, default_shift};
	first.start = default_window.start;
	first.page = default_window.page();
	no_bypass(report, **rig, units, default_window, "default window");
	exercise(report, container, (*rig)->edu(), units, default_window, first);

	auto ddw = create(report, container, options.ddw_shift, options.ddw_size, "a DDW");
	if (!ddw)
		return;
	second.start = ddw->start;
	second.page = ddw->page();
	const bool by_platform = platform_makes_windows(options);
	if (platform().windows_in_tree && by_platform)
		tree_has_both(report, function, *ddw, default_window);
	else if (platform().windows_in_tree)
		tree_has_default_alone(report, function, default_window, "with a DDW");
	exercise(report, container, (*rig)->edu(), units, *ddw, second);
	no_bypass(report, **rig, units, default_window, "DDW in its place");
	second.after_remove = remove_alive(report, **rig, units, *ddw, default_window, "DDW");
	no_bypass(report, **rig, units, default_window, "DDW gone");

	auto again = create(report, container, options.ddw_shift, options.ddw_size, "the DDW again");
	if (!again)
		return;
	report.check("it starts where the first did", again->start == ddw->start, fmt::format("{:#x}", again->start));
	first.after_remove = remove_alive(report, **rig, units, default_window, *again, "default window");
	if (platform().windows_in_tree && !by_platform)
		tree_has_default_alone(report, function, default_window, "removed");

	report.step("TCE_REMOVE the DDW", container.tce_remove(again->start));
	auto back = create(report, container, default_shift, default_window.size, "the default window again");
	if (back) {
		report.check("it is at its fixed start", back->start == default_window.start,
			     fmt::format("{:#x}", back->start));
		Window_story third{.name = "default window, back"};
		exercise(report, container, (*rig)->edu(), units, *back, third);
	}
	report.step("UNREGISTER_MEMORY", region->unregister());
	auto after = settled({.locked = 0, .pinned = before.pinned});
	report.check("pinned pages are as before REGISTER", after.pinned == before.pinned, difference(before, after));
}

void print_table(const Window_story &first, const Window_story &second)
{
	fmt::print("\n  {:<16} {:<19} {:<7} {:<14} {:<14} {:^41}\n", "", "", "", "device", "device",
		   "reaches memory after");
	fmt::print("  {:<16} {:<19} {:<7} {:<14} {:<14} {:<8} {:<12} {:<12}\n", "window", "start", "page", "wrote",
		   "read", "UNMAP", "TCE_REMOVE", "process gone");
	for (auto &story : {first, second})
		fmt::print("  {:<16} {:<#19x} {:<7} {:<14} {:<14} {:<8} {:<12} {:<12}\n", story.name, story.start,
			   fmt::format("{} KiB", story.page >> 10), story.written, story.read, story.after_unmap,
			   story.after_remove, story.after_death);
	fmt::print("\n");
}

} // namespace

bool run_life(const Life_options &given)
{
	auto options = given;
	if (options.ddw_shift == 0)
		options.ddw_shift = page_shift();
	if (options.ddw_size == 0)
		options.ddw_size = platform().powernv ? beyond_memory : small_ddw;
	Report report;
	report.heading(fmt::format("life of a v2 container, driver {}", name_of(options.driver)));
	auto kmsg = Kmsg::follow(given.expected);
	auto function = prepare(report, options);
	if (!function)
		return false;

	Window_story first{.name = "default window"}, second{.name = "DDW"};
	auto before = Counts::now();
	auto idle = module_refs(module_of(options.driver));
	live(report, options, *function, first, second);
	auto after = settled(before);
	report.check("VmLck and pinned pages are back after close", after == before, difference(before, after));
	report.heading("a process that dies");
	die(report, options, *function, first, second);
	after = settled(before);
	report.check("VmLck and pinned pages are back", after == before, difference(before, after));

	check_rmmod(report, options.driver, idle);
	check_splats(report, kmsg);
	check_expected(report, kmsg);
	print_table(first, second);
	report.heading(fmt::format("served by: {}", name_of(options.driver)));
	report.summary();
	return report.good();
}

} // namespace harness
