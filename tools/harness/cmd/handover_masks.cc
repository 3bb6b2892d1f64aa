// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>

#include <algorithm>

#include "cmd/handover.hh"
#include "cmd/tenant.hh"
#include "lib/devtree.hh"

namespace harness
{

namespace
{

constexpr unsigned no_mask = 0;

// Each driver's mask, a user between two of them: every pair of the four once. 44 bits come last: firmware of QEMU's
// cannot place a window for them, and a kernel that knows of that asks it for no other window of the PE from then on.
constexpr unsigned masks[] = {64, 64, 32, 32, no_mask, no_mask, 64, no_mask, 32, 64, 44, 44, 32, 44, no_mask, 44, 64};

std::string name_of(unsigned dma_bits) { return dma_bits == no_mask ? "no mask" : fmt::format("{} bits", dma_bits); }

bool is_low(std::uint64_t bus) { return bus >> 32 == 0; }

// In the default window, which is there before and after: what was left is unmapped while there may be something new
// at the same address. Elsewhere it has no meaning any more: that window is gone.
void unmap_left(Report &report, const Functions &functions, const std::vector<edu_host::Kept> &left)
{
	for (auto &function : functions)
		for (auto &page : left)
			if (page.function == function.address() && is_low(page.bus)) {
				auto unmapped = edu_host::unmap_left(function);
				report.check(fmt::format("{}: the last driver's {:#x} is unmapped", function.address(),
							 page.bus),
					     unmapped == page.bus,
					     unmapped ? fmt::format("{:#x}", *unmapped) : unmapped.error().name());
			}
}

void between(Report &report, const Handover_options &options, const Functions &functions, unsigned next,
	     const Buffer &memory)
{
	auto left = edu_host::kept();
	if (!kernel_leaves(report, functions))
		return;
	std::vector<std::uint64_t> iobas;
	{
		auto tenant = Tenant::move_in(report, functions, options.driver, memory);
		if (!tenant || !tenant->open(functions[1]) || !tenant->arrange(Windows::both))
			return;
		tenant->try_everything();
		iobas = tenant->iobas();
	}
	report.step(fmt::format("the next driver: {}", name_of(next)), edu_host::set_dma_bits(next));
	nothing_of_the_users(report, functions, iobas, memory.bytes());
	report.note("device tree: " + to_string(tree_windows(functions[0])));
	kernel_moves(report, functions, name_of(next));
	unmap_left(report, functions, left);
	kernel_moves(report, functions, "and after that");
}

} // namespace

void every_pair_of_masks(Report &report, const Handover_options &options, const Functions &functions,
			 const Buffer &memory)
{
	report.heading(fmt::format("a driver with a DMA mask of {}", name_of(masks[0])));
	report.step("DMA mask", edu_host::set_dma_bits(masks[0]));
	for (auto &function : functions)
		report.step(fmt::format("{} to the kernel's driver", function.address()), edu_host::bind(function));
	kernel_moves(report, functions, name_of(masks[0]));
	for (std::size_t i = 1; i < std::size(masks); ++i) {
		report.heading(fmt::format("{}, a user, then {}", name_of(masks[i - 1]), name_of(masks[i])));
		between(report, options, functions, masks[i], memory);
	}
}

} // namespace harness
