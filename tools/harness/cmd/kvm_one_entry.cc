// SPDX-License-Identifier: GPL-2.0-only
// Several virtual CPUs put, list and stuff one and the same entry, and an ioctl maps and unmaps it. KVM locks nothing
// there, yet what it counts for registered memory must come out right: a count too many and memory stays pinned for
// good, one too few and it is given back while a device reaches it.
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "cmd/kvm_bench.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t the_entry = 1, entries = 3;
constexpr unsigned cpus = 3, rounds = 4;
constexpr auto near = Kvm_bench::near, far = Kvm_bench::far;
using Random = std::mt19937_64;

// Half of the time of the two kinds of memory each: a count that is lost in one is seen when that is given back.
std::size_t any_unit(Random &random)
{
	return random() % 2 ? far + random() % Kvm_bench::far_units : near + random() % Kvm_bench::near_units;
}

class One_entry
{
public:
	explicit One_entry(Kvm_bench &b) : b_{b} {}

	void run()
	{
		for (unsigned i = 1; i < cpus; ++i)
			if (!b_.report.step("one more virtual CPU", b_.vm->add_cpu()))
				return;
		Random random{b_.options.seed};
		for (unsigned round = 0; round < rounds; ++round) {
			side_by_side(random);
			kvm_give_back(b_, entries);
		}
		tally_.print();
		for (auto name : {"H_PUT_TCE", "H_PUT_TCE_INDIRECT", "H_STUFF_TCE", "MAP_DMA", "UNMAP_DMA"})
			b_.report.check(fmt::format("{} was tried and worked", name), tally_.times(name) > 0,
					fmt::format("{} times", tally_.times(name)));
	}

private:
	void side_by_side(Random &random)
	{
		stop_ = false;
		std::vector<std::jthread> threads;
		for (unsigned cpu = 0; cpu < cpus; ++cpu)
			threads.emplace_back([this, cpu, seed = random()] { issue(cpu, seed); });
		auto end = std::chrono::steady_clock::now() +
			   std::chrono::milliseconds{b_.options.seconds * 1000 / rounds};
		while (std::chrono::steady_clock::now() < end)
			act(random);
		stop_ = true;
	}

	void issue(unsigned number, std::uint64_t seed)
	{
		auto &cpu = b_.vm->cpu(number);
		Random random{seed};
		while (!stop_) {
			switch (random() % 4) {
			case 0: {
				// Before it, over it and behind it.
				std::uint64_t tces[entries];
				for (auto &tce : tces)
					tce = b_.gpa(any_unit(random)) | tce_both;
				auto list = b_.write_list(tces, number);
				kvm_count(tally_, "H_PUT_TCE_INDIRECT",
					  put_tce_indirect(cpu, Kvm_bench::liobn, b_.iova(0), list, entries));
				break;
			}
			case 1:
				kvm_count(tally_, "H_STUFF_TCE",
					  stuff_tce(cpu, Kvm_bench::liobn, b_.iova(the_entry), tce_none, 1));
				break;
			default:
				kvm_count(tally_, "H_PUT_TCE",
					  put_tce(cpu, Kvm_bench::liobn, b_.iova(the_entry),
						  b_.gpa(any_unit(random)) | tce_both));
			}
		}
	}

	void act(Random &random)
	{
		switch (random() % 8) {
		case 0:
			if (tally_("UNREGISTER_MEMORY", b_.dismiss(far, Kvm_bench::far_units)))
				tally_("REGISTER_MEMORY", b_.enroll(far, Kvm_bench::far_units));
			break;
		case 1 ... 4:
			tally_("UNMAP_DMA", b_.unmap(the_entry, 1));
			break;
		default:
			tally_("MAP_DMA", b_.map(the_entry, any_unit(random)));
		}
	}

	Kvm_bench &b_;
	std::atomic<bool> stop_ = false;
	Tally tally_;
};

} // namespace

void kvm_one_entry(Kvm_bench &b)
{
	b.window_size = 16ull << 20;
	if (!b.set_up())
		return;
	One_entry{b}.run();
	for (std::uint64_t entry = 0; entry < entries; ++entry)
		b.misses(fmt::format("entry {} after UNMAP_DMA", entry), entry, near);
	b.answered("one CPU alone: H_PUT_TCE", b.put(the_entry, near));
	b.moves("what it put", the_entry, near);
	b.answered("H_STUFF_TCE", b.stuff(0, entries));
	b.misses("it", the_entry, near);
	b.dismissed("the near units, no entry left", near, Kvm_bench::near_units);
	b.dismissed("the far units, no entry left", far, Kvm_bench::far_units);
}

} // namespace harness
