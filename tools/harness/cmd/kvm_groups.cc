// SPDX-License-Identifier: GPL-2.0-only
// A window that two PEs have: on pSeries KVM joins a table of each, on PowerNV the one that both have. What a hypercall
// puts, both devices reach; when one PE leaves, the other goes on.
#include "cmd/kvm_bench.hh"
#include "lib/neighbour.hh"
#include "lib/platform.hh"

namespace harness
{

namespace
{

constexpr auto near = Kvm_bench::near;

class Two_groups
{
public:
	explicit Two_groups(Kvm_bench &b) : b_{b} {}

	bool set_up()
	{
		if (!b_.set_up_container() || !second_comes() || !b_.set_up_machine())
			return false;
		auto made = b_.make_table(Kvm_bench::liobn, b_.window_shift);
		if (!made)
			return false;
		b_.table.emplace(std::move(*made));
		return b_.join(*b_.table);
	}

	bool second_comes()
	{
		auto function = other_pe(b_.function);
		if (!b_.report.step("a second PE with an edu device", function))
			return false;
		auto joined = Neighbour::join(b_.container(), *function);
		if (!b_.report.step("into the same container", joined))
			return false;
		second_.emplace(std::move(*joined));
		return true;
	}
	bool join_second() const
	{
		return b_.report.step("KVM_DEV_VFIO_GROUP_ADD of the second PE", b_.vfio->add(second_->group())) &&
		       b_.report.step("SET_SPAPR_TCE of the second PE", b_.vfio->join(second_->group(), *b_.table));
	}
	void second_out_of_kvm() const
	{
		b_.report.step("KVM_DEV_VFIO_GROUP_DEL of the second PE", b_.vfio->remove(second_->group()));
	}
	void second_leaves()
	{
		b_.report.step("the second PE leaves the container", second_->leave());
		second_.reset();
	}
	void first_leaves() const
	{
		b_.report.step("KVM_DEV_VFIO_GROUP_DEL of the first PE", b_.vfio->remove(b_.rig->group()));
		b_.probe.reset();
		b_.rig->close_device();
		b_.report.step("the first PE leaves the container", b_.rig->group().unset_container());
	}

	void second(std::string_view what, std::uint64_t entry, std::size_t unit, Reach wanted) const
	{
		Probe probe{second_->edu(), b_.bytes(Kvm_bench::scratch_unit, 0, 4096), b_.info.dma32_window_start,
			    b_.memory->bytes()};
		auto reach = probe.write(b_.iova(entry) + 100, {b_.bytes(unit, 100)});
		b_.report.check(fmt::format("second device: {}", what), reach == wanted,
				reach ? name_of(*reach) : reach.error().name());
	}
	void both_move(std::string_view what, std::uint64_t entry, std::size_t unit) const
	{
		b_.moves(what, entry, unit);
		second(what, entry, unit, Reach::arrived);
	}
	void both_miss(std::string_view what, std::uint64_t entry, std::size_t unit) const
	{
		b_.misses(what, entry, unit);
		second(what, entry, unit, Reach::nothing);
	}

private:
	Kvm_bench &b_;
	std::optional<Neighbour> second_;
};

void hypercalls_reach_both(Kvm_bench &b, const Two_groups &two)
{
	b.answered("H_PUT_TCE", b.put(1, near));
	two.both_move("what H_PUT_TCE put", 1, near);
	std::uint64_t tces[] = {b.gpa(near + 1) | tce_both, b.gpa(near + 2) | tce_both};
	b.answered("H_PUT_TCE_INDIRECT of 2", b.put_list(2, tces));
	two.both_move("the second of the list", 3, near + 2);
	b.report.step("MAP_DMA over the first", b.map(2, near + 3));
	two.both_move("what MAP_DMA put", 2, near + 3);
	b.answered("H_PUT_TCE over that", b.put(2, near + 4));
	two.both_move("what H_PUT_TCE put", 2, near + 4);
	b.dismissed("the near units, entries left", near, Kvm_bench::near_units, Errno{EBUSY});
	b.report.step("UNMAP_DMA of that", b.unmap(2, 1));
	two.both_miss("it", 2, near + 4);
	b.answered("H_STUFF_TCE of all", b.stuff(0, 16));
	two.both_miss("what H_PUT_TCE put first", 1, near);
	b.dismissed("the near units, no entry left", near, Kvm_bench::near_units);
	b.report.step("REGISTER_MEMORY again", b.enroll(near, Kvm_bench::near_units));
}

void first_goes_on(Kvm_bench &b)
{
	b.moves("an entry from before", 5, near);
	b.answered("H_PUT_TCE", b.put(6, near + 1));
	b.moves("a new one", 6, near + 1);
	b.answered("H_STUFF_TCE of it", b.stuff(6, 1));
	b.misses("it", 6, near + 1);
}

void second_goes_on(Kvm_bench &b, const Two_groups &two)
{
	b.answered("H_PUT_TCE", b.put(7, near + 2));
	two.second("a new entry", 7, near + 2, Reach::arrived);
	b.dismissed("the near units, entries left", near, Kvm_bench::near_units, Errno{EBUSY});
	b.answered("H_STUFF_TCE of all", b.stuff(0, 16));
	two.second("it", 7, near + 2, Reach::nothing);
	two.second("what came before the first PE left", 5, near, Reach::nothing);
	b.dismissed("the near units, no entry left", near, Kvm_bench::near_units);
}

} // namespace

// A table that both PEs have KVM must be given once: it loses a reference at each further joining.
void kvm_two_groups(Kvm_bench &b)
{
	const bool a_table_each = !platform().powernv;
	Two_groups two{b};
	if (!two.set_up() || (a_table_each && !two.join_second()))
		return;
	hypercalls_reach_both(b, two);

	b.answered("H_PUT_TCE", b.put(5, near));
	two.both_move("an entry", 5, near);
	if (a_table_each)
		two.second_out_of_kvm();
	two.second_leaves();
	first_goes_on(b);

	if (!two.second_comes())
		return;
	two.second(a_table_each ? "KVM's entry is in the other's table" : "KVM's entry is in the table of both", 5,
		   near, a_table_each ? Reach::nothing : Reach::arrived);
	if (a_table_each && !two.join_second())
		return;
	b.answered("H_PUT_TCE again", b.put(5, near));
	two.both_move("the entry", 5, near);

	two.first_leaves();
	if (!a_table_each && !two.join_second())
		return;
	second_goes_on(b, two);
}

// As QEMU does it: on PowerNV KVM keeps the table (see kvm_join_twice()).
void kvm_two_groups_joined(Kvm_bench &b)
{
	Two_groups two{b};
	if (!two.set_up() || !two.join_second())
		return;
	hypercalls_reach_both(b, two);
	b.answered("H_PUT_TCE", b.put(5, near));
	two.both_move("an entry", 5, near);
	two.second_out_of_kvm();
	two.second_leaves();
	first_goes_on(b);
}

} // namespace harness
