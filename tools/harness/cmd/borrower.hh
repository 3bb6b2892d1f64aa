// SPDX-License-Identifier: GPL-2.0-only
// The user that gets the kernel's disk for a while (roundtrip.cc), with an edu device of the same PE: the disk does DMA
// by queues of the user's, and the edu device looks where the kernel's driver had its own.
#pragma once

#include <cstdint>
#include <vector>

#include "cmd/options.hh"
#include "lib/buffer.hh"
#include "lib/nvme.hh"
#include "lib/rig.hh"
#include "lib/window.hh"

namespace harness
{

class Borrower
{
public:
	static constexpr std::size_t unit = 1 << 16;
	static constexpr std::size_t memory_size = 3 * unit; // of scratch, queues, data

	Borrower(Report &report, Pci_function edu, Pci_function disk, const Buffer &memory)
		: report_{report}, edu_{std::move(edu)}, disk_{std::move(disk)}, memory_{memory}
	{
	}

	// While the driver has the disk: the PE is one, so the edu device can see the driver's queues.
	void spy_on_queues();
	// Takes the disk, uses it, closes everything; mapped pages and windows are left to the kernel's release.
	bool borrow(Driver driver);
	// Nobody has either of them; the user's memory is still there to be hit.
	void aim_at_own();

private:
	enum Place : std::size_t { scratch, queues, data };

	std::span<std::byte> bytes(Place place, std::size_t count) const { return memory_.bytes(place * unit, count); }
	Result<Mapping> map(const Container &container, std::uint64_t ioba, Place place);
	Result<> look_at_queues(const Edu &edu) const;
	std::vector<std::byte> unload(const Edu &edu) const;
	void nothing_of_the_drivers(const Edu &edu);
	void use(const Rig &rig, const Device &device);
	void use_ddw(const Rig &rig, Nvme &nvme);
	void identifies(Nvme &nvme, std::uint64_t ioba, std::string_view where);
	void does_not(Nvme &nvme, std::uint64_t ioba, std::string_view where);

	Report &report_;
	Pci_function edu_;
	Pci_function disk_;
	const Buffer &memory_;
	Admin_queues drivers_{};
	bool has_ddw_ = false;
	std::uint64_t base_ = 0;	   // in the default window, of the scratch page
	std::vector<std::uint64_t> iobas_; // of all that the disk could write
};

} // namespace harness
