// SPDX-License-Identifier: GPL-2.0-only
// MAP_DMA and UNMAP_DMA in a window that KVM's in-kernel hypercalls may write to as well: before it has done so, and
// after it has put one entry, which is not in the range that is mapped.
#include <fmt/format.h>

#include "bench.hh"
#include "lib/kvm_tces.hh"

namespace bench
{

namespace
{

constexpr std::uint64_t liobn = 0x80000001; // of the virtual machine
constexpr std::uint64_t used = 64 * mib;

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

	const auto last = window.end() - window.page();
	auto put = [&](std::uint64_t tce) {
		auto answer = must("H_PUT_TCE", put_tce(vm.cpu(), liobn, last, tce));
		must("H_PUT_TCE", answer == h_success ? Result<>{} : fail(EIO));
	};
	put(window.page() | tce_both);
	measure(bench, request, "KVM has put an entry");
	put(tce_none);
}

} // namespace bench
