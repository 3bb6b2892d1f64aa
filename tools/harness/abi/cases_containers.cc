// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: more than one container: a PE refused by one gets one of its own, two share memory, their process is killed.
// The machine has to have three PEs, as cases_groups.cc says.
#include <signal.h>

#include "abi/case.hh"
#include "abi/join.hh"
#include "abi/maps.hh"
#include "lib/exit_status.hh"

namespace harness::abi
{

namespace
{

constexpr const char *share_row = "defects: two containers of one process share a region: all back";
constexpr const char *refused_row = "clients: a failed SET_CONTAINER is clean, another container can be opened";

template <unsigned long type>
Result<> open_second(Bench &b)
{
	auto function = other_pe(b.function());
	if (!function)
		return std::unexpected{function.error()};
	auto rig = Rig::open(*function, type);
	if (!rig)
		return std::unexpected{rig.error()};
	b.second = std::move(*rig);
	return {};
}
Result<> close_second(Bench &b)
{
	b.second.reset();
	return {};
}

// The same memory and the same address in both.
Result<> map_extra_in_both(Bench &b)
{
	for (auto container : {&b.container(), &b.second->container()}) {
		if (auto done = container->register_memory(b.extra().address(), b.extra().size()); !done)
			return done;
		if (auto done = container->map(b.iova(Bench::free_page), b.extra().address(), 4096, Access::both);
		    !done)
			return done;
	}
	return {};
}
Result<> undo_in_first(Bench &b)
{
	auto done = unmap_free(b);
	return done ? unregister_extra(b) : done;
}
// The other container has it all the same, as long as it likes.
std::string second_keeps_it(Bench &b)
{
	auto &other = b.second->container();
	auto gone = other.unregister_memory(b.extra().address(), b.extra().size());
	if (gone || gone.error() != Errno{EBUSY})
		return "UNREGISTER_MEMORY in the second, mapped: " + outcome(gone);
	if (auto done = other.map(b.iova(Bench::free_page + 1), b.extra().address() + 4096, 4096, Access::both); !done)
		return "MAP_DMA in the second: " + done.error().name();
	Probe probe{b.second->edu(), b.extra().bytes(4096, 4096), b.iova(Bench::free_page + 1), b.extra().bytes()};
	if (probe.write(b.iova(Bench::free_page), {b.extra().bytes(0, 100)}) != Reach::arrived)
		return "the second device does not reach it";
	if (auto done = other.unmap(b.iova(Bench::free_page), 2 * 4096); !done)
		return "UNMAP_DMA in the second: " + done.error().name();
	auto done = other.unregister_memory(b.extra().address(), b.extra().size());
	return done ? "" : "UNREGISTER_MEMORY in the second: " + done.error().name();
}

// A process with a container for each of these PEs, the same memory mapped in all of them, is killed.
Result<> die_with(Bench &b, std::initializer_list<Pci_function> functions)
{
	auto shared = Buffer::shared(2048 * page_size());
	if (!shared)
		return std::unexpected{shared.error()};
	auto pid = ::fork();
	if (pid == 0) {
		std::vector<std::unique_ptr<Rig>> rigs;
		for (auto &function : functions) {
			auto rig = Rig::open(function);
			if (!rig || !(*rig)->container().register_memory(shared->address(), shared->size()) ||
			    !(*rig)->container().map(b.iova(Bench::free_page), shared->address(), 1 << 20,
						     Access::both))
				::_exit(1);
			rigs.push_back(std::move(*rig));
		}
		::raise(SIGKILL);
	}
	int status = 0;
	if (pid < 0 || ::waitpid(pid, &status, 0) != pid)
		return fail_errno();
	return ended_by(status, SIGKILL) ? Result<>{} : fail(ECHILD);
}
Result<> user_of_one_dies(Bench &b)
{
	auto function = other_pe(b.function());
	return function ? die_with(b, {*function}) : Result<>{fail(ENODEV)};
}
Result<> user_of_two_dies(Bench &b)
{
	auto function = other_pe(b.function());
	return function ? die_with(b, {b.function(), *function}) : Result<>{fail(ENODEV)};
}
std::string all_is_back(Bench &b) { return b.counted(0, 0); }

// The container refuses the group; that group then gets one of its own, which works.
std::string other_container_works(Bench &b)
{
	if (auto opened = open_second<type_v1>(b); !opened)
		return "a container of its own: " + opened.error().name();
	auto &other = b.second->container();
	auto info = other.get_info();
	if (!info || !other.enable() || !other.map(info->dma32_window_start, b.extra().address(), 4096, Access::both) ||
	    !other.map(info->dma32_window_start + 4096, b.extra().address() + 4096, 4096, Access::both))
		return "GET_INFO, ENABLE or MAP_DMA in a container of its own";
	Probe probe{b.second->edu(), b.extra().bytes(4096, 4096), info->dma32_window_start + 4096u, b.extra().bytes()};
	return probe.write(info->dma32_window_start, {b.extra().bytes(0, 100)}) == Reach::arrived
		       ? ""
		       : "the second device does not reach its memory";
}

const Case cases[] = {
	{.name = "client/qemu-second-container",
	 .row = refused_row,
	 .expected = Expected::any_error(),
	 .prepare = [](Bench &b) { return other_pe(b.function(), 2) ? Result<>{} : Result<>{fail(ENODEV)}; },
	 .call = join<2>,
	 .verify = other_container_works,
	 .finish = close_second},
	{.name = "v1-set-container/second-group",
	 .row = "SET_IOMMU 2: v1 container: one group",
	 .expected = Expected::any_error(),
	 .stage = Stage::v1_ready,
	 .prepare = [](Bench &b) { return other_pe(b.function()) ? Result<>{} : Result<>{fail(ENODEV)}; },
	 .call = join<1>,
	 .verify = other_container_works,
	 .finish = close_second},
	{.name = "defect/killed-process-pins",
	 .row = "defects: registered memory when its process ends: all back",
	 .stage = Stage::container,
	 .prepare = count,
	 .call = user_of_one_dies,
	 .verify = all_is_back},
	{.name = "defect/killed-process-shared-region",
	 .row = share_row,
	 .stage = Stage::container,
	 .prepare = count,
	 .call = user_of_two_dies,
	 .verify = all_is_back},
	{.name = "defect/two-containers-share-region",
	 .row = share_row,
	 .prepare =
		 [](Bench &b) {
			 auto opened = open_second<type_v2>(b);
			 return opened ? map_extra_in_both(b) : opened;
		 },
	 .call = undo_in_first,
	 .verify = second_keeps_it,
	 .finish = close_second},
	{.name = "defect/two-containers-share-region-close",
	 .row = share_row,
	 .prepare = open_second<type_v2>,
	 .call = map_extra_in_both,
	 .afterwards = Afterwards::spent},
};

} // namespace

std::span<const Case> container_cases() { return cases; }

} // namespace harness::abi
