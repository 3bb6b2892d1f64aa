// SPDX-License-Identifier: GPL-2.0-only
// MAP and UNMAP of one entry, as a replay of a guest's table makes them by the thousand: what window.cc does, without
// what one entry of one table has no use for (runs of several regions, batches, tables that have to agree). Where the
// entry is not that simple these say so, having changed nothing, and the general way is taken.
#include "window.hh"

namespace tcewin
{

// No other table has to agree, and no entry is KVM's.
bool Window::plain() const { return books_ == Books::exact && tables_.size() == 1 && tables_[0]->plain(); }

// Entry @i of the one table becomes @word.
inline Result<Settled> Window::put_one(TceIndex i, Tce word)
{
	return tables_[0]->backend.visit([&](auto &backend) __attribute__((always_inline)) -> Result<Settled> {
		const TceRange one{i, TceCount{1}};
		TRY(backend.set(i, word));
		backend.invalidate(one);
		return Settled{one};
	});
}

// put_one() failed with @why.
Error Window::undo_one(TceIndex i, Error why)
{
	Tce word;
	const TceRange one{i, TceCount{1}};
	return undo(one, 0, one.end(), {&word, 1}, Holes::clear, why).error();
}

Result<bool> Window::map_one(const RegionSet &regions, TceIndex i, UserVa address, Access access)
{
	const PageShift page = geometry().page_shift;
	Region *region = regions.find(address);
	if (!region || region->end() - address < page.size() || !region->whole(page))
		return false;
	auto run = TRY(kept_.take(payer()));
	run->range = {i, TceCount{1}};
	run->address = address;
	run->region = region;
	run->access = access;

	const Alone hold{*this};
	Run *before = ledger_.before_or_at(i);
	if (!plain() || (before && before->range.end() > i)) {
		kept_.keep(std::move(run));
		return false;
	}
	if (auto r = put_one(i, region->tce_at(address, page, access)); !r) [[unlikely]]
		return fail(give_up_one(std::move(run), r.error()));
	ledger_.insert_behind(before, std::move(run));
	return true;
}

Error Window::give_up_one(Owned<Run> run, Error why)
{
	const TceIndex i = run->range.first;
	RunList list;
	list.append(std::move(run));
	return give_up(list, undo_one(i, why));
}

Result<bool> Window::unmap_one(TceIndex i)
{
	const TceRange one{i, TceCount{1}};
	const Alone hold{*this};
	if (!plain())
		return false;
	Run *run = ledger_.at(i);
	if (!run)
		return true;
	if (run->cut_by(one))
		return false;
	auto settled = put_one(i, Tce{});
	if (!settled) [[unlikely]]
		return fail(undo_one(i, settled.error()));
	ledger_.erase_one(run, std::move(*settled));
	return true;
}

} // namespace tcewin
