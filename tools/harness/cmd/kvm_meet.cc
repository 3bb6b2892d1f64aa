// SPDX-License-Identifier: GPL-2.0-only
// Hypercalls and ioctls on the same entries, one after the other: who came last has it, and memory is counted as mapped
// as long as an entry translates to it, whoever made that and whoever ends it.
#include "cmd/kvm_bench.hh"

namespace harness
{

namespace
{

constexpr auto near = Kvm_bench::near, far = Kvm_bench::far;

void ioctl_over_hypercall(Kvm_bench &b)
{
	b.answered("H_PUT_TCE", b.put(1, near));
	b.report.step("MAP_DMA over it, of other memory", b.map(1, near + 1));
	b.moves("what MAP_DMA put there", 1, near + 1);
	b.report.step("UNMAP_DMA of it", b.unmap(1, 1));
	b.misses("it", 1, near + 1);
}

void hypercall_over_ioctl(Kvm_bench &b)
{
	b.report.step("MAP_DMA", b.map(2, near + 2));
	b.answered("H_PUT_TCE over it, of other memory", b.put(2, near + 3));
	b.moves("what H_PUT_TCE put there", 2, near + 3);
	b.answered("H_STUFF_TCE of it", b.stuff(2, 1));
	b.misses("it", 2, near + 3);
	b.report.step("MAP_DMA", b.map(2, near + 2));
	std::uint64_t tces[] = {b.gpa(near + 4) | tce_both, b.gpa(near + 5) | tce_both};
	b.answered("H_PUT_TCE_INDIRECT of 2, the first over it", b.put_list(2, tces));
	b.moves("the first", 2, near + 4);
	b.moves("the second", 3, near + 5);
}

// Entry 10 of a hypercall, 11 of an ioctl, 12 of an ioctl and then of a hypercall, 13 empty, 14 the other way round.
void mix(Kvm_bench &b)
{
	b.answered("entry 10: H_PUT_TCE", b.put(10, near));
	b.report.step("entry 11: MAP_DMA", b.map(11, near + 1));
	b.report.step("entry 12: MAP_DMA", b.map(12, near + 2));
	b.answered("          then H_PUT_TCE", b.put(12, near + 3));
	b.answered("entry 14: H_PUT_TCE", b.put(14, near + 4));
	b.report.step("          then MAP_DMA", b.map(14, near + 5));
	b.moves("entry 10", 10, near);
	b.moves("entry 12", 12, near + 3);
	b.moves("entry 14", 14, near + 5);
}
void nothing_of_the_mix(Kvm_bench &b)
{
	b.misses("entry 10", 10, near);
	b.misses("entry 11", 11, near + 1);
	b.misses("entry 12", 12, near + 3);
	b.misses("entry 14", 14, near + 5);
}

} // namespace

void kvm_meet(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	ioctl_over_hypercall(b);
	hypercall_over_ioctl(b);
	b.report.step("UNMAP_DMA of what hypercalls made", b.unmap(0, 10));
	mix(b);
	b.report.step("UNMAP_DMA of entries 8 to 23", b.unmap(8, 16));
	nothing_of_the_mix(b);
	mix(b);
	b.answered("H_STUFF_TCE of entries 8 to 23", b.stuff(8, 16));
	nothing_of_the_mix(b);
	b.dismissed("the near units, no entry left", near, Kvm_bench::near_units);
	b.left_to_us("H_PUT_TCE of them now", b.put(1, near));
	b.misses("it", 1, near);
}

namespace
{

bool dismiss_far(Kvm_bench &b, std::string_view when, Errno expected = expect_ok)
{
	return b.dismissed(when, far, Kvm_bench::far_units, expected);
}

// Twice mapped by hypercalls, and each ended otherwise.
void map_twice_and_end(Kvm_bench &b, std::string_view how, void (*end)(Kvm_bench &, std::uint64_t entry))
{
	b.answered("H_PUT_TCE of the far units, entry 1", b.put(1, far));
	b.answered("H_PUT_TCE of the far units, entry 2", b.put(2, far + 1));
	dismiss_far(b, "two hypercalls' entries map it", Errno{EBUSY});
	b.moves("after the refusal", 1, far);
	end(b, 1);
	dismiss_far(b, "one is left", Errno{EBUSY});
	end(b, 2);
	dismiss_far(b, fmt::format("both ended by {}", how));
	b.report.step("REGISTER_MEMORY again", b.enroll(far, Kvm_bench::far_units));
}

} // namespace

void kvm_unregister(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	map_twice_and_end(b, "H_STUFF_TCE", [](Kvm_bench &bench, std::uint64_t entry) {
		bench.answered("H_STUFF_TCE", bench.stuff(entry, 1));
	});
	map_twice_and_end(b, "UNMAP_DMA", [](Kvm_bench &bench, std::uint64_t entry) {
		bench.report.step("UNMAP_DMA", bench.unmap(entry, 1));
	});
	map_twice_and_end(b, "H_PUT_TCE of other memory", [](Kvm_bench &bench, std::uint64_t entry) {
		bench.answered("H_PUT_TCE of other memory", bench.put(entry, near));
	});
	map_twice_and_end(b, "MAP_DMA of other memory", [](Kvm_bench &bench, std::uint64_t entry) {
		bench.report.step("MAP_DMA of other memory", bench.map(entry, near));
	});
	b.report.step("MAP_DMA of the far units", b.map(1, far));
	dismiss_far(b, "an ioctl's entry maps it", Errno{EBUSY});
	b.answered("H_PUT_TCE of other memory over it", b.put(1, near));
	dismiss_far(b, "no entry left");
	b.dismissed("the near units, two hypercalls' entries left", near, Kvm_bench::near_units, Errno{EBUSY});
	b.answered("H_STUFF_TCE", b.stuff(0, 16));
	b.dismissed("the near units, no entry left", near, Kvm_bench::near_units);
}

} // namespace harness
