// SPDX-License-Identifier: GPL-2.0-only
// Memory that another container of the process has registered. KVM looks it up by the process, and puts it into our
// window. That container may be closed first: the memory is registered for as long as the entry is there, and is
// nobody's afterwards.
#include "cmd/kvm_bench.hh"
#include "lib/counts.hh"
#include "lib/neighbour.hh"

namespace harness
{

namespace
{

constexpr auto near = Kvm_bench::near;

// A second container with a PE of its own, in which the near units are registered.
std::unique_ptr<Rig> second_container(Kvm_bench &b)
{
	auto function = other_pe(b.function);
	if (!b.report.step("a second PE with an edu device", function))
		return {};
	auto opened = Rig::open(*function);
	if (!b.report.step("a second container with it", opened))
		return {};
	auto &container = (*opened)->container();
	if (!b.report.step("REGISTER_MEMORY the near units there",
			   container.register_memory(b.vaddr(near), Kvm_bench::near_units * b.unit_size())))
		return {};
	return std::move(*opened);
}

// An entry leads into that memory, and its container is gone.
bool left_behind(Kvm_bench &b)
{
	auto second = second_container(b);
	if (!second)
		return false;
	b.answered("H_PUT_TCE of the second container's memory", b.put(1, near));
	b.moves("it", 1, near);
	b.report.step("UNREGISTER_MEMORY there",
		      second->container().unregister_memory(b.vaddr(near), Kvm_bench::near_units * b.unit_size()),
		      Errno{EBUSY});
	second.reset();
	b.moves("the second container closed", 1, near);
	b.answered("H_PUT_TCE of more of it", b.put(2, near + 1));
	b.moves("that", 2, near + 1);
	return true;
}

void nothing_left(Kvm_bench &b, std::string_view when, const Counts &before)
{
	auto after = settled(before);
	b.report.check(fmt::format("{}: nothing of it is pinned any more", when), after == before,
		       difference(before, after));
}

} // namespace

void kvm_elsewhere(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	// The window's bookkeeping stays from now on.
	b.answered("H_PUT_TCE", b.put(1, near));
	b.answered("H_STUFF_TCE of it", b.stuff(1, 1));
	b.dismissed("the near units", near, Kvm_bench::near_units);
	b.left_to_us("H_PUT_TCE of what nobody has registered", b.put(1, near));
	auto before = Counts::rested();

	if (!left_behind(b))
		return;
	b.answered("H_STUFF_TCE of one of two", b.stuff(1, 1));
	b.moves("the other still", 2, near + 1);
	b.answered("H_STUFF_TCE of the other", b.stuff(2, 1));
	nothing_left(b, "entries cleared by the machine", before);

	if (!left_behind(b))
		return;
	b.report.step("UNMAP_DMA", b.unmap(0, 16));
	b.misses("it", 1, near);
	nothing_left(b, "entries cleared by UNMAP_DMA", before);

	// and with both containers closed, the entries still there; who plays the scenario looks
	left_behind(b);
}

} // namespace harness
