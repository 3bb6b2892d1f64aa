// SPDX-License-Identifier: GPL-2.0-only
// Entries of a window that somebody else changes, one at a time, beside the container's ioctls: KVM. What an entry maps
// is either in the ledger or in the foreign entries of one table, and who takes it from the other leaves nothing
// behind.
#include "window.hh"

namespace tcewin
{

Result<> Window::check_foreign(TceIndex i) const
{
	if (i.raw() >= geometry().entries().raw())
		return fail(TCEWIN_OUT_OF_WINDOW);
	return stuck_ ? fail(TCEWIN_STUCK) : Result<>{};
}

// All that an exchange of the entry can want for, for whoever comes next.
Result<> Window::reserve_foreign(WindowTable &table, TceIndex i)
{
	const TceRange one{i, TceCount{1}};
	const Exclusive hold{lock_};
	TRY(check_foreign(i));
	TRY(table.foreign.reserve(i));
	if (!table.spare)
		table.spare = TRY(kept_.take(payer()));
	TRY(reserve(one));
	show(one);
	return {};
}

// What was there of the same writer comes back; what was an ioctl's ends, in every table.
Result<Tce> Window::exchange(WindowTable &table, TceIndex i, Tce word)
{
	const TceRange one{i, TceCount{1}};
	const Exclusive hold{lock_};
	TRY(check_foreign(i));
	const Run *run = ledger_.at_or_after(i);
	const bool ours = run && run->range.first <= i;
	const Tce old = table.foreign.get(i);
	if (!ours && old == Tce{} && word == Tce{})
		return Tce{};
	auto batch = TRY(Batch::for_entries(one.count));
	Owned<Run> spare = std::move(table.spare);
	if (!spare)
		spare = TRY(spare_for(one));
	TRY(table.foreign.reserve(i));
	const bool valid = word.access() != Access::none;
	if (valid)
		TRY(reserve(one));
	const auto settled = put_foreign(table, one, word, batch.words());
	if (!settled) {
		table.dirty(word);
		return fail(settled.error());
	}
	if (ours)
		ledger_.erase(one, std::move(spare), *settled);
	table.foreign.set(i, word);
	return old.access() == Access::none && old != Tce{} ? Tce{old.real(), Access::both} : old;
}

// Whether somebody else has put an entry that leads into @region. What he counts for it does not prove the contrary:
// two that put the same entry may both uncount what was there before.
bool Window::foreign_maps(const RegionSet &regions, const Region &region)
{
	const Exclusive hold{lock_};
	for (const auto &table : tables_) {
		const TceRange all = geometry().all();
		for (TceRange part = table->foreign.next_valid(all); !part.empty();
		     part = table->foreign.next_valid({part.end(), all.end() - part.end()}))
			for (TceIndex i = part.first; i < part.end(); i = i + TceCount{1})
				if (leads_into(*table, i, regions, region))
					return true;
	}
	return false;
}

bool Window::leads_into(const WindowTable &table, TceIndex i, const RegionSet &regions, const Region &region) const
{
	const HostPhys real = table.foreign.get(i).real();
	const UserVa address{tcewin_host_table_address(table.host.get(), i.raw())};
	const Region *named = regions.find(address);
	if (named && named->real_at(address) == real)
		return named == &region;
	return region.holds(real);
}

} // namespace tcewin
