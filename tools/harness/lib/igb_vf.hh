// SPDX-License-Identifier: GPL-2.0-only
// DMA of the first virtual function of QEMU's igb: it reads a transmit descriptor and writes back that it is done. The
// registers of its queue are written through those of the physical function, which the kernel's driver has and has
// brought up: the function's own are out of reach on QEMU's bare metal (a load there is a machine check). Intel 82576
// Datasheet, 7.2 and 8.12. Wants iomem=relaxed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "lib/mmio.hh"
#include "lib/pci.hh"

namespace harness
{

inline constexpr Pci_id igb_id{0x8086, 0x10c9};
inline constexpr Pci_id igb_vf_id{0x8086, 0x10ca};

class Igb_vf
{
public:
	static constexpr std::size_t ring_size = 128; // bytes

	static Result<std::unique_ptr<Igb_vf>> of(const Pci_function &physical);
	~Igb_vf() { stop(); }

	// The virtual function fetches one descriptor of a ring, which lies in `ring` and at `ioba` on the bus, and
	// writes into it. ETIMEDOUT: it has not.
	Result<> fetch(std::span<std::byte> ring, std::uint64_t ioba);

	explicit Igb_vf(Mmio registers) : registers_{std::move(registers)} {}
	Igb_vf(Igb_vf &&) = delete;

private:
	void stop() const;

	Mmio registers_;
};

} // namespace harness
