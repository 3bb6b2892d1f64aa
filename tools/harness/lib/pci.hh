// SPDX-License-Identifier: GPL-2.0-only
// PCI functions as sysfs shows them: finding one by its id, its IOMMU group, and which driver holds it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.hh"

namespace harness
{

struct Pci_id {
	std::uint16_t vendor;
	std::uint16_t device;
};

inline constexpr Pci_id edu_id{0x1234, 0x11e8};

class Pci_function
{
public:
	explicit Pci_function(std::string address) : address_{std::move(address)} {}

	const std::string &address() const { return address_; } // "0000:00:00.0"
	std::string sysfs(std::string_view file) const;
	Pci_id id() const;
	Result<int> group() const; // number of its IOMMU group; ENOENT: it has none
	std::optional<std::string> driver() const;

	// Takes it from whatever driver has it and gives it to vfio-pci; bound already: fine.
	Result<> bind_vfio() const;
	// Back to the kernel: no override, and the kernel's own driver, if any, is asked again.
	Result<> unbind_vfio() const;

private:
	std::string address_;
};

std::vector<Pci_function> pci_functions();
std::vector<Pci_function> pci_functions(Pci_id id);

} // namespace harness
