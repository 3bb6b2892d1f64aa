// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/random_ioctls.hh"

#include <fmt/format.h>
#include <linux/vfio.h>

namespace harness
{

void check_busy(Report &report, const Tally &tally, std::initializer_list<const char *> calls)
{
	for (auto call : calls) {
		auto times = tally.times(call);
		report.check(fmt::format("{} succeeded", call), times > 0, fmt::format("{} times", times));
	}
}

std::uint64_t Random_ioctls::usable(std::uint64_t start)
{
	return platform().powernv && start == second_slot ? start + beyond_memory : start;
}

unsigned Random_ioctls::choose(Random &random) const
{
	for (;;) {
		unsigned choice = random() % 16;
		bool ends_windows = choice == 6 || choice == 12; // and DISABLE, below
		if (mix_ == Mix::all || !ends_windows)
			return choice;
	}
}

void Random_ioctls::step(Random &random)
{
	auto &region = regions_[random() % regions_.size()];
	auto page = page_size();
	switch (choose(random)) {
	case 0:
		seldom(random);
		break;
	case 1:
	case 2:
		tally_("REGISTER", container_.register_memory(region.address(), region.size()));
		break;
	case 3:
		tally_("UNREGISTER", container_.unregister_memory(region.address(), region.size()));
		break;
	case 4:
		create(random);
		break;
	case 5:
		tally_("TCE_CREATE default", container_.tce_create(12, 1 << 30, 1));
		break;
	case 6:
		tally_("TCE_REMOVE", container_.tce_remove(random() % 4 ? ddw_start_.load() : 0));
		break;
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
		tally_("MAP_DMA",
		       container_.map(any_iova(random), region.address(), page << random() % 4, Access::both));
		break;
	case 12:
		tally_("UNMAP_DMA all", container_.unmap(any_window(random), used));
		break;
	case 13:
		if (mix_ == Mix::all && random() % 4 == 0)
			tally_("DISABLE", container_.disable());
		else
			tally_("ENABLE", container_.enable());
		break;
	default:
		tally_("UNMAP_DMA", container_.unmap(any_iova(random), page << random() % 4));
		break;
	}
}

// Where the last one was put is where the others look for it.
void Random_ioctls::create(Random &random)
{
	auto size = platform().powernv ? 2 * beyond_memory : used;
	auto start = container_.tce_create(random() % 4 ? page_shift() : 16, size, 1 + random() % 5);
	if (tally_("TCE_CREATE", start))
		ddw_start_ = *start;
}

void Random_ioctls::seldom(Random &random)
{
	switch (random() % 3) {
	case 0:
		tally_("GET_INFO", container_.get_info());
		break;
	case 1:
		tally_("CHECK_EXTENSION", container_.check_extension(type_v2));
		break;
	default:
		tally_("EEH_PE_OP", container_.eeh_op(VFIO_EEH_PE_GET_STATE));
		break;
	}
}

std::uint64_t Random_ioctls::any_iova(Random &random) const { return any_window(random) + random() % 64 * page_size(); }

} // namespace harness
