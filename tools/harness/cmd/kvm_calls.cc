// SPDX-License-Identifier: GPL-2.0-only
// What the three hypercalls do when nobody else touches the window, and which tables KVM takes for them.
#include <vector>

#include "cmd/kvm_bench.hh"
#include "lib/modules.hh"
#include "lib/platform.hh"

namespace harness
{

namespace
{

void refuse(Kvm_bench &b, std::string_view why, const Kvm_table::Shape &shape)
{
	auto made = Kvm_table::create(*b.vm, shape);
	if (b.report.step(why, made))
		b.join(*made, Errno{EINVAL});
}

// The window of 64 KiB pages is only looked at: memory of base pages would not go in on every kernel.
void refuse_misfits(Kvm_bench &b)
{
	auto start = b.window, size = b.window_size;
	auto shift = b.window_shift;
	refuse(b, "a table of another start", {.liobn = 1, .page_shift = shift, .start = start + size, .size = size});
	refuse(b, "a table that is larger", {.liobn = 2, .page_shift = shift, .start = start, .size = 2 * size});
	refuse(b, "a table of smaller pages", {.liobn = 3, .page_shift = shift - 4, .start = start, .size = size});
}

void default_window(Kvm_bench &b)
{
	b.window = b.info.dma32_window_start;
	b.window_shift = 12;
	auto made = Kvm_table::create(*b.vm, {.liobn = 4, .page_shift = 12, .start = b.window, .size = 64ull << 20});
	if (!b.report.step("a table of the default window's first 64 MiB", made) || !b.join(*made))
		return;
	b.answered("H_PUT_TCE in the default window", b.put(5, Kvm_bench::near, tce_both, 4));
	b.moves("through the default window", 5, Kvm_bench::near);
	b.answered("H_STUFF_TCE of it", b.stuff(5, 1, 4));
	b.misses("where it was", 5, Kvm_bench::near);
}

// Entries 10 and on, one unit after the other.
std::vector<std::uint64_t> round_robin(const Kvm_bench &b, std::size_t count)
{
	std::vector<std::uint64_t> tces;
	for (std::size_t i = 0; i < count; ++i)
		tces.push_back(b.gpa(Kvm_bench::near + i % Kvm_bench::near_units) | tce_both);
	return tces;
}

void one_by_one(Kvm_bench &b)
{
	b.answered("H_PUT_TCE", b.put(1, 2));
	b.moves("an entry of H_PUT_TCE", 1, 2);
	b.answered("H_PUT_TCE of the same memory elsewhere", b.put(2, 2));
	b.moves("written at the one, read at the other", b.iova(1), b.iova(2), 2);
	b.answered("H_PUT_TCE over it, of other memory", b.put(1, 3));
	b.moves("what replaced it", 1, 3);
	b.moves("the other entry still", 2, 2);
	b.answered("H_PUT_TCE without permission", b.put(1, 3, tce_none));
	b.misses("what was cleared", 1, 3);
	b.answered("H_PUT_TCE for reading only", b.put(1, 3, tce_read));
	if (!platform().write_implies_read)
		b.misses("writing where it may only read", 1, 3);
	b.answered("H_STUFF_TCE of 16 entries", b.stuff(0, 16));
	b.misses("what was stuffed", 2, 2);
}

void by_list(Kvm_bench &b)
{
	b.answered("H_PUT_TCE_INDIRECT of 4", b.put_list(10, round_robin(b, 4)));
	for (std::size_t i = 0; i < 4; ++i)
		b.moves(fmt::format("entry {} of the list", i), 10 + i, Kvm_bench::near + i);
	b.answered("H_PUT_TCE_INDIRECT of 512 over it", b.put_list(9, round_robin(b, 512)));
	b.moves("the first of 512", 9, Kvm_bench::near);
	b.moves("the last of 512", 9 + 511, Kvm_bench::near + 511 % Kvm_bench::near_units);
	b.answered("H_STUFF_TCE of all", b.stuff(9, 512));
	b.misses("the first", 9, Kvm_bench::near);
	b.misses("the last", 9 + 511, Kvm_bench::near + 511 % Kvm_bench::near_units);
}

void what_is_not_allowed(Kvm_bench &b)
{
	b.answered("H_PUT_TCE behind the window's end", b.put(b.window_size >> b.window_shift, 2), h_parameter);
	b.left_to_us("H_PUT_TCE of memory that is not registered", b.put(1, 0));
	b.misses("it", 1, 0);
	b.left_to_us("H_PUT_TCE in a table that does not exist", b.put(1, 2, tce_both, Kvm_bench::liobn + 1));
}

} // namespace

void kvm_attach(Kvm_bench &b)
{
	if (!b.set_up_container(16) || !b.set_up_machine())
		return;
	auto has = [&](int number) {
		return b.vm->check_extension(static_cast<unsigned long>(number)).value_or(0) == 1;
	};
	b.report.check("KVM_CAP_SPAPR_TCE_64", has(KVM_CAP_SPAPR_TCE_64), "asked");
	// 6.1 does not say so where it is itself a guest, and does it all the same.
	if (platform().powernv || !stays(Driver::tcewin))
		b.report.check("KVM_CAP_SPAPR_TCE_VFIO", has(KVM_CAP_SPAPR_TCE_VFIO), "asked");
	b.report.step("KVM_DEV_VFIO_GROUP_ADD again", b.vfio->add(b.rig->group()), Errno{EEXIST});
	refuse_misfits(b);
	auto table = b.make_table(Kvm_bench::liobn, 16);
	if (!table || !b.join(*table))
		return;
	default_window(b);
	b.report.step("KVM_DEV_VFIO_GROUP_DEL", b.vfio->remove(b.rig->group()));
	b.join(*table, Errno{ENOENT});
}

// KVM takes a reference of our table at each joining and gives one back, so it has the table until the machine is
// booted again. The module goes all the same, and so does everything else.
void kvm_join_twice(Kvm_bench &b)
{
	if (!b.set_up() || !b.join(*b.table))
		return;
	b.answered("H_PUT_TCE", b.put(1, 2));
	b.moves("an entry of H_PUT_TCE", 1, 2);
	b.report.step("TCE_REMOVE", b.container().tce_remove(b.window));
	b.misses("after TCE_REMOVE", 1, 2);
	b.dismissed("the near units", Kvm_bench::near, Kvm_bench::near_units);
	if (b.create_window(b.window_shift))
		b.misses("a new window", 1, 2);
	b.left_to_us("the table that KVM keeps: H_PUT_TCE", b.put(1, 2));
	b.answered("and H_STUFF_TCE", b.stuff(0, 16));
	b.misses("the new window still", 1, 2);
}

void kvm_hypercalls(Kvm_bench &b)
{
	if (!b.set_up_container() || !b.set_up_machine())
		return;
	auto table = b.make_table(Kvm_bench::liobn, b.window_shift);
	if (!table)
		return;
	b.answered("H_PUT_TCE in a table that is not joined to the window", b.put(1, 2));
	b.misses("it", 1, 2);
	if (!b.join(*table))
		return;
	one_by_one(b);
	by_list(b);
	what_is_not_allowed(b);
	b.dismissed("the near units, no entry left", Kvm_bench::near, Kvm_bench::near_units);
}

void kvm_large_pages(Kvm_bench &b)
{
	constexpr unsigned large = 16, small = 12;
	if (!b.set_up_container(small) || !b.set_up_machine())
		return;
	auto table = b.make_table(Kvm_bench::liobn, large);
	if (!table || !b.join(*table))
		return;
	auto start = b.window + (3ull << large);
	auto last = (std::uint64_t{1} << large) - (1 << small);
	b.answered("H_PUT_TCE of 64 KiB", put_tce(b.vm->cpu(), Kvm_bench::liobn, start, b.gpa(4) | tce_both));
	b.moves("its first 4 KiB", start, start, 4);
	b.moves("its last 4 KiB", start + last, start + last, 4, last);
	b.report.step("UNMAP_DMA of the first 4 KiB", b.container().unmap(start, 1 << small));
	b.misses("the first 4 KiB", 3ull << (large - small), 4);
	b.moves("the last 4 KiB still", start + last, start + last, 4, last);
	b.answered("H_STUFF_TCE of it", stuff_tce(b.vm->cpu(), Kvm_bench::liobn, start, tce_none, 1));
	b.misses("the last 4 KiB", (4ull << (large - small)) - 1, 4);
	b.dismissed("the near units, no entry left", Kvm_bench::near, Kvm_bench::near_units);
}

// Where KVM looks at the first entry of a range only, the last one is written before the call fails.
static void first_entry_checked(Kvm_bench &b, std::uint64_t last)
{
	b.told("H_PUT_TCE_INDIRECT of 4 from the last entry on", b.put_list(last, round_robin(b, 4)));
	b.moves("the last entry", last, Kvm_bench::near);
	b.misses("one behind it", last + 1, Kvm_bench::near + 1);
	b.answered("H_STUFF_TCE of 16 from the last entry on", b.stuff(last, 16));
}

// Where it looks at the whole range (7.2), nothing is.
static void range_checked(Kvm_bench &b, std::uint64_t last)
{
	b.answered("H_PUT_TCE_INDIRECT of 4 from the last entry on", b.put_list(last, round_robin(b, 4)), h_parameter);
	b.misses("the last entry", last, Kvm_bench::near);
	b.misses("one behind it", last + 1, Kvm_bench::near + 1);
	b.answered("H_PUT_TCE of the last entry", b.put(last, Kvm_bench::near));
	b.answered("H_STUFF_TCE of 16 from the last entry on", b.stuff(last, 16), h_parameter);
	b.moves("the last entry still", last, Kvm_bench::near);
	b.answered("H_STUFF_TCE of it", b.stuff(last, 1));
}

// A range that begins in the window and ends behind it. The window's entries fill half a page of KVM's own list, so
// that it stays within that; what it does to ours we must see to ourselves.
void kvm_past_the_end(Kvm_bench &b)
{
	constexpr std::uint64_t last = 255;
	b.window_size = (last + 1) << 12;
	if (!b.set_up_container(12) || !b.set_up_machine())
		return;
	auto table = b.make_table(Kvm_bench::liobn, b.window_shift);
	if (!table || !b.join(*table))
		return;
	auto over = b.stuff(last, 16);
	b.told("H_STUFF_TCE of 16 from the last entry on, empty", over);
	if (over && *over && **over == h_success)
		first_entry_checked(b, last);
	else
		range_checked(b, last);
	b.misses("the last entry", last, Kvm_bench::near);
	b.dismissed("the near units, no entry left", Kvm_bench::near, Kvm_bench::near_units);
}

// KVM counts such a TCE as a mapping of the memory it names, and nobody ever takes that back.
void kvm_empty_entries(Kvm_bench &b)
{
	if (!b.set_up())
		return;
	std::vector<std::uint64_t> tces(4, b.gpa(4) | tce_none);
	b.answered("H_PUT_TCE", b.put(1, 3));
	b.answered("H_PUT_TCE_INDIRECT of 4 without permission over it", b.put_list(0, tces));
	b.misses("what was there", 1, 3);
	b.misses("what they name", 1, 4);
	b.answered("H_STUFF_TCE", b.stuff(0, 4));
	b.report.note(
		fmt::format("UNREGISTER_MEMORY of it: {}", outcome(b.dismiss(Kvm_bench::near, Kvm_bench::near_units))));
}

} // namespace harness
