// SPDX-License-Identifier: GPL-2.0-only
#include "lib/igb_vf.hh"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>

#include "lib/fd.hh"

namespace harness
{

namespace
{

constexpr std::size_t may_transmit = 0xc90; // a bit for each virtual function
constexpr std::size_t ring_low = 0xe000, ring_high = 0xe004, ring_length = 0xe008;
constexpr std::size_t ring_head = 0xe010, ring_tail = 0xe018, ring_control = 0xe028;
constexpr std::uint32_t queue_enabled = 1u << 25;
constexpr std::size_t bar_size = 1 << 17;

// A context: nothing is sent for it, but it is reported like any other.
struct Descriptor {
	std::uint32_t unused[2];
	std::uint32_t type;
	std::uint32_t status;
};
static_assert(sizeof(Descriptor) == 16);
constexpr std::uint32_t context = 2u << 20, report_status = 1u << 27, extended = 1u << 29;
constexpr std::uint32_t done = 1;

using namespace std::chrono_literals;
constexpr auto patience = 2s;

bool is_done(std::span<const std::byte> ring)
{
	std::uint32_t status;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	std::memcpy(&status, ring.data() + offsetof(Descriptor, status), sizeof status);
	return (status & done) != 0;
}

} // namespace

Result<std::unique_ptr<Igb_vf>> Igb_vf::of(const Pci_function &physical)
{
	auto file = Fd::open(physical.sysfs("resource0").c_str(), O_RDWR);
	if (!file)
		return std::unexpected{file.error()};
	auto registers = Mmio::map(file->get(), bar_size, 0);
	if (!registers)
		return std::unexpected{registers.error()};
	return std::make_unique<Igb_vf>(std::move(*registers));
}

void Igb_vf::stop() const { registers_.write(ring_control, std::uint32_t{0}); }

Result<> Igb_vf::fetch(std::span<std::byte> ring, std::uint64_t ioba)
{
	const Descriptor wanted{{}, context | report_status | extended, 0};
	std::ranges::fill(ring, std::byte{0});
	std::memcpy(ring.data(), &wanted, sizeof wanted);
	stop();
	registers_.write(may_transmit, registers_.read<std::uint32_t>(may_transmit) | 1);
	registers_.write(ring_low, static_cast<std::uint32_t>(ioba));
	registers_.write(ring_high, static_cast<std::uint32_t>(ioba >> 32));
	registers_.write(ring_length, static_cast<std::uint32_t>(ring_size));
	registers_.write(ring_head, std::uint32_t{0});
	registers_.write(ring_tail, std::uint32_t{0});
	registers_.write(ring_control, queue_enabled);
	registers_.write(ring_tail, std::uint32_t{1});
	const auto deadline = std::chrono::steady_clock::now() + patience;
	while (!is_done(ring)) {
		if (std::chrono::steady_clock::now() > deadline)
			return fail(ETIMEDOUT);
		std::this_thread::sleep_for(2ms);
	}
	return {};
}

} // namespace harness
