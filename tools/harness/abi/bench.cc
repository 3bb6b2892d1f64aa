// SPDX-License-Identifier: GPL-2.0-only
#include "abi/bench.hh"

#include <algorithm>
#include <fmt/format.h>

namespace harness::abi
{

namespace
{

bool is_v1(Stage stage) { return stage == Stage::v1 || stage == Stage::v1_ready; }

} // namespace

Bench::Bench(Pci_function function, const Terms &terms)
	: function_{std::move(function)}, terms_{terms}, tree_{tree_windows(function_)}
{
}

std::size_t Bench::unit() const { return std::max(page_size(), std::size_t{1} << 16); }

Result<> Bench::bring_to(Stage stage)
{
	stage_ = stage;
	if (auto taken = take_memory(); !taken)
		return taken;
	if (stage == Stage::container || stage == Stage::grouped) {
		auto container = Container::open();
		if (!container)
			return std::unexpected{container.error()};
		bare_.emplace(std::move(*container));
		if (stage == Stage::container)
			return {};
		auto number = function_.group();
		if (!number)
			return std::unexpected{number.error()};
		auto group = Group::open(*number);
		if (!group)
			return std::unexpected{group.error()};
		group_.emplace(std::move(*group));
		return group_->set_container(*bare_);
	}
	auto rig = Rig::open(function_, is_v1(stage) ? type_v1 : type_v2);
	if (!rig)
		return std::unexpected{rig.error()};
	rig_ = std::move(*rig);
	auto info = container().get_info();
	if (!info)
		return std::unexpected{info.error()};
	info_ = *info;
	if (stage == Stage::v1_ready)
		return make_v1_ready();
	if (stage == Stage::ready || stage == Stage::with_ddw)
		if (auto mapped = map_witness(); !mapped)
			return mapped;
	return stage == Stage::with_ddw ? make_ddw() : Result<>{};
}

Result<> Bench::take_memory()
{
	auto memory = Buffer::anonymous(units * unit(), unit());
	if (!memory)
		return std::unexpected{memory.error()};
	memory_.emplace(std::move(*memory));
	auto extra = Buffer::anonymous(4 * unit(), unit());
	if (!extra)
		return std::unexpected{extra.error()};
	extra_.emplace(std::move(*extra));
	return {};
}

Result<> Bench::map_witness()
{
	auto done = container().register_memory(memory_->address(), memory_->size());
	return done ? map_pair() : done;
}

Result<> Bench::make_v1_ready()
{
	auto done = container().enable();
	return done ? map_pair() : done;
}

Result<> Bench::map_pair()
{
	if (auto done = container().map(iova(scratch_page), vaddr(scratch_unit), 4096, Access::both); !done)
		return done;
	if (auto done = container().map(iova(witness_page), vaddr(witness_unit), 4096, Access::both); !done)
		return done;
	probe_.emplace(rig_->edu(), at(scratch_unit, 0, 4096), iova(scratch_page), memory_->bytes());
	return {};
}

Result<> Bench::make_ddw()
{
	auto window = Window::create(container(), page_shift(), ddw_size);
	if (!window)
		return std::unexpected{window.error()};
	ddw.emplace(std::move(*window));
	return container().map(ddw->start(), vaddr(ddw_unit), ddw->page(), Access::both);
}

Result<Reach> Bench::writes(std::uint64_t ioba, Pieces pieces) { return probe_->write(ioba, pieces); }
Result<Reach> Bench::reads(std::uint64_t ioba, Pieces pieces) { return probe_->read(ioba, pieces); }

bool Bench::reaches(std::uint64_t ioba, std::size_t unit_index)
{
	return writes(ioba, {at(unit_index, ioba & 4095, 64)}) == Reach::arrived;
}

template <>
Info Bench::good<Call::get_info>() const
{
	Info info{};
	info.argsz = sizeof info;
	return info;
}

template <>
Memory Bench::good<Call::register_memory>() const
{
	Memory memory{};
	memory.argsz = sizeof memory;
	memory.vaddr = extra_->address();
	memory.size = extra_->size();
	return memory;
}

template <>
Memory Bench::good<Call::unregister_memory>() const
{
	return good<Call::register_memory>();
}

template <>
Create Bench::good<Call::create>() const
{
	Create create{};
	create.argsz = sizeof create;
	create.page_shift = page_shift();
	create.window_size = ddw_size;
	create.levels = 1;
	return create;
}

template <>
Remove Bench::good<Call::remove>() const
{
	Remove remove{};
	remove.argsz = sizeof remove;
	remove.start_addr = ddw ? ddw->start() : info_.dma32_window_start;
	return remove;
}

template <>
Map Bench::good<Call::map>() const
{
	Map map{};
	map.argsz = sizeof map;
	map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	map.vaddr = vaddr(free_unit);
	map.iova = iova(free_page);
	map.size = 4096;
	return map;
}

template <>
Unmap Bench::good<Call::unmap>() const
{
	Unmap unmap{};
	unmap.argsz = sizeof unmap;
	unmap.iova = iova(free_page);
	unmap.size = 4096;
	return unmap;
}

template <>
Eeh Bench::good<Call::eeh>() const
{
	Eeh eeh{};
	eeh.argsz = sizeof eeh;
	eeh.op = VFIO_EEH_PE_GET_STATE;
	return eeh;
}

} // namespace harness::abi
