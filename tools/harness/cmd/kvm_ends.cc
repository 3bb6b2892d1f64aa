// SPDX-License-Identifier: GPL-2.0-only
// A window, a container, a table of KVM's and a machine end in every order. What is dead stays dead: the hypercalls of
// a CPU whose window is gone reach nothing, least of all the window that has its place and perhaps its LIOBN now.
#include "cmd/kvm_bench.hh"

namespace harness
{

namespace
{

constexpr auto near = Kvm_bench::near;
constexpr std::uint64_t next_liobn = Kvm_bench::liobn + 1;

// All three, in the table whose window is gone. What KVM answers is its own affair.
void knock(Kvm_bench &b, std::string_view when)
{
	std::uint64_t tces[] = {b.gpa(near + 1) | tce_both, b.gpa(near + 2) | tce_both};
	b.told(fmt::format("{}: H_PUT_TCE", when), b.put(1, near));
	b.told(fmt::format("{}: H_PUT_TCE_INDIRECT", when), b.put_list(2, tces));
	b.told(fmt::format("{}: H_STUFF_TCE", when), b.stuff(8, 8));
}
void nothing_there(Kvm_bench &b, std::string_view when)
{
	b.misses(fmt::format("{}, entry of H_PUT_TCE", when), 1, near);
	b.misses(fmt::format("{}, entry of H_PUT_TCE_INDIRECT", when), 2, near + 1);
}

void release_all(Kvm_bench &b) { b.dismissed("the near units", near, Kvm_bench::near_units); }

// The CPU of a machine that lost its window gets a new table for the new one.
std::optional<Kvm_table> next_table(Kvm_bench &b)
{
	auto made = b.make_table(next_liobn, b.window_shift);
	if (!made || !b.join(*made))
		return std::nullopt;
	b.answered("H_PUT_TCE in it", b.put(1, near + 3, tce_both, next_liobn));
	b.moves("the new window's entry", 1, near + 3);
	return made;
}

} // namespace

void kvm_remove(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	b.answered("H_PUT_TCE", b.put(1, near));
	b.moves("before TCE_REMOVE", 1, near);
	b.report.step("TCE_REMOVE", b.container().tce_remove(b.window));
	b.misses("after TCE_REMOVE", 1, near);
	knock(b, "window gone");
	nothing_there(b, "window gone");
	b.dismissed("the near units, window gone", near, Kvm_bench::near_units);
	b.report.step("REGISTER_MEMORY again", b.enroll(near, Kvm_bench::near_units));

	auto was = b.window;
	if (!b.create_window(b.window_shift))
		return;
	b.report.check("it starts where the first did", b.window == was, fmt::format("{:#x}", b.window));
	knock(b, "old table, new window");
	nothing_there(b, "old table, new window");
	auto next = next_table(b);
	if (!next)
		return;
	b.told("old table: H_STUFF_TCE over it", b.stuff(0, 16));
	b.moves("the new window's entry still", 1, near + 3);
	b.table->close();
	b.moves("the old table closed", 1, near + 3);
	b.answered("H_STUFF_TCE in the new one", b.stuff(1, 1, next_liobn));
	b.misses("what was stuffed", 1, near + 3);
	release_all(b);
}

void kvm_leave(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	b.answered("H_PUT_TCE", b.put(1, near));
	b.probe.reset();
	b.rig->close_device();
	b.report.step("UNSET_CONTAINER", b.rig->group().unset_container());
	knock(b, "no container");
	b.report.step("SET_CONTAINER again", b.rig->group().set_container(b.container()));
	b.report.step("SET_IOMMU again", b.container().set_iommu(type_v2));
	if (!b.report.step("the device again", b.rig->open_device()))
		return;
	b.report.note(fmt::format("REGISTER_MEMORY again: scratch {}, near {}", outcome(b.enroll(b.scratch_unit, 1)),
				  outcome(b.enroll(near, Kvm_bench::near_units))));
	if (!b.renew_probe() || !b.create_window(b.window_shift))
		return;
	nothing_there(b, "old table, new window");
	knock(b, "old table, new window");
	nothing_there(b, "old table, new window, hypercalls");
	auto next = next_table(b);
	if (!next)
		return;
	b.answered("H_STUFF_TCE", b.stuff(1, 1, next_liobn));
	release_all(b);
}

void kvm_container_first(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	b.answered("H_PUT_TCE", b.put(1, near));
	b.moves("before", 1, near);
	b.drop_container(); // KVM has the group open, and the group its container
	knock(b, "container closed");
	b.vfio->close();
	knock(b, "KVM's VFIO device closed");
	b.table->close();
	b.told("table closed: H_PUT_TCE", b.put(1, near));
	b.vm->close();

	b.memory.reset();
	b.vfio.reset();
	b.table.reset();
	b.vm.reset();
	b.report.heading("  and once more, from the beginning");
	if (!b.set_up())
		return;
	nothing_there(b, "a new container");
	b.answered("H_PUT_TCE", b.put(1, near));
	b.moves("a new container's entry", 1, near);
}

void kvm_table_first(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	b.answered("H_PUT_TCE", b.put(1, near));
	b.table->close();
	b.left_to_us("table closed: H_PUT_TCE", b.put(1, near + 1));
	b.moves("what it put before stays", 1, near); // KVM clears nothing; as good as an ioctl's
	b.dismissed("the near units, an entry left", near, Kvm_bench::near_units, Errno{EBUSY});
	b.report.step("UNMAP_DMA", b.unmap(0, 16));
	b.misses("it", 1, near);
	auto next = next_table(b);
	if (!next)
		return;
	b.report.step("KVM_DEV_VFIO_GROUP_DEL", b.vfio->remove(b.rig->group()));
	b.answered("group taken from KVM: H_PUT_TCE", b.put(2, near, tce_both, next_liobn));
	b.misses("it", 2, near);
	b.moves("what was put before", 1, near + 3);
	b.report.step("TCE_REMOVE", b.container().tce_remove(b.window));
	b.misses("after TCE_REMOVE", 1, near + 3);
	release_all(b);
}

void kvm_machine_first(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	b.answered("H_PUT_TCE", b.put(1, near));
	b.vfio->close();
	b.vm->close();
	b.moves("its table is open still", 1, near);
	b.table->close();
	b.moves("nothing of KVM's is open", 1, near);
	b.report.step("MAP_DMA over it", b.map(1, near + 1));
	b.moves("what MAP_DMA put there", 1, near + 1);
	b.report.step("UNMAP_DMA", b.unmap(0, 16));
	b.misses("it", 1, near + 1);
	release_all(b);
}

} // namespace harness
