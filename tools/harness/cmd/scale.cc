// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/scale.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "lib/counts.hh"
#include "lib/kernel_memory.hh"
#include "lib/platform.hh"
#include "lib/probe.hh"

namespace harness
{

namespace
{

constexpr unsigned huge_shift = 21;
constexpr std::size_t huge = 1ull << huge_shift;
constexpr std::size_t huge_pages = 3; // two that are mapped, and the scratch
constexpr std::uint64_t spots = 5;    // that the device tries: first, last, and between
// What a window may cost beside its mappings, and what may change by itself meanwhile.
constexpr std::int64_t fixed_cost = 16 << 10;
constexpr std::int64_t cost_of_one = 256; // bytes, at most, of each mapping, accounted or not
constexpr std::int64_t least_of_one = 64; // less than that and the yardstick is broken
constexpr Noise noise{.slab = 4 << 10, .pages = 128 << 10, .vmalloc = 0};

struct Shape {
	std::string_view name;
	unsigned page_shift;
	std::uint64_t size;
};

constexpr std::array shapes{
	Shape{"1 GiB", 16, 1ull << 30},
	Shape{"1 TiB", 16, 1ull << 40},
	Shape{"64 TiB", huge_shift, 1ull << 46},
};

struct Row {
	std::string window;
	std::uint64_t mapped;
	std::int64_t kernel; // bytes more than before the window
	std::int64_t locked; // likewise
	double milliseconds; // for what was done
};

class Scale
{
public:
	Scale(Report &report, const Scale_options &options, Rig &rig, const Region &region, std::uint64_t scratch_ioba)
		: report_{report}, options_{options}, rig_{rig}, region_{region}, scratch_ioba_{scratch_ioba}
	{
	}

	void measure(const Shape &shape)
	{
		report_.heading(
			fmt::format("a window of {}, pages of {} KiB", shape.name, 1u << shape.page_shift >> 10));
		auto memory = Kernel_memory::rested();
		auto locked = Counts::now().locked;
		auto begin = clock::now();
		auto window = Window::create(rig_.container(), shape.page_shift, shape.size);
		auto row = [&](std::string_view what, std::uint64_t mapped) {
			auto took = clock::now() - begin;
			auto grown = Kernel_memory::rested() - memory;
			auto more = static_cast<std::int64_t>(Counts::now().locked - locked);
			rows_.push_back({fmt::format("{}, {}", shape.name, what), mapped, grown.total(), more,
					 std::chrono::duration<double, std::milli>(took).count()});
			return grown.total();
		};
		if (!report_.step("TCE_CREATE", window))
			return;
		tces_ = shape.size >> shape.page_shift;
		auto empty = row("empty", 0);

		begin = clock::now();
		if (!report_.step(fmt::format("MAP_DMA of {} pages spread over it", spots), spread(*window, spots)))
			return;
		auto few = row("a few", spots);
		try_spots(*window);
		report_.step("UNMAP_DMA of all of it", rig_.container().unmap(window->start(), window->size()));

		begin = clock::now();
		report_.step(fmt::format("MAP_DMA of {} pages spread over it", options_.mappings),
			     spread(*window, options_.mappings));
		auto grown = row("many", options_.mappings);
		report_.check("which are seen at all", grown >= least_of_one * options_.mappings,
			      fmt::format("{} bytes a mapping", grown / options_.mappings));
		report_.check("and charged to the user",
			      rows_.back().locked >= least_of_one * options_.mappings &&
				      rows_.back().locked <= most(options_.mappings) + of_firmware() &&
				      (!platform().tables_in_memory || rows_.back().locked >= grown / 4 * 3),
			      fmt::format("VmLck {:+} KiB", rows_.back().locked / 1024));

		begin = clock::now();
		report_.step("TCE_REMOVE", window->remove());
		auto stays = std::max<std::int64_t>(row("removed", 0), 0);
		check_same(report_, "the kernel's memory is as before TCE_CREATE", memory, noise);
		// What others have taken meanwhile, within the noise, is no cost of the window.
		cheap("the empty window", empty - stays, 0);
		cheap("with a few mappings", few - stays, spots);
		cheap("with many mappings", grown - stays, options_.mappings);
		auto now = Counts::now().locked;
		report_.check("and VmLck", now == locked,
			      fmt::format("{:+} bytes", static_cast<std::int64_t>(now - locked)));
	}

	void limit(const Shape &shape)
	{
		report_.heading(fmt::format("a window of {} filled from one page", shape.name));
		auto before = Counts::rested();
		auto window = Window::create(rig_.container(), shape.page_shift, shape.size);
		if (!report_.step("TCE_CREATE", window))
			return;
		fill_to_limit(report_, rig_, region_, *window, scratch_ioba_);
		report_.step("TCE_REMOVE", window->remove());
		auto after = settled(before);
		report_.check("VmLck and pinned pages are as before TCE_CREATE", after == before,
			      difference(before, after));
	}

	void print() const
	{
		fmt::print("\n  {:<18} {:>9} {:>18} {:>10} {:>10}\n", "window", "mappings", "kernel memory, KiB",
			   "VmLck, KiB", "ms");
		for (auto &row : rows_)
			fmt::print("  {:<18} {:>9} {:>18.1f} {:>10} {:>10.1f}\n", row.window, row.mapped,
				   static_cast<double>(row.kernel) / 1024, row.locked / 1024, row.milliseconds);
		fmt::print("\n");
	}

private:
	using clock = std::chrono::steady_clock;

	std::int64_t most(std::uint64_t mapped) const
	{
		return fixed_cost + cost_of_one * static_cast<std::int64_t>(mapped) + cost_of_levels(mapped, tces_);
	}

	// What the hypervisor's table takes, mapped or not, which is no memory of this kernel's.
	std::int64_t of_firmware() const
	{
		return platform().tables_in_memory ? 0 : static_cast<std::int64_t>(tces_ * sizeof(std::uint64_t));
	}

	void cheap(std::string_view what, std::int64_t grown, std::uint64_t mapped)
	{
		report_.check(fmt::format("{} costs at most {} KiB", what, most(mapped) / 1024), grown <= most(mapped),
			      fmt::format("{:.1f} KiB", static_cast<double>(grown) / 1024));
	}

	// The i-th of `count` pages from the first to the last.
	static std::uint64_t spot(const Window &window, std::uint64_t i, std::uint64_t count)
	{
		return window.start() + (window.size() / window.page() - 1) / (count - 1) * i * window.page() +
		       (i == count - 1 ? (window.size() / window.page() - 1) % (count - 1) * window.page() : 0);
	}

	std::size_t offset_of(std::uint64_t i) const { return i % (huge_pages - 1) * huge; }

	Result<> spread(const Window &window, std::uint64_t count)
	{
		for (std::uint64_t i = 0; i < count; ++i)
			if (auto done = rig_.container().map(spot(window, i, count), region_.address() + offset_of(i),
							     window.page(), Access::both);
			    !done)
				return done;
		return {};
	}

	void try_spots(const Window &window)
	{
		auto memory = region_.buffer().bytes();
		Probe probe{rig_.edu(), memory.last(4096), scratch_ioba_, memory};
		for (std::uint64_t i = 0; i < spots; ++i) {
			// Up to the last byte of the last page.
			auto in_page = window.page() - 1000;
			auto ioba = spot(window, i, spots) + in_page;
			Pieces pieces{memory.subspan(offset_of(i) + in_page, 1000)};
			auto written = probe.write(ioba, pieces), read = probe.read(ioba, pieces);
			report_.check(fmt::format("device writes and reads at {:#x}", ioba),
				      written == Reach::arrived && read == Reach::arrived,
				      fmt::format("{}, {}", written ? name_of(*written) : written.error().name(),
						  read ? name_of(*read) : read.error().name()));
		}
	}

	Report &report_;
	const Scale_options &options_;
	Rig &rig_;
	const Region &region_;
	std::uint64_t scratch_ioba_;
	std::uint64_t tces_ = 0; // of the window that is measured
	std::vector<Row> rows_;
};

// QEMU's bare metal has no huge pages with the radix MMU: memory of base pages, and IOMMU pages no larger, do as well
// for a table in memory.
Result<Buffer> take_memory(Report &report)
{
	if (!platform().powernv || huge_page_shift(huge_shift))
		return Buffer::huge(huge_pages * huge, huge_shift);
	report.note("no huge pages here: IOMMU pages of the kernel's size");
	return Buffer::anonymous(huge_pages * huge);
}
Shape of_kernels_pages(Shape shape)
{
	if (platform().powernv && !huge_page_shift(huge_shift))
		shape.page_shift = page_shift();
	return shape;
}

void with_rig(Report &report, const Scale_options &options, const Pci_function &function)
{
	auto rig = Rig::open(function);
	if (!report.step("set a container up", rig))
		return;
	auto info = (*rig)->container().get_info();
	auto buffer = take_memory(report);
	if (!report.step("GET_INFO", info) || !report.step("memory of 2 MiB pages", buffer))
		return;
	auto region = Region::enroll((*rig)->container(), std::move(*buffer));
	if (!report.step("REGISTER_MEMORY", region))
		return;
	auto scratch_ioba = info->dma32_window_start;
	auto scratch =
		Mapping::make((*rig)->container(), scratch_ioba, region->address() + region->size() - 4096, 4096);
	if (!report.step("MAP_DMA of the device's scratch in the default window", scratch))
		return;

	Scale scale{report, options, **rig, *region, scratch_ioba};
	(void)Kernel_memory::rested(); // what only the first finds to give back
	for (auto &shape : shapes)
		scale.measure(of_kernels_pages(shape));
	for (auto &shape : shapes)
		if (shape.size > 1ull << 30)
			scale.limit(of_kernels_pages(shape));
	scale.print();
}

} // namespace

bool run_scale(const Scale_options &options)
{
	return run_on_edu(options, "windows of terabytes",
			  [&](Report &report, const Pci_function &function) { with_rig(report, options, function); });
}

} // namespace harness
