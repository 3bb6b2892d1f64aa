// SPDX-License-Identifier: GPL-2.0-only
// What every scenario of the kvm command starts from: a v2 container with a DDW, a virtual machine whose memory is
// registered there, and a table of KVM's joined to the DDW. Each scenario has a bench, and a process, of its own.
#pragma once

#include <algorithm>
#include <optional>

#include "cmd/kvm.hh"
#include "cmd/life.hh"
#include "lib/buffer.hh"
#include "lib/kvm_tces.hh"
#include "lib/probe.hh"
#include "lib/rig.hh"
#include "lib/tally.hh"

namespace harness
{

class Kvm_bench
{
public:
	// The machine's memory, in units. Unit 0 holds its program and the list for H_PUT_TCE_INDIRECT and is not
	// registered; the scratch, the `near` units and the `far` ones are registered apart from each other.
	static constexpr std::size_t scratch_unit = 1, near = 2, near_units = 8, far = 10, far_units = 2, units = 12;
	static constexpr std::uint64_t list = 4096; // in the machine, one a CPU, so long each
	static constexpr std::uint64_t liobn = 0x80000001;

	Kvm_bench(Report &report, const Kvm_options &options, const Pci_function &function)
		: report{report}, options{options}, function{function}
	{
	}

	// Each a step or more of the report; false: no use to go on.
	bool set_up(); // the three below, and the table joined to the window
	bool set_up_container(unsigned window_shift = page_shift(), std::optional<Buffer> given = {});
	bool set_up_machine();
	bool create_window(unsigned shift);
	std::optional<Kvm_table> make_table(std::uint64_t liobn, unsigned shift);
	bool join(const Kvm_table &table, Errno expected = expect_ok);

	const Container &container() const { return rig->container(); }
	std::uint64_t iova(std::uint64_t entry) const { return window + (entry << window_shift); }
	static std::size_t unit_size() { return std::max(std::size_t{1} << 16, page_size()); }
	std::uint64_t gpa(std::size_t unit) const { return unit * unit_size(); }
	std::uint64_t vaddr(std::size_t unit) const { return memory->address() + gpa(unit); }
	std::span<std::byte> bytes(std::size_t unit, std::size_t offset = 0, std::size_t count = 1000) const
	{
		return memory->bytes(gpa(unit) + offset, count);
	}

	// Hypercalls of the virtual CPU, by entry of the window and unit of the memory.
	Result<Answer> put(std::uint64_t entry, std::size_t unit, std::uint64_t permission = tce_both,
			   std::uint64_t in = liobn);
	std::uint64_t write_list(std::span<const std::uint64_t> tces, unsigned cpu = 0);
	Result<Answer> put_list(std::uint64_t entry, std::span<const std::uint64_t> tces, std::uint64_t in = liobn);
	Result<Answer> stuff(std::uint64_t entry, std::uint64_t count, std::uint64_t in = liobn);

	// The ioctls, likewise; one window page each.
	Result<> map(std::uint64_t entry, std::size_t unit) const;
	Result<> unmap(std::uint64_t entry, std::uint64_t count) const;
	Result<> enroll(std::size_t unit, std::size_t count) const;
	Result<> dismiss(std::size_t unit, std::size_t count) const;

	bool answered(std::string_view what, const Result<Answer> &answer, std::int64_t wanted = h_success);
	bool left_to_us(std::string_view what, const Result<Answer> &answer);
	void told(std::string_view what, const Result<Answer> &answer); // whatever it was
	// The device writes at one address and reads at another, both ways of the same memory.
	bool moves(std::string_view what, std::uint64_t write_at, std::uint64_t read_at, std::size_t unit,
		   std::size_t offset = 0);
	bool moves(std::string_view what, std::uint64_t entry, std::size_t unit)
	{
		return moves(what, iova(entry), iova(entry), unit);
	}
	// The device writes nothing of the machine's memory there.
	bool misses(std::string_view what, std::uint64_t entry, std::size_t unit);
	bool dismissed(std::string_view what, std::size_t unit, std::size_t count, Errno expected = expect_ok);

	bool renew_probe();    // after the device or the default window went
	void drop_container(); // our descriptors of the device, the container and the group

	Report &report;
	const Kvm_options &options;
	const Pci_function &function;
	std::optional<Buffer> memory;
	std::unique_ptr<Rig> rig;
	Tce_info info{};
	std::uint64_t window = 0;
	std::uint64_t window_size = 256ull << 20; // of the next one
	unsigned window_shift = 0;
	std::optional<Vm> vm;
	std::optional<Kvm_vfio> vfio;
	std::optional<Kvm_table> table;
	std::optional<Probe> probe;
};

// After a race on the first so many entries.
void kvm_give_back(Kvm_bench &bench, std::uint64_t entries);
void kvm_count(Tally &tally, const char *name, const Result<Answer> &answer);

// The scenarios.
void kvm_attach(Kvm_bench &bench);
void kvm_join_twice(Kvm_bench &bench);
void kvm_hypercalls(Kvm_bench &bench);
void kvm_large_pages(Kvm_bench &bench);
void kvm_past_the_end(Kvm_bench &bench);
void kvm_empty_entries(Kvm_bench &bench);
void kvm_meet(Kvm_bench &bench);
void kvm_unregister(Kvm_bench &bench);
void kvm_remove(Kvm_bench &bench);
void kvm_leave(Kvm_bench &bench);
void kvm_container_first(Kvm_bench &bench);
void kvm_table_first(Kvm_bench &bench);
void kvm_machine_first(Kvm_bench &bench);
void kvm_killed(Kvm_bench &bench);
void kvm_killed_in_clear(Kvm_bench &bench);
void kvm_race(Kvm_bench &bench);
void kvm_one_entry(Kvm_bench &bench);
void kvm_two_groups(Kvm_bench &bench);
void kvm_two_groups_joined(Kvm_bench &bench);
void kvm_elsewhere(Kvm_bench &bench);
void kvm_rmmod(Kvm_bench &bench);

} // namespace harness
