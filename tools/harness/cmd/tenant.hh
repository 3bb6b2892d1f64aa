// SPDX-License-Identifier: GPL-2.0-only
// The user of a PE with several functions: one container, the windows it is told to have, and devices that try its own
// memory and the kernel's. Used by the hand-over's tests; counts its own steps.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "lib/buffer.hh"
#include "lib/edu_host.hh"
#include "lib/report.hh"
#include "lib/rig.hh"

namespace harness
{

enum class Windows { first_only, both, ddw_only, none };

inline constexpr Windows every_state[] = {Windows::first_only, Windows::both, Windows::ddw_only, Windows::none};
std::string_view name_of(Windows windows);

class Tenant
{
public:
	static constexpr std::size_t unit = 1 << 16; // scratch, and the memory behind each window: one unit each
	static constexpr std::size_t memory_size = 3 * unit;

	// The functions of the PE are at vfio-pci; the first one is opened. `memory` is of memory_size bytes and
	// outlives the tenant. nullptr: said why.
	static std::unique_ptr<Tenant> move_in(Report &report, const std::vector<Pci_function> &functions,
					       Driver driver, const Buffer &memory);

	bool open(const Pci_function &function); // one more of the group
	void close(const Pci_function &function);
	void close_all(); // the container stays, with all that it maps

	// From whatever is there to exactly these, empty but for the mappings that the devices try.
	bool arrange(Windows windows);
	// Each open device in each window: its own memory is reached, no page of the kernel's is. Without any window:
	// no page of the kernel's is.
	void try_everything();

	const std::vector<std::uint64_t> &starts() const { return windows_; } // of its windows
	const std::vector<std::uint64_t> &iobas() const { return iobas_; } // of all that was ever mapped, scratch aside

	Tenant(Report &report, std::unique_ptr<Rig> rig, const Buffer &memory);

private:
	struct Guest {
		Pci_function function;
		Device device;
		Edu edu;
	};
	struct Place {
		std::uint64_t ioba;
		std::size_t unit; // of the memory
	};

	bool clear();
	bool add_first();
	bool add_ddw();
	bool furnish(std::uint64_t start, std::uint64_t size, std::uint32_t shift, std::size_t unit);
	void try_own(const Guest &guest);
	void try_kernels(const Guest &guest);
	bool load(const Guest &guest);
	void look(const Guest &guest, std::string_view when);

	Report &report_;
	std::unique_ptr<Rig> rig_;
	const Buffer &memory_;
	Tce_info info_{};
	std::list<Guest> guests_;
	std::vector<std::uint64_t> windows_; // starts
	std::vector<Place> places_;
	std::optional<std::uint64_t> scratch_;
	std::vector<std::uint64_t> iobas_;
	Windows state_ = Windows::none;
	bool unseen_ = false; // devices have read at the kernel's addresses, and what they got was not looked at yet
};

} // namespace harness
