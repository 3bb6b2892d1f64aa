// SPDX-License-Identifier: GPL-2.0-only
// What public clients of the v2 interface do, replayed call by call, with a device that tries what they were promised.
#pragma once

#include <string>
#include <vector>

#include "cmd/life.hh"
#include "cmd/options.hh"
#include "lib/buffer.hh"

namespace harness
{

struct Clients_options : Options {
	std::vector<std::string> only; // scenarios; none: all
};

// With how many levels a client asks for a window at first, and at last.
struct Levels {
	std::uint32_t first, last;
};

// One client from the opening of its container to the closing.
struct Scene {
	Report &report;
	const Pci_function &function;
	std::unique_ptr<Rig> rig = nullptr;
	Tce_info info{};

	bool attach(); // container, group, device, GET_INFO
	const Container &container() const { return rig->container(); }

	bool register_memory(const Buffer &buffer);
	// TCE_CREATE with one level more each time it is refused.
	std::optional<Geometry> create(std::string_view what, unsigned shift, std::uint64_t size, Levels levels);

	// The device, both ways.
	void moves(Probe &probe, std::string_view what, std::uint64_t ioba, const Pieces &pieces);
	void cannot(Probe &probe, std::string_view what, std::uint64_t ioba, const Pieces &pieces);
};

// Memory for IOMMU pages of 2 MiB; where there are none, or no huge pages, for pages of the kernel's size.
struct Backing {
	Buffer buffer;
	unsigned shift;

	std::size_t page() const { return std::size_t{1} << shift; }
	std::size_t pages() const { return buffer.size() >> shift; }
	std::uint64_t address(std::size_t index) const { return buffer.address() + (index % pages()) * page(); }
	std::span<std::byte> at(std::size_t index, std::size_t offset, std::size_t count) const
	{
		return buffer.bytes((index % pages()) * page() + offset, count);
	}
};
std::optional<Backing> take_huge(Scene &scene, std::size_t pages);

void play_qemu(Scene &scene);	   // up to 10.0
void play_qemu_10_1(Scene &scene); // and later
void play_vfio_ppc(Scene &scene);
void play_dpdk(Scene &scene);
void play_dpdk_ports(Scene &scene);

std::vector<std::string> client_names();
bool run_clients(const Clients_options &options);

} // namespace harness
