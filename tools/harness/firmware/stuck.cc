// SPDX-License-Identifier: GPL-2.0-only
#include "firmware/stuck.hh"

#include <fmt/format.h>

#include "lib/bare.hh"
#include "lib/buffer.hh"
#include "lib/neighbour.hh"
#include "lib/platform.hh"

namespace harness::firmware
{

namespace
{

using namespace std::chrono_literals;

constexpr std::uint64_t size = 4 << 20; // more TCEs than one hypercall writes
constexpr int refused = -1;

// All by which a window could be emptied or removed; on bare metal a store empties it, and only the PHB can refuse.
std::vector<Fault> everything()
{
	if (platform().powernv)
		return {{"tcewin_empty_place", refused}};
	return {{"tcewin_host_put_tce", refused},
		{"tcewin_host_put_tce_indirect", refused},
		{"tcewin_host_stuff_tce", refused},
		{"tcewin_host_ddw_remove", refused}};
}

// A container with a PE in which 4 MiB are mapped, and another PE that may come.
class Tenancy
{
public:
	Tenancy(const Pci_function &pe, const Say &say) : pe_{pe}, say_{say} {}

	bool step(std::string_view what, const Result<> &result, Errno expected = Errno{0})
	{
		auto seen = result ? Errno{0} : result.error();
		if (seen != expected)
			say_(fmt::format("{}: {}, expected {}", what, seen.name(), expected.name()));
		return seen == expected;
	}
	void right(std::string_view what, const std::string &wrong)
	{
		if (!wrong.empty())
			say_(fmt::format("{}: {}", what, wrong));
	}

	bool move_in()
	{
		auto memory = Buffer::anonymous(size, 1 << 16);
		auto rig = Rig::open(pe_);
		if (!memory || !rig)
			return step("memory and container", fail(memory ? rig.error().code() : memory.error().code()));
		memory_.emplace(std::move(*memory));
		rig_ = std::move(*rig);
		start_ = container().get_info()->dma32_window_start;
		return step("REGISTER_MEMORY", container().register_memory(memory_->address(), size)) &&
		       step("MAP_DMA", container().map(start_, memory_->address(), size, Access::both));
	}
	bool refuse(unsigned first = 1)
	{
		auto armed = Faults::arm(everything(), first);
		if (armed)
			armed_.emplace(std::move(*armed));
		return step("arm", armed ? Result<>{} : fail(armed.error().code()));
	}
	void relent() { armed_.reset(); }

	// The device of a PE that nobody has any more. On bare metal nothing is left in a table that no PE shares.
	void reaches(const Pci_function &pe, bool still)
	{
		auto edu = bare_edu(pe);
		if (!step("the device without VFIO", edu ? Result<>{} : fail(edu.error().code())))
			return;
		Aim aim{*edu};
		aim.watch(memory_->bytes());
		auto there = memory_->bytes(0, 64);
		right("the device of a PE in quarantine", still ? aim.hits(start_, there) : aim.misses(start_, there));
	}
	// What it reaches is not given back, whatever the user does. Whether UNMAP_DMA works is not said anywhere.
	void keeps_memory()
	{
		(void)container().unmap(start_, size);
		step("UNREGISTER_MEMORY of what a device in quarantine may reach",
		     container().unregister_memory(memory_->address(), size), Errno{EBUSY});
	}
	// Nobody gets the PE.
	void blocked(const Pci_function &pe) { step("a new container for it", no_value(Rig::open(pe)), Errno{EBUSY}); }

	const Container &container() { return rig_->container(); }
	void close() { rig_.reset(); }

private:
	static Result<> no_value(const Result<std::unique_ptr<Rig>> &rig)
	{
		return rig ? Result<>{} : fail(rig.error().code());
	}

	Pci_function pe_;
	const Say &say_;
	std::optional<Buffer> memory_;
	std::unique_ptr<Rig> rig_;
	std::optional<Faults> armed_;
	std::uint64_t start_ = 0;
};

// The only PE of a container leaves it.
void close(const std::vector<Pci_function> &pes, const Say &say)
{
	Tenancy tenancy{pes[0], say};
	if (!tenancy.move_in() || !tenancy.refuse())
		return;
	tenancy.close();
	tenancy.relent();
	tenancy.reaches(pes[0], !platform().powernv);
	tenancy.blocked(pes[0]);
}

// One of two leaves; the other goes on.
void leave(const std::vector<Pci_function> &pes, const Say &say)
{
	Tenancy tenancy{pes[0], say};
	if (!tenancy.move_in())
		return;
	auto second = Neighbour::join(tenancy.container(), pes[1]);
	if (!tenancy.step("the second PE joins", second ? Result<>{} : fail(second.error().code())) ||
	    !tenancy.refuse())
		return;
	(void)second->leave();
	tenancy.relent();
	tenancy.reaches(pes[1], true);
	tenancy.keeps_memory();
	tenancy.reaches(pes[1], true);
}

// The calls that could fail while a PE joins; the last of them fills the second half of its table.
unsigned calls_of_join(Tenancy &tenancy, const Pci_function &pe)
{
	auto counting = Faults::count(everything());
	auto second = Neighbour::join(tenancy.container(), pe);
	tenancy.step("the second PE joins and is counted", second ? Result<>{} : fail(second.error().code()));
	auto calls = counting ? counting->calls() : Result<unsigned>{std::unexpected{counting.error()}};
	if (second)
		(void)second->leave();
	return calls.value_or(0);
}

// One comes, its table is filled half way, and cannot be taken back.
void join(const std::vector<Pci_function> &pes, const Say &say)
{
	Tenancy tenancy{pes[0], say};
	if (!tenancy.move_in() || !tenancy.refuse(calls_of_join(tenancy, pes[1])))
		return;
	auto second = Neighbour::join(tenancy.container(), pes[1]);
	tenancy.step("the second PE joins", second ? Result<>{} : fail(second.error().code()), Errno{EIO});
	tenancy.relent();
	tenancy.reaches(pes[1], true);
	tenancy.keeps_memory();
}

const Stuck on_pseries[] = {
	{.name = "stuck/close", .pes = 1, .stays = size, .run = close},
	{.name = "stuck/one-of-two-leaves", .pes = 2, .stays = size, .run = leave},
	{.name = "stuck/half-filled-at-join", .pes = 2, .stays = size, .run = join},
};

// A store cannot fail: a table is emptied there, and never filled half way.
const Stuck on_powernv[] = {
	{.name = "stuck/close", .pes = 1, .stays = 0, .run = close},
	{.name = "stuck/one-of-two-leaves", .pes = 2, .stays = size, .run = leave},
};

} // namespace

std::span<const Stuck> stuck_scenarios()
{
	return platform().powernv ? std::span<const Stuck>{on_powernv} : std::span<const Stuck>{on_pseries};
}

} // namespace harness::firmware
