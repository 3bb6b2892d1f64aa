// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/churn.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "lib/counts.hh"
#include "lib/exit_status.hh"
#include "lib/group.hh"
#include "lib/kernel_memory.hh"
#include "lib/moves.hh"
#include "lib/region.hh"
#include "lib/window.hh"

namespace harness
{

namespace
{

constexpr unsigned warm_up = 200;
constexpr unsigned user_count = 200; // an mm_struct lost with each is 200 KiB and more
// One round in so many removes the default window and creates it again; of the others one in so many leaves a page
// mapped for the removal to end.
constexpr unsigned default_every = 10, mapped_every = 3;
// What other parts of the kernel may do meanwhile; a leak of 32 bytes in each of 10,000 rounds is 312 KiB, and even one
// in every tenth round would show. The module's own memory is slab and pages, never vmalloc.
constexpr Noise noise{.slab = 8 << 10, .pages = 256 << 10, .vmalloc = 0};
// And for so many processes: 320 bytes each are seen here, and as many with the in-tree driver. An mm_struct is 1600.
constexpr Noise noise_of_users{.slab = 100 << 10, .pages = 256 << 10, .vmalloc = 0};

class Churn
{
public:
	Churn(const Rig &rig, const Region &region, const Tce_info &info)
		: container_{rig.container()}, region_{region}, info_{info}
	{
	}

	// The first failure ends it.
	Result<> run(unsigned rounds)
	{
		for (unsigned i = 0; i < rounds; ++i)
			if (auto done = i % default_every == 0 ? default_window(i) : dynamic_window(i); !done)
				return done;
		return {};
	}

private:
	// Of different sizes and pages; firmware finds a place for each.
	Result<> dynamic_window(unsigned i)
	{
		auto page = i % 2 ? page_shift() : 12;
		auto start = container_.tce_create(page, 1ull << (24 + i % 5), 1);
		if (!start)
			return std::unexpected{start.error()};
		if (i % mapped_every == 0)
			if (auto mapped = container_.map(*start + (i % 7 << page), region_.address(), 1ull << page,
							 Access::both);
			    !mapped)
				return mapped;
		return container_.tce_remove(*start);
	}

	Result<> default_window(unsigned i)
	{
		if (i % mapped_every == 0)
			if (auto mapped = container_.map(info_.dma32_window_start + (i % 7) * 4096, region_.address(),
							 4096, Access::read);
			    !mapped)
				return mapped;
		if (auto removed = container_.tce_remove(info_.dma32_window_start); !removed)
			return removed;
		auto start = container_.tce_create(12, info_.dma32_window_size, 1);
		if (!start)
			return std::unexpected{start.error()};
		return *start == info_.dma32_window_start ? Result<>{} : fail(EADDRNOTAVAIL);
	}

	const Container &container_;
	const Region &region_;
	const Tce_info &info_;
};

void measure(Report &report, Churn &churn, unsigned rounds)
{
	if (!report.step(fmt::format("{} rounds to warm up", warm_up), churn.run(warm_up)))
		return;
	auto counts = Counts::rested();
	auto memory = Kernel_memory::rested();
	auto begin = std::chrono::steady_clock::now();
	report.step(fmt::format("{} windows made and removed", rounds), churn.run(rounds));
	std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
	report.note(fmt::format("{:.0f} windows a second, one in {} the default window", rounds / took.count(),
				default_every));
	auto after = settled(counts);
	report.check("VmLck and pinned pages are as before", after == counts, difference(counts, after));
	check_same(report, "slab objects, pages and vmalloc of the kernel as well", memory, noise);

	auto planted = seen_of_planted(rounds);
	report.check("one small object leaked a round would have been seen",
		     planted && *planted > static_cast<std::int64_t>(rounds) * 48 && rounds * 32 > noise.slab,
		     planted ? fmt::format("{} KiB of {} objects", *planted / 1024, rounds) : planted.error().name());
}

void with_rig(Report &report, const Churn_options &options, const Pci_function &function)
{
	auto rig = Rig::open(function);
	if (!report.step("set a container up", rig))
		return;
	auto info = (*rig)->container().get_info();
	auto buffer = Buffer::anonymous(std::size_t{1} << 16, 1 << 16);
	if (!report.step("GET_INFO", info) || !report.step("allocate memory", buffer))
		return;
	{
		auto region = Region::enroll((*rig)->container(), std::move(*buffer));
		if (!report.step("REGISTER_MEMORY", region))
			return;
		Churn churn{**rig, *region, *info};
		measure(report, churn, options.rounds);
	}
	report.check("the container works", moves_data(**rig), "asked");
}

// Everything a user has, ended by the end of its process. The device stays closed: on bare metal opening one is a
// reset.
[[noreturn]] void be_a_user(int number)
{
	auto group = Group::open(number);
	auto container = Container::open();
	auto memory = Buffer::anonymous(std::size_t{1} << 16, 1 << 16);
	bool done = group && container && memory && group->set_container(*container) && container->set_iommu(type_v2) &&
		    container->register_memory(memory->address(), memory->size()) &&
		    container->map(container->get_info().value_or(Tce_info{}).dma32_window_start, memory->address(),
				   4096, Access::both);
	::_exit(done ? 0 : 1);
}

Result<> users(int group, unsigned count)
{
	for (; count > 0; --count) {
		int status = 0;
		auto pid = ::fork();
		if (pid == 0)
			be_a_user(group);
		if (pid < 0 || ::waitpid(pid, &status, 0) != pid || !ended_well(status))
			return fail(ECHILD);
	}
	return {};
}

void processes(Report &report, const Pci_function &function)
{
	auto group = function.group();
	if (!report.step("the group", group) || !report.step("users to warm up", users(*group, 20)))
		return;
	auto memory = Kernel_memory::rested();
	report.step(fmt::format("{} processes came and went as users", user_count), users(*group, user_count));
	check_same(report, "slab objects, pages and vmalloc of the kernel", memory, noise_of_users);
}

} // namespace

bool run_churn(const Churn_options &options)
{
	return run_on_edu(options, "windows over and over", [&](Report &report, const Pci_function &function) {
		with_rig(report, options, function);
		processes(report, function);
	});
}

} // namespace harness
