// SPDX-License-Identifier: GPL-2.0-only
// The machine's memory by real address: the blocks that are online, more of them from the hypervisor, and which pages
// of a buffer lie where.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "lib/buffer.hh"
#include "lib/result.hh"

namespace harness
{

// Real addresses of blocks of memory; all are of one size.
using Blocks = std::set<std::uint64_t>;

std::uint64_t block_size(); // bytes
Blocks online_blocks();
Blocks operator-(const Blocks &left, const Blocks &right);
// What is online besides `before`, as soon as that is so many blocks, or when time is up.
Blocks wait_for_blocks(const Blocks &before, std::size_t count, std::chrono::seconds limit);

// All memory that there is but for a reserve, touched: some of it is anywhere.
Result<Buffer> most_of_memory();

struct Frame {
	std::uint64_t real;	    // of a page
	std::span<std::byte> bytes; // what it holds
};

// The first page of the buffer in each of the blocks; a block that has none is left out.
Result<std::vector<Frame>> frames_in(const Buffer &buffer, const Blocks &blocks);

} // namespace harness
