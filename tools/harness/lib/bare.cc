// SPDX-License-Identifier: GPL-2.0-only
#include "lib/bare.hh"

#include <linux/pci_regs.h>

#include "lib/fd.hh"

namespace harness
{

namespace
{

constexpr std::size_t bar_size = 1 << 20;

Result<> enable(const Pci_function &function)
{
	auto config = Fd::open(function.sysfs("config").c_str(), O_RDWR);
	if (!config)
		return std::unexpected{config.error()};
	unsigned char command[2];
	if (::pread(config->get(), command, 2, PCI_COMMAND) != 2)
		return fail_errno();
	command[0] |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (::pwrite(config->get(), command, 2, PCI_COMMAND) != 2)
		return fail_errno();
	return {};
}

} // namespace

Result<Edu> bare_edu(const Pci_function &function)
{
	if (auto enabled = enable(function); !enabled)
		return std::unexpected{enabled.error()};
	auto resource = Fd::open(function.sysfs("resource0").c_str(), O_RDWR);
	if (!resource)
		return std::unexpected{resource.error()};
	auto bar = Mmio::map(resource->get(), bar_size, 0);
	if (!bar)
		return std::unexpected{bar.error()};
	return Edu::attach(std::move(*bar));
}

} // namespace harness
