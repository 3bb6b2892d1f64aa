// SPDX-License-Identifier: GPL-2.0-only
// What a case works on: one container, brought to a stage, with memory, a mapping that must survive and a device to try
// it. Lives in a process of its own for each case.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "abi/calls.hh"
#include "lib/counts.hh"
#include "lib/devtree.hh"
#include "lib/limits.hh"
#include "lib/neighbour.hh"
#include "lib/probe.hh"
#include "lib/region.hh"
#include "lib/rig.hh"
#include "lib/window.hh"

namespace harness::abi
{

enum class Stage {
	container, // /dev/vfio/vfio is open, and nothing else
	grouped,   // the group is in it, no IOMMU type set
	v1,	   // type 2, nothing enabled
	v1_ready,  // enabled; the witness and the scratch are mapped
	// From here on v2.
	fresh,	  // type 7, nothing registered, default window not yet touched
	ready,	  // memory registered; the witness and the scratch are mapped in the default window
	with_ddw, // ready, and a DDW with one page mapped
};

// What the PE under test is to offer, and how long a case may take.
struct Terms {
	bool v2 = true;
	bool ddw = true;
	std::chrono::seconds patience{90};
};

class Bench
{
public:
	static constexpr std::size_t units = 16;
	static constexpr std::uint64_t ddw_size = 16 << 20;

	// Pages of the default window, from its start. free_page and those behind it belong to the cases.
	static constexpr std::uint64_t scratch_page = 0, witness_page = 2, free_page = 16;
	// Units of the memory; the cases have 4 to 13.
	static constexpr std::size_t witness_unit = 1, ddw_unit = 2, works_unit = 3, free_unit = 4, scratch_unit = 15;

	Bench(Pci_function function, const Terms &terms);
	Result<> bring_to(Stage stage);

	const Container &container() const { return rig_ ? rig_->container() : *bare_; }
	const Rig &rig() const { return *rig_; }
	Rig &rig() { return *rig_; }
	const Group &group() const { return rig_ ? rig_->group() : *group_; }
	const Pci_function &function() const { return function_; }
	const std::vector<Tree_window> &tree() const { return tree_; } // as it was before the container
	const Tce_info &info() const { return info_; }
	const Terms &terms() const { return terms_; }
	const Buffer &memory() const { return *memory_; } // registered from Stage::ready on
	const Buffer &extra() const { return *extra_; }	  // four units, never registered by the bench
	std::size_t unit() const;			  // bytes; 64 KiB, whatever the kernel's page

	std::uint64_t iova(std::uint64_t page) const { return info_.dma32_window_start + page * 4096; }
	std::uint64_t window_end() const { return std::uint64_t{info_.dma32_window_start} + info_.dma32_window_size; }
	std::uint64_t vaddr(std::size_t unit_index, std::uint64_t offset = 0) const
	{
		return memory_->address() + unit_index * unit() + offset;
	}
	std::span<std::byte> at(std::size_t unit_index, std::size_t offset, std::size_t count) const
	{
		return memory_->bytes(unit_index * unit() + offset, count);
	}

	Result<Reach> writes(std::uint64_t ioba, Pieces pieces); // device to memory; needs the scratch
	Result<Reach> reads(std::uint64_t ioba, Pieces pieces);
	bool reaches(std::uint64_t ioba, std::size_t unit_index); // a device's write there arrives in that unit

	// What every later user of the container needs, tried: empty, or what does not work. Leaves no window but the
	// default one.
	std::string works();

	// Makes the default window again after a case removed it, with scratch and witness in it. EADDRNOTAVAIL: at
	// another start.
	Result<> restore_default();

	Result<> make_ddw(); // as at Stage::with_ddw

	Result<> map_pair(); // scratch and witness
	// Enables and maps scratch and witness, as at Stage::v1_ready.
	Result<> make_v1_ready();

	// A table in memory keeps the levels that a case has made in it, and they stay charged; the default window that
	// came with the PE is free, one made in its place is not. From here on VmLck may have grown by that.
	void may_keep_levels();
	bool as_wanted(const Counts &wanted, const Counts &seen) const;
	// What is wrong with VmLck (bytes) and pinned pages, which are to differ so much from `counts`; empty: nothing.
	std::string counted(std::int64_t locked, std::int64_t pinned) const;

	// For the cases' own use, from prepare to finish.
	std::optional<Window> ddw;
	std::optional<Buffer> own;
	std::optional<Locked_memory_limit> limit;
	std::optional<std::uint64_t> created; // start of a window that the case made
	std::optional<Counts> counts;	      // for counted()
	std::optional<Neighbour> neighbour;   // another PE in this container
	std::unique_ptr<Rig> second;	      // another PE in a container of its own
	std::vector<std::string> facts;	      // figures, neither right nor wrong; printed

	// A correct argument for this stage; a case makes one field of it wrong.
	template <Call call>
	Argument<call> good() const;

private:
	Result<> take_memory();
	Result<> map_witness();
	std::string mapping_works(std::uint64_t iova, std::uint64_t size, std::string_view where);
	std::string default_works();
	std::string ddw_works();

	Pci_function function_;
	Terms terms_;
	Stage stage_ = Stage::container;
	std::vector<Tree_window> tree_;
	std::optional<Container> bare_;
	std::optional<Group> group_;
	std::unique_ptr<Rig> rig_;
	Tce_info info_{};
	std::optional<Buffer> memory_;
	std::optional<Buffer> extra_;
	std::optional<Probe> probe_;
	std::uint64_t kept_levels_ = 0; // bytes, at most
};

template <>
Info Bench::good<Call::get_info>() const;
template <>
Memory Bench::good<Call::register_memory>() const;
template <>
Memory Bench::good<Call::unregister_memory>() const;
template <>
Create Bench::good<Call::create>() const;
template <>
Remove Bench::good<Call::remove>() const;
template <>
Map Bench::good<Call::map>() const;
template <>
Unmap Bench::good<Call::unmap>() const;
template <>
Eeh Bench::good<Call::eeh>() const;

} // namespace harness::abi
