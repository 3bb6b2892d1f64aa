// SPDX-License-Identifier: GPL-2.0-only
// A PE with two devices on its way from the kernel to a user and back, and with one of them hot-added while the user
// has it. Both devices try whatever the other side had; both work for whoever has them. Wants two edu devices in one
// PE, edu_host.ko, and a machine in which a host driver gets a 64-bit window (memory that can grow).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cmd/options.hh"
#include "lib/buffer.hh"
#include "lib/edu_host.hh"

namespace harness
{

struct Handover_options : Options {
	std::string host_module = edu_host::default_module_file;
	enum class Part { rounds, masks, shortage };
	Part part = Part::rounds;
};

using Functions = std::vector<Pci_function>;

// The kernel's driver has every function of the PE, and it moves data; in the second with a DMA mask of so many bits,
// and moves data.
bool kernel_moves(Report &report, const Functions &functions, std::string_view when);
bool kernel_owns(Report &report, const Functions &functions, unsigned dma_bits);
// Nobody has them; the devices try the user's addresses, where the user's memory must not be any more.
void nothing_of_the_users(Report &report, const Functions &functions, const std::vector<std::uint64_t> &iobas,
			  std::span<std::byte> memory);
// All of them to vfio-pci, and what the kernel had is still there for who would look: a check of the aim, too.
bool kernel_leaves(Report &report, const Functions &functions);

// While a user has one function in every state of the PE's windows, the other is removed and found again.
void hot_add(Report &report, const Handover_options &options, const Functions &functions, const Buffer &memory);

// The driver before a user and the one after have every pair of DMA masks, and what the first left mapped is unmapped
// beside the second. At the end: where firmware has no window for the third mask, the kernel makes none for the PE
// again.
void every_pair_of_masks(Report &report, const Handover_options &options, const Functions &functions,
			 const Buffer &memory);

// The kernel lacks memory for its table when a user leaves: nobody gets the PE until it has some. Wants a kernel with
// fault injection.
void no_memory_at_release(Report &report, const Handover_options &options, const Functions &functions,
			  const Buffer &memory);

bool run_handover(const Handover_options &options);

} // namespace harness
