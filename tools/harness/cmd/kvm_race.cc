// SPDX-License-Identifier: GPL-2.0-only
// A virtual CPU's hypercalls and the ioctls of another thread on the same few entries, and the window goes and comes.
// Who has an entry when they stop is chance. That no memory is reached once UNREGISTER_MEMORY gave it back is not.
#include <sys/utsname.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "cmd/kvm_bench.hh"
#include "lib/tally.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t entries = 16;
constexpr unsigned rounds = 3;
constexpr auto near = Kvm_bench::near, far = Kvm_bench::far;
using Random = std::mt19937_64;

std::size_t any_unit(Random &random) { return near + random() % (Kvm_bench::near_units + Kvm_bench::far_units); }

// KVM walks its tables without a lock, and frees them by RCU: a kernel that is preempted can lose one under its feet,
// whatever the table's owner does. Elsewhere it cannot, unless something that it calls sleeps.
bool kernel_is_preempted()
{
	utsname name{};
	return ::uname(&name) != 0 || std::strstr(name.version, " PREEMPT ") != nullptr;
}

class Kvm_race
{
public:
	explicit Kvm_race(Kvm_bench &b) : b_{b} {}

	void run()
	{
		Random random{b_.options.seed};
		for (unsigned round = 0; round < rounds; ++round) {
			side_by_side(random);
			kvm_give_back(b_, entries + 4);
		}
		tally_.print();
		for (auto name :
		     {"H_PUT_TCE", "H_PUT_TCE_INDIRECT", "H_STUFF_TCE", "MAP_DMA", "UNMAP_DMA", "SET_SPAPR_TCE"})
			b_.report.check(fmt::format("{} was tried and worked", name), tally_.times(name) > 0,
					fmt::format("{} times", tally_.times(name)));
	}

private:
	void side_by_side(Random &random)
	{
		stop_ = false;
		std::jthread cpu{[this, seed = random()] { issue(seed); }};
		auto end = std::chrono::steady_clock::now() +
			   std::chrono::milliseconds{b_.options.seconds * 1000 / rounds};
		while (!stop_ && std::chrono::steady_clock::now() < end)
			act(random);
		stop_ = true;
	}

	void issue(std::uint64_t seed)
	{
		Random random{seed};
		while (!stop_) {
			while (preempted_ && changing_)
				std::this_thread::yield(); // a mutex alone would hardly ever be had by the other one
			const auto lock = against_closing();
			auto entry = random() % entries;
			switch (random() % 4) {
			case 0: {
				std::uint64_t tces[4];
				for (auto &tce : tces)
					tce = b_.gpa(any_unit(random)) | tce_both;
				kvm_count(tally_, "H_PUT_TCE_INDIRECT", b_.put_list(entry, tces));
				break;
			}
			case 1:
				// of all of the window it takes so long that the table is closed beneath it
				kvm_count(tally_, "H_STUFF_TCE",
					  random() % 16 ? b_.stuff(entry, 1 + random() % 4)
							: b_.stuff(0, b_.window_size >> b_.window_shift));
				break;
			default:
				kvm_count(tally_, "H_PUT_TCE", b_.put(entry, any_unit(random)));
			}
		}
	}

	void act(Random &random)
	{
		switch (random() % 32) {
		case 0:
			random() % 2 ? window_goes_and_comes() : table_goes_and_comes();
			break;
		case 1:
			if (tally_("UNREGISTER_MEMORY", b_.dismiss(far, Kvm_bench::far_units)))
				tally_("REGISTER_MEMORY", b_.enroll(far, Kvm_bench::far_units));
			break;
		case 2 ... 15:
			tally_("UNMAP_DMA", b_.unmap(random() % entries, 1 + random() % 4));
			break;
		default:
			tally_("MAP_DMA", b_.map(random() % entries, any_unit(random)));
		}
	}

	// Hypercalls go on through all of it, and where the kernel is preempted through all but the last step.
	void window_goes_and_comes()
	{
		if (!tally_("TCE_REMOVE", b_.container().tce_remove(b_.window)))
			return;
		auto start = b_.container().tce_create(b_.window_shift, b_.window_size, 1);
		if (!tally_("TCE_CREATE", start))
			return;
		table_goes_and_comes();
	}
	void table_goes_and_comes()
	{
		changing_ = true;
		change_table();
		changing_ = false;
	}
	void change_table()
	{
		const auto lock = against_closing();
		auto shape = b_.table->shape();
		b_.table.reset();
		auto made = Kvm_table::create(*b_.vm, shape);
		if (!tally_("KVM_CREATE_SPAPR_TCE", made))
			return stop_.store(true);
		b_.table.emplace(std::move(*made));
		tally_("SET_SPAPR_TCE", b_.vfio->join(b_.rig->group(), *b_.table));
	}

	Kvm_bench &b_;
	std::atomic<bool> stop_ = false;
	std::unique_lock<std::mutex> against_closing()
	{
		return preempted_ ? std::unique_lock{table_lock_} : std::unique_lock<std::mutex>{};
	}

	const bool preempted_ = kernel_is_preempted();
	std::mutex table_lock_; // where it is preempted, held during each hypercall
	std::atomic<bool> changing_ = false;
	Tally tally_;
};

} // namespace

void kvm_race(Kvm_bench &b)
{
	b.window_size = 16ull << 20; // so that it comes and goes fast
	if (!b.set_up())
		return;
	Kvm_race{b}.run();
	for (std::uint64_t entry = 0; entry < entries; entry += 5)
		b.misses(fmt::format("entry {} after UNMAP_DMA", entry), entry, near);
}

} // namespace harness
