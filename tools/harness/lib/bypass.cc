// SPDX-License-Identifier: GPL-2.0-only
#include "lib/bypass.hh"

#include "lib/buffer.hh"
#include "lib/platform.hh"

namespace harness
{

namespace
{

// Documentation/admin-guide/mm/pagemap.rst
constexpr std::uint64_t present = 1ull << 63, frame_mask = (1ull << 55) - 1;

} // namespace

Result<std::uint64_t> bypass_address(std::span<const std::byte> bytes)
{
	auto address = reinterpret_cast<std::uint64_t>(bytes.data());
	auto map = Fd::open("/proc/self/pagemap", O_RDONLY);
	if (!map)
		return std::unexpected{map.error()};
	std::uint64_t entry = 0;
	auto n = ::pread(map->get(), &entry, sizeof entry, static_cast<off_t>(address / page_size() * sizeof entry));
	if (n != sizeof entry)
		return n < 0 ? fail_errno() : fail(EIO);
	if (!(entry & present) || !(entry & frame_mask))
		return fail(ENXIO);
	return bypass + (entry & frame_mask) * page_size() + address % page_size();
}

} // namespace harness
