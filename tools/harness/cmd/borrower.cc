// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/borrower.hh"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "lib/bare.hh"
#include "lib/edu_host.hh"
#include "lib/pattern.hh"
#include "lib/platform.hh"
#include "lib/probe.hh"

namespace harness
{

namespace
{

constexpr std::uint32_t seen = 1024; // bytes of each of the driver's queues, kept in the edu device's buffer at:
constexpr std::uint32_t submission_at = 0, completion_at = 2048;
constexpr std::size_t entry = 64;

// Among a driver's first commands to a controller is IDENTIFY, 0x06, without flags.
bool has_commands(std::span<const std::byte> buffer)
{
	for (std::size_t at = submission_at; at + entry <= submission_at + seen && at + entry <= buffer.size();
	     at += entry)
		if (buffer[at] == std::byte{0x06} && buffer[at + 1] == std::byte{0})
			return true;
	return false;
}

bool same_at(std::span<const std::byte> one, std::span<const std::byte> other, std::size_t at)
{
	return std::ranges::equal(one.subspan(at, entry), other.subspan(at, entry));
}

bool holds(std::span<const std::byte> memory, std::uint64_t seed)
{
	std::uint64_t position = 0;
	return std::ranges::all_of(memory, [&](auto byte) { return byte == pattern_at(seed, position++); });
}

} // namespace

void Borrower::spy_on_queues()
{
	auto found = admin_queues(disk_);
	auto edu = bare_edu(edu_);
	if (!report_.step("the addresses of the driver's queues", found) || !report_.step("the edu device", edu))
		return;
	drivers_ = *found;
	report_.note(fmt::format("ASQ {:#x}, ACQ {:#x}", drivers_.submission, drivers_.completion));
	report_.step("it reads there", look_at_queues(*edu));
}

bool Borrower::borrow(Driver driver)
{
	if (!report_.step("the disk to no driver", edu_host::leave(disk_)) ||
	    !report_.step("the disk to vfio-pci", disk_.bind_vfio()))
		return false;
	auto rig = Rig::open(edu_);
	if (!report_.step("container, group, edu device", rig))
		return false;
	auto served = (*rig)->served_by();
	report_.check("the driver that serves", served == driver, to_text(served));
	auto &container = (*rig)->container();
	auto info = container.get_info();
	auto device = Device::open((*rig)->group(), disk_.address());
	if (!report_.step("GET_INFO", info) || !report_.step("open the disk through VFIO", device) ||
	    !report_.step("its bus mastering", device->set_bus_master(Bus_master::on)) ||
	    !report_.step("REGISTER_MEMORY", container.register_memory(memory_.address(), memory_.size())))
		return false;
	base_ = info->dma32_window_start + (1 << 20);
	has_ddw_ = info->flags & VFIO_IOMMU_SPAPR_INFO_DDW;
	auto page = map(container, base_, scratch);
	if (!report_.step("MAP_DMA a scratch page", page))
		return false;
	nothing_of_the_drivers((*rig)->edu());
	use(**rig, *device);
	page->forget();
	return true;
}

void Borrower::aim_at_own()
{
	for (auto &function : {edu_, disk_})
		report_.step(fmt::format("{} to no driver", function.address()), edu_host::leave(function));
	auto edu = bare_edu(edu_);
	if (!report_.step("the edu device", edu))
		return;
	fill(memory_.bytes(), 31);
	Result<> moved;
	for (auto ioba : iobas_)
		if (moved)
			moved = edu->to_ram(0, ioba, 512);
	bool safe = moved && holds(memory_.bytes(), 31);
	report_.step(fmt::format("it writes to {} addresses of the user's", iobas_.size()), moved);
	report_.check("of memory that is still there", safe && iobas_.size() == (has_ddw_ ? 4 : 3),
		      safe ? "nothing" : "ARRIVED");
}

Result<Mapping> Borrower::map(const Container &container, std::uint64_t ioba, Place place)
{
	iobas_.push_back(ioba);
	return Mapping::make(container, ioba, memory_.address() + place * unit, unit);
}

Result<> Borrower::look_at_queues(const Edu &edu) const
{
	if (auto moved = edu.from_ram(drivers_.submission, submission_at, seen); !moved)
		return moved;
	return edu.from_ram(drivers_.completion, completion_at, seen);
}

// Empty: it could not be had.
std::vector<std::byte> Borrower::unload(const Edu &edu) const
{
	auto page = bytes(scratch, Edu::capacity);
	std::ranges::fill(page, std::byte{0xee});
	if (!edu.to_ram(0, base_, Edu::capacity))
		return {};
	return {page.begin(), page.end()};
}

// The edu device's buffer still has what it saw while the driver was there.
void Borrower::nothing_of_the_drivers(const Edu &edu)
{
	auto then = unload(edu);
	report_.check("it had seen the driver's commands", has_commands(then), has_commands(then) ? "yes" : "no");
	fill(bytes(scratch, Edu::capacity), 37);
	bool looked = edu.from_ram(base_, 0, Edu::capacity) && look_at_queues(edu);
	auto now = unload(edu);
	looked &= !then.empty() && !now.empty();
	bool clear = looked && !has_commands(now) && !same_at(now, then, submission_at) &&
		     !same_at(now, then, completion_at);
	report_.check("now it reads nothing there", clear, clear ? "nothing" : looked ? "READ IT" : "NOT TRIED");
}

// The disk does DMA by queues of the user's, in one window and then in two, if the PE can have them.
void Borrower::use(const Rig &rig, const Device &device)
{
	auto &container = rig.container();
	auto queue_ioba = base_ + unit, data_ioba = base_ + 2 * unit;
	auto queue_pages = map(container, queue_ioba, queues);
	auto data_page = map(container, data_ioba, data);
	if (!report_.step("MAP_DMA queues", queue_pages) || !report_.step("MAP_DMA a page of data", data_page))
		return;
	auto nvme = Nvme::start(device, bytes(queues, 2 * Nvme::queue_size), queue_ioba);
	if (!report_.step("the disk takes the queues", nvme))
		return;
	identifies(**nvme, data_ioba, "default window");
	report_.step("UNMAP_DMA the page", data_page->unmap());
	does_not(**nvme, data_ioba, "unmapped");
	if (has_ddw_)
		use_ddw(rig, **nvme);
	report_.step("MAP_DMA the page once more",
		     container.map(data_ioba, memory_.address() + data * unit, unit, Access::both));
	queue_pages->forget();
}

void Borrower::use_ddw(const Rig &rig, Nvme &nvme)
{
	// The kernel's own window for all memory may be there again when the user has gone.
	auto above = beyond_memory;
	auto levels = platform().powernv ? 2 : 1; // in tree more than one is refused on an LPAR
	auto ddw = Window::create(rig.container(), page_shift(), std::bit_ceil(above + (1 << 28)), levels);
	if (!report_.step("TCE_CREATE a DDW", ddw))
		return;
	auto ioba = ddw->start() + above + (2 << 20);
	auto page = map(rig.container(), ioba, data);
	if (!report_.step("MAP_DMA the page there", page))
		return;
	identifies(nvme, ioba, "DDW");
	Probe probe{rig.edu(), bytes(scratch, 4096), base_, memory_.bytes()};
	auto reach = probe.write(ioba, {bytes(data, 1000)});
	report_.check("the edu device writes the same page", reach == Reach::arrived,
		      reach ? name_of(*reach) : reach.error().name());
	page->forget();
	report_.step("TCE_REMOVE the DDW", ddw->remove());
	does_not(nvme, ioba, "window removed");
}

void Borrower::identifies(Nvme &nvme, std::uint64_t ioba, std::string_view where)
{
	auto page = bytes(data, 4096);
	fill(page, 41);
	auto status = nvme.identify(ioba);
	report_.check(fmt::format("{}: IDENTIFY", where), status == 0,
		      status ? fmt::format("status {:#x}", *status) : status.error().name());
	report_.check(fmt::format("{}: the disk wrote who it is", where), serial_number(page) == "tcewin-disk",
		      serial_number(page));
}

// QEMU's controller calls it a success all the same; that it answers shows that it tried.
void Borrower::does_not(Nvme &nvme, std::uint64_t ioba, std::string_view where)
{
	auto page = bytes(data, 4096);
	fill(page, 43);
	report_.step(fmt::format("{}: IDENTIFY", where), nvme.identify(ioba));
	bool clear = holds(page, 43);
	report_.check(fmt::format("{}: nothing was written", where), clear, clear ? "nothing" : "ARRIVED");
}

} // namespace harness
