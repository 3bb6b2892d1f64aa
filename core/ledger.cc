// SPDX-License-Identifier: GPL-2.0-only
#include "ledger.hh"

namespace tcewin
{

Result<Owned<Run>> Run::create(void *mm) { return make<Run>(TRY(Charge::for_one<Run>(mm))); }

Result<Owned<Run>> Run::create_anyway(void *mm)
{
	return make<Run>(Charge::take_anyway(mm, std::bit_ceil(sizeof(Run))));
}

// What is still here is what a stuck window may still translate: its regions keep their counts and stay pinned.
Ledger::~Ledger()
{
	while (Run *r = runs_.first()) {
		runs_.erase(r);
		Owned<Run>{r}.reset();
	}
}

void Ledger::erase_from(Run *r, Settled proof, Owned<Run> spare)
{
	const TceRange range = proof.range();
	Pauses pauses;
	for (Run *following; r && r->range.first < range.end(); r = following, pauses.step()) {
		following = next(r);
		const TceRange part = r->range.meet(range);
		drop(*r, part);
		if (part.end() < r->range.end()) {
			// The rest behind the range becomes a run of its own; at most one run of a range has one.
			Run *rest = part.first == r->range.first ? r : spare.release();
			const UserVa address = r->address_of(part.end(), page_);
			const TceRange kept{part.end(), r->range.end() - part.end()};
			if (rest == r) {
				runs_.erase(r);
			} else {
				rest->region = r->region;
				rest->access = r->access;
				r->range.count = part.first - r->range.first;
			}
			rest->range = kept;
			rest->address = address;
			runs_.insert(rest);
		} else if (part.first > r->range.first) {
			r->range.count = part.first - r->range.first;
		} else {
			runs_.erase(r);
			kept_.keep(Owned<Run>{r});
		}
	}
}

} // namespace tcewin
