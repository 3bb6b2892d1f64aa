// SPDX-License-Identifier: GPL-2.0-only
#include "firmware/stuck.hh"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "lib/bare.hh"
#include "lib/buffer.hh"
#include "lib/neighbour.hh"
#include "lib/platform.hh"
#include "lib/sysfs.hh"

namespace harness::firmware
{

namespace
{

using namespace std::chrono_literals;

constexpr std::uint64_t size = 4 << 20; // more TCEs than one hypercall writes
constexpr int refused = -1;

template <class T>
Result<> no_value(const Result<T> &result)
{
	return result ? Result<>{} : fail(result.error().code());
}

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
	// Nobody gets the PE: its group is claimed, so that no driver can be bound to its devices either.
	void blocked(const Pci_function &pe)
	{
		auto answer = Errno{0};
		for (int tries = 0; tries < 100 && answer != Errno{EPERM}; tries++) {
			auto rig = Rig::open(pe);
			answer = rig ? Errno{0} : rig.error();
			if (rig)
				break;
			std::this_thread::sleep_for(50ms);
		}
		right("a new container for it", answer == Errno{EPERM} ? "" : answer.name());
	}
	// Its devices go and come.
	bool find_again(const Pci_function &pe)
	{
		return step("remove", write_file(pe.sysfs("remove"), "1")) &&
		       step("rescan", write_file("/sys/bus/pci/rescan", "1"));
	}

	const Container &container() { return rig_->container(); }
	void close() { rig_.reset(); }

private:
	Pci_function pe_;
	const Say &say_;
	std::optional<Buffer> memory_;
	std::unique_ptr<Rig> rig_;
	std::optional<Faults> armed_;
	std::uint64_t start_ = 0;
};

// The PE is somebody's again when its devices have gone and come, if firmware shows that nothing is left.
void way_out(Tenancy &tenancy, const Pci_function &pe, const Say &say)
{
	if (!platform().powernv) {
		auto refused_reset = Faults::arm({{"tcewin_host_ddw_reset", refused}});
		if (!tenancy.step("arm", no_value(refused_reset)) || !tenancy.find_again(pe))
			return;
		tenancy.blocked(pe);
	}
	if (!tenancy.find_again(pe))
		return;
	tenancy.reaches(pe, false);
	Tenancy next{pe, say};
	if (!next.move_in())
		return;
	next.reaches(pe, true);
	tenancy.reaches(pe, false);
	next.close();
}

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
	way_out(tenancy, pes[0], say);
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
