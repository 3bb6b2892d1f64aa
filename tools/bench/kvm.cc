// SPDX-License-Identifier: GPL-2.0-only
// What KVM's in-kernel hypercalls cost in a window that it has; and MAP_DMA and UNMAP_DMA there: before it has put an
// entry, and after, which is not in the range that is mapped.
#include <fmt/format.h>

#include <sys/platform/ppc.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "bench.hh"
#include "lib/kvm_tces.hh"

namespace bench
{

namespace
{

constexpr std::uint64_t liobn = 0x80000001, alone = 0x80000002; // of the virtual machine
constexpr std::uint64_t used = 64 * mib;
constexpr std::uint64_t list = 4 * kib, list_length = 512; // in the virtual machine, behind its program

void done(const char *call, const Result<Answer> &answer)
{
	must(call, answer && *answer == h_success ? Result<>{} : fail(EIO));
}

// The shortest of ten times of the work, each after `before`, in ticks of the timebase. Integers only: what a process
// has in floating-point registers was seen to be lost when it runs a virtual CPU (6.12, both machines).
std::uint64_t shortest(const std::function<void()> &before, const std::function<void()> &work)
{
	auto best = ~std::uint64_t{};
	for (int i = 0; i < 10; i++) {
		before();
		const auto begin = __ppc_get_timebase();
		work();
		best = std::min(best, __ppc_get_timebase() - begin);
	}
	return best;
}

struct Puts {
	std::uint64_t single, indirect, stuff; // ticks, for all of the list
};

// Empty entries from `start` on get TCEs, one by one and by a list, and are emptied again.
Puts time_puts(Vm &vm, std::uint64_t of, std::uint64_t start, std::uint64_t page)
{
	auto &cpu = vm.cpu();
	const auto stuff = [&] { done("H_STUFF_TCE", stuff_tce(cpu, of, start, tce_none, list_length)); };
	const auto by_list = [&] { done("H_PUT_TCE_INDIRECT", put_tce_indirect(cpu, of, start, list, list_length)); };
	const auto singly = [&] {
		for (std::uint64_t i = 0; i < list_length; i++)
			done("H_PUT_TCE", put_tce(cpu, of, start + i * page, (2 * mib + i * page) | tce_both));
	};
	return {shortest(stuff, singly), shortest(stuff, by_list), shortest(by_list, stuff)};
}

// What the table of KVM's own costs, and the way into the machine and out of it, is the same with any driver: it is
// measured with a table that no window is joined to, and subtracted.
void measure_puts(const Bench &bench, Vm &vm, const Region &region, const Window &window)
{
	const auto page = window.page();
	const auto tces = region.buffer().bytes().subspan(list, list_length * sizeof(std::uint64_t));
	for (std::uint64_t i = 0; i < list_length; i++) {
		const auto tce = std::byteswap((2 * mib + i * page) | tce_both);
		std::memcpy(&tces[i * sizeof tce], &tce, sizeof tce);
	}
	const Kvm_table::Shape shape{alone, window.page_shift(), window.start(), window.size()};
	const auto table = must("KVM_CREATE_SPAPR_TCE_64", Kvm_table::create(vm, shape));
	const auto with = time_puts(vm, liobn, window.start(), page);
	const auto without = time_puts(vm, alone, window.start(), page);
	const auto row = fmt::format(", pages of {}", size_text(page));
	auto add = [&](std::string call, std::uint64_t joined, std::uint64_t single) {
		const auto nanoseconds =
			static_cast<double>(joined - single) * 1e9 / static_cast<double>(__ppc_get_timebase_freq());
		bench.add("KVM: " + call + row, "TCE", nanoseconds / static_cast<double>(list_length));
	};
	add("H_PUT_TCE", with.single, without.single);
	add(fmt::format("H_PUT_TCE_INDIRECT of {}", list_length), with.indirect, without.indirect);
	add(fmt::format("H_STUFF_TCE of {}", list_length), with.stuff, without.stuff);
}

void measure(const Bench &bench, const Request &request, std::string_view when)
{
	const auto took = request.time();
	const auto row = fmt::format("{}, pages of {}, {}", size_text(used), size_text(request.window.page()), when);
	bench.add("MAP " + row, "TCE", took.work / static_cast<double>(request.tces()));
	bench.add("UNMAP " + row, "TCE", took.undo / static_cast<double>(request.tces()));
}

} // namespace

void kvm(const Bench &bench)
{
	must("modprobe kvm-hv", modprobe("kvm-hv"));
	const auto region =
		must("REGISTER", Region::enroll(bench.container(), must("memory", Buffer::anonymous(used, 2 * mib))));
	const auto window = must("CREATE", Window::create(bench.container(), page_shift(), gib));
	const Request request{bench.container(), window, region, used};

	auto vm = must("a virtual machine", Vm::create(region.buffer().bytes()));
	auto device = must("KVM's VFIO device", Kvm_vfio::create(vm));
	must("KVM_DEV_VFIO_GROUP_ADD", device.add(bench.rig.group()));
	const Kvm_table::Shape shape{liobn, window.page_shift(), window.start(), window.size()};
	auto table = must("KVM_CREATE_SPAPR_TCE_64", Kvm_table::create(vm, shape));
	must("SET_SPAPR_TCE", device.join(bench.rig.group(), table));
	measure(bench, request, "KVM has the table");

	measure_puts(bench, vm, region, window);
	const auto last = window.end() - window.page();
	auto put = [&](std::uint64_t tce) { done("H_PUT_TCE", put_tce(vm.cpu(), liobn, last, tce)); };
	put(window.page() | tce_both);
	measure(bench, request, "KVM has put an entry");
	put(tce_none);
}

} // namespace bench
