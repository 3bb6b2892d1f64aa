// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/tenant.hh"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/options.hh"
#include "lib/bare.hh"
#include "lib/pattern.hh"
#include "lib/probe.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t ddw_size = 4ull << 30; // covers what a direct mapping of the guest's memory covered
constexpr std::uint32_t aimed = 512;	       // bytes of each try at the kernel's pages

// The user has claimed the group, and no driver of containers has it yet: the PE has no window at all.
void try_claimed(Report &report, const Pci_function &function)
{
	auto edu = bare_edu(function);
	Result<> moved;
	if (!edu)
		moved = std::unexpected{edu.error()};
	for (auto &page : edu_host::kept())
		if (moved)
			moved = edu->to_ram(0, page.bus, aimed);
	bool clear = moved && edu_host::all_intact();
	report.check(fmt::format("claimed: {} writes where the kernel had pages", function.address()), clear,
		     !moved  ? moved.error().name()
		     : clear ? "nothing"
			     : "ARRIVED");
	(void)edu_host::refill();
}

bool shows_mark(std::span<const std::byte> bytes)
{
	std::string_view text{reinterpret_cast<const char *>(bytes.data()), bytes.size()};
	return text.contains(edu_host::mark);
}

} // namespace

std::string_view name_of(Windows windows)
{
	switch (windows) {
	case Windows::first_only:
		return "default window";
	case Windows::both:
		return "default window and DDW";
	case Windows::ddw_only:
		return "DDW alone";
	case Windows::none:
		return "no window";
	}
	return "?";
}

Tenant::Tenant(Report &report, std::unique_ptr<Rig> rig, const Buffer &memory)
	: report_{report}, rig_{std::move(rig)}, memory_{memory}
{
}

std::unique_ptr<Tenant> Tenant::move_in(Report &report, const std::vector<Pci_function> &functions, Driver driver,
					const Buffer &memory)
{
	auto container = Container::open();
	auto number = functions[0].group();
	auto group = number ? Group::open(*number) : Result<Group>{std::unexpected{number.error()}};
	if (!report.step("the user: open a container", container) || !report.step("open the group", group))
		return nullptr;
	Serving_watch watch;
	if (!report.step("SET_CONTAINER", group->set_container(*container)))
		return nullptr;
	for (auto &function : functions)
		try_claimed(report, function);
	if (!report.step("SET_IOMMU", container->set_iommu(type_v2)))
		return nullptr;
	report.check("the driver that serves", watch.served() == driver, to_text(watch.served()));

	auto rig = std::make_unique<Rig>(functions[0], std::move(*container), std::move(*group));
	auto info = rig->container().get_info();
	if (!report.step("GET_INFO", info) ||
	    !report.step("REGISTER_MEMORY", rig->container().register_memory(memory.address(), memory.size())))
		return nullptr;
	auto tenant = std::make_unique<Tenant>(report, std::move(rig), memory);
	tenant->info_ = *info;
	tenant->windows_ = {info->dma32_window_start};
	return tenant->open(functions[0]) ? std::move(tenant) : nullptr;
}

bool Tenant::open(const Pci_function &function)
{
	auto device = Device::open(rig_->group(), function.address());
	if (!report_.step(fmt::format("open {} through VFIO", function.address()), device) ||
	    !report_.step("turn its bus mastering on", device->set_bus_master(Bus_master::on)))
		return false;
	auto bar = device->map_bar(0);
	auto edu = bar ? Edu::attach(std::move(*bar)) : Result<Edu>{std::unexpected{bar.error()}};
	if (!report_.step("its engine answers", edu))
		return false;
	guests_.push_back({function, std::move(*device), std::move(*edu)});
	return true;
}

void Tenant::close(const Pci_function &function)
{
	guests_.remove_if([&](const Guest &guest) { return guest.function.address() == function.address(); });
}

void Tenant::close_all() { guests_.clear(); }

bool Tenant::arrange(Windows windows)
{
	if (!clear())
		return false;
	state_ = windows;
	bool done = true;
	if (windows == Windows::first_only || windows == Windows::both)
		done = add_first();
	if (done && (windows == Windows::both || windows == Windows::ddw_only))
		done = add_ddw();
	if (done && scratch_ && unseen_) {
		for (auto &guest : guests_)
			look(guest, "while there was no window");
		unseen_ = false;
	}
	return done;
}

bool Tenant::clear()
{
	bool done = true;
	for (auto start : windows_)
		done &= report_.step(fmt::format("TCE_REMOVE {:#x}", start), rig_->container().tce_remove(start));
	windows_.clear();
	places_.clear();
	scratch_.reset();
	return done;
}

bool Tenant::add_first()
{
	auto start = rig_->container().tce_create(12, info_.dma32_window_size, 1);
	if (!report_.step("TCE_CREATE the default window", start))
		return false;
	windows_.push_back(*start);
	return furnish(*start, info_.dma32_window_size, 12, 1);
}

bool Tenant::add_ddw()
{
	auto start = rig_->container().tce_create(page_shift(), ddw_size, 1);
	if (!report_.step("TCE_CREATE a DDW", start))
		return false;
	windows_.push_back(*start);
	return furnish(*start, ddw_size, page_shift(), 2);
}

// Near the window's end: the kernel has its own mappings of a few pages in the lower three quarters of a window. Not at
// the end: on bare metal the last 64 KiB below 4 GiB are interrupts, and a window at 0 may end there.
bool Tenant::furnish(std::uint64_t start, std::uint64_t size, std::uint32_t shift, std::size_t number)
{
	auto &container = rig_->container();
	std::uint64_t end = start + size - (1 << 20), page = 1ull << shift;
	if (!scratch_) {
		scratch_ = end - page;
		if (!report_.step("MAP_DMA a scratch page",
				  container.map(*scratch_, memory_.address(), page, Access::both)))
			return false;
	}
	places_.push_back({end - 2 * page, number});
	if (!std::ranges::count(iobas_, end - 2 * page))
		iobas_.push_back(end - 2 * page);
	return report_.step("MAP_DMA a page to try",
			    container.map(end - 2 * page, memory_.address() + number * unit, page, Access::both));
}

void Tenant::try_everything()
{
	for (auto &guest : guests_) {
		try_own(guest);
		try_kernels(guest);
	}
}

void Tenant::try_own(const Guest &guest)
{
	for (auto &place : places_) {
		Probe probe{guest.edu, memory_.bytes(0, 4096), *scratch_, memory_.bytes()};
		Pieces pieces{memory_.bytes(place.unit * unit + 40, 777)};
		auto write = probe.write(place.ioba + 40, pieces), read = probe.read(place.ioba + 40, pieces);
		bool both = write == Reach::arrived && read == Reach::arrived;
		report_.check(fmt::format("{}: {} reaches the user's page at {:#x}", name_of(state_),
					  guest.function.address(), place.ioba),
			      both, both ? "both ways" : "no");
	}
}

bool Tenant::load(const Guest &guest)
{
	auto scratch = memory_.bytes(0, Edu::capacity);
	fill(scratch, 17);
	return guest.edu.from_ram(*scratch_, 0, Edu::capacity).has_value();
}

void Tenant::try_kernels(const Guest &guest)
{
	bool moved = !scratch_ || load(guest);
	std::uint32_t offset = 0;
	for (auto &page : edu_host::kept()) {
		moved &= guest.edu.to_ram(0, page.bus, aimed).has_value() &&
			 guest.edu.from_ram(page.bus, offset, aimed).has_value();
		bool clear = moved && edu_host::all_intact();
		report_.check(fmt::format("{}: {} writes where the kernel had {:#x}", name_of(state_),
					  guest.function.address(), page.bus),
			      clear,
			      !moved  ? "NOT TRIED"
			      : clear ? "nothing"
				      : "ARRIVED");
		(void)edu_host::refill();
		offset += aimed;
	}
	if (scratch_)
		look(guest, name_of(state_));
	else
		unseen_ = true;
}

void Tenant::look(const Guest &guest, std::string_view when)
{
	auto scratch = memory_.bytes(0, Edu::capacity);
	std::ranges::fill(scratch, std::byte{0});
	bool moved = guest.edu.to_ram(0, *scratch_, Edu::capacity).has_value();
	bool clear = moved && !shows_mark(scratch);
	report_.check(fmt::format("{}: {} read nothing of the kernel's", when, guest.function.address()), clear,
		      !moved  ? "NOT TRIED"
		      : clear ? "nothing"
			      : "READ IT");
}

} // namespace harness
