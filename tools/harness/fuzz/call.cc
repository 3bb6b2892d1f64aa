// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/call.hh"

#include <linux/vfio.h>

#include <cstring>

#include "lib/buffer.hh"
#include "lib/container.hh"
#include "lib/platform.hh"

namespace harness::fuzz
{

namespace
{

enum Oddity : unsigned {
	regular,
	short_argsz,
	long_argsz, // fine
	unknown_flag,
	crooked_bus,
	crooked_memory,
	crooked_size,
	wrapping,
	empty,
	kernels_memory,
	immense,
	no_argument,
	oddities,
};

Oddity odd(std::uint8_t number) { return static_cast<Oddity>(number % oddities); }

template <std::size_t N>
std::uint64_t pick(const std::uint64_t (&table)[N], std::uint8_t index)
{
	return table[index % N];
}

// Begins an argument as every one does, bent where that is asked for.
template <typename Argument>
Argument begin(Oddity oddity, Event &event)
{
	Argument argument{};
	argument.argsz = oddity == short_argsz ? 7 : oddity == long_argsz ? 4096 : sizeof argument;
	if (oddity == unknown_flag)
		argument.flags = 1u << 30;
	event.must_fail = oddity == short_argsz || oddity == unknown_flag || oddity == no_argument;
	return argument;
}

template <typename Argument>
Call end(unsigned long request, const Argument &argument, Oddity oddity)
{
	static_assert(sizeof argument <= sizeof Call::argument);
	Call call{request, {}, sizeof argument, oddity == no_argument};
	std::memcpy(call.argument.data(), &argument, sizeof argument);
	return call;
}

Call plain(unsigned long request, unsigned long number)
{
	Call call{request, {}, 0, false};
	std::memcpy(call.argument.data(), &number, sizeof number);
	return call;
}

std::uint64_t bytes_of(std::uint8_t index)
{
	const std::uint64_t page = page_size();
	return pick({page, 2 * page, 4 * page, 8 * page, 1 << 16, 2 << 20, 1 << 20, 16 << 20}, index);
}

// One of an address and a size is bent; both are range checked in full.
void bend(Oddity oddity, std::uint64_t &at, std::uint64_t &size, Event &event)
{
	switch (oddity) {
	case crooked_size:
		++size;
		break;
	case wrapping:
		at = -page_size();
		size = 2 * page_size();
		break;
	case empty:
		size = 0;
		break;
	case immense:
		size = 1ull << 62;
		break;
	default:
		return;
	}
	event.must_fail = true;
}

Call memory(unsigned long request, const Operation &operation, Event &event)
{
	auto &n = operation.n;
	auto oddity = odd(n[3]);
	auto argument = begin<vfio_iommu_spapr_register_memory>(oddity, event);
	auto block = n[1] % blocks.size();
	// The kernel makes its list where it cannot wait for a fault. It refuses then, and a debug kernel prints a
	// trace.
	if (blocks[block] == Kind::served)
		block = blocks.size() - 1;
	auto start = address_of(static_cast<unsigned>(block));
	const std::uint64_t whole = size_of(static_cast<unsigned>(block)), page = page_size();
	argument.vaddr = start + pick({0, 0, whole / 2, 0, 0, page}, n[2]);
	argument.size = pick({whole, whole / 2, whole / 2, page, 2 * whole, 2 * page}, n[2]);
	std::uint64_t vaddr = argument.vaddr, size = argument.size;
	bend(oddity, vaddr, size, event);
	if (oddity == crooked_memory || oddity == kernels_memory) {
		vaddr = oddity == crooked_memory ? vaddr + 8 : 0xc000'0000'0000'0000;
		event.must_fail = true;
	}
	event.vaddr = argument.vaddr = vaddr;
	event.size = argument.size = size;
	return end(request, argument, oddity);
}

Call map(const Operation &operation, Event &event)
{
	auto &n = operation.n;
	auto oddity = odd(n[7]);
	auto argument = begin<vfio_iommu_type1_dma_map>(oddity, event);
	auto flags = static_cast<std::uint32_t>(pick({3, 1, 2, 0}, n[6]));
	std::uint64_t at = bus_address(n[1] % 2, n[2]), size = bytes_of(n[3]);
	std::uint64_t vaddr = address_of(n[4] % blocks.size()) + n[5] % cells * page_size();
	if (!flags)
		event.must_fail = true;
	bend(oddity, at, size, event);
	if (oddity == crooked_bus || oddity == crooked_memory || oddity == kernels_memory) {
		at += oddity == crooked_bus;
		vaddr = oddity == kernels_memory ? 0xc000'0000'0000'0000 : vaddr + (oddity == crooked_memory ? 8 : 0);
		event.must_fail = true;
	}
	argument.flags |= flags;
	event.flags = argument.flags;
	event.at = argument.iova = at;
	event.vaddr = argument.vaddr = vaddr;
	event.size = argument.size = size;
	return end(VFIO_IOMMU_MAP_DMA, argument, oddity);
}

Call unmap(const Operation &operation, Event &event)
{
	auto &n = operation.n;
	auto oddity = odd(n[4]);
	auto argument = begin<vfio_iommu_type1_dma_unmap>(oddity, event);
	std::uint64_t at = bus_address(n[1] % 2, n[2]), size = bytes_of(n[3]);
	bend(oddity, at, size, event);
	if (oddity == crooked_bus) {
		++at;
		event.must_fail = true;
	}
	event.at = argument.iova = at;
	event.size = argument.size = size;
	return end(VFIO_IOMMU_UNMAP_DMA, argument, oddity);
}

Call create(const Operation &operation, Event &event)
{
	auto &n = operation.n;
	auto oddity = odd(n[4]);
	auto argument = begin<vfio_iommu_spapr_tce_create>(oddity, event);
	const std::uint64_t usual = platform().powernv ? 2 * beyond_memory : 16 << 20;
	argument.page_shift = static_cast<std::uint32_t>(pick({page_shift(), 12, 16, 21, 24, 30, 63, 0, 255}, n[1]));
	argument.window_size = pick({usual, 1 << 30, 4096, 0, 3 << 20, 1ull << 44, 1ull << 63, 1ull << 36}, n[2]);
	argument.levels = static_cast<std::uint32_t>(pick({1, 2, 5, 0, 6, ~0u}, n[3]));
	event.size = argument.window_size;
	return end(VFIO_IOMMU_SPAPR_TCE_CREATE, argument, oddity);
}

Call remove(const Operation &operation, Event &event)
{
	auto oddity = odd(operation.n[2]);
	auto argument = begin<vfio_iommu_spapr_tce_remove>(oddity, event);
	argument.start_addr = pick({window_start(0), window_start(1), 1 << 12, window_start(1) + (1 << 16), ~0ull, 1},
				   operation.n[1]);
	if (argument.start_addr != window_start(0) && argument.start_addr != window_start(1))
		event.must_fail = true;
	event.at = argument.start_addr;
	return end(VFIO_IOMMU_SPAPR_TCE_REMOVE, argument, oddity);
}

Call info(const Operation &operation, Event &event)
{
	auto oddity = odd(operation.n[1]);
	auto argument = begin<vfio_iommu_spapr_tce_info>(oddity, event);
	event.must_fail = oddity == short_argsz || oddity == no_argument; // flags are an answer
	return end(VFIO_IOMMU_SPAPR_TCE_GET_INFO, argument, oddity);
}

Call eeh(const Operation &operation, Event &event)
{
	auto oddity = odd(operation.n[2]);
	auto argument = begin<vfio_eeh_pe_op>(oddity, event);
	argument.op = static_cast<std::uint32_t>(pick({VFIO_EEH_PE_GET_STATE, 99, ~0u}, operation.n[1]));
	return end(VFIO_EEH_PE_OP, argument, oddity);
}

} // namespace

Call make_call(const Operation &operation, Event &event)
{
	switch (operation.verb) {
	case Verb::type:
		event.at = pick({type_v1, type_v2, VFIO_TYPE1_IOMMU, 99}, operation.n[1]);
		return plain(VFIO_SET_IOMMU, event.at);
	case Verb::enable:
		return plain(VFIO_IOMMU_ENABLE, 0);
	case Verb::disable:
		return plain(VFIO_IOMMU_DISABLE, 0);
	case Verb::reg:
		return memory(VFIO_IOMMU_SPAPR_REGISTER_MEMORY, operation, event);
	case Verb::unreg:
		return memory(VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, operation, event);
	case Verb::map:
		return map(operation, event);
	case Verb::unmap:
		return unmap(operation, event);
	case Verb::create:
		return create(operation, event);
	case Verb::remove:
		return remove(operation, event);
	case Verb::info:
		return info(operation, event);
	default:
		return eeh(operation, event);
	}
}

} // namespace harness::fuzz
