// SPDX-License-Identifier: GPL-2.0-only
// Entries of a window that somebody else changes, one at a time, beside the container's ioctls: KVM. What an entry maps
// is either in the ledger or in the foreign entries of one table, and who takes it from the other leaves nothing
// behind.
#include "window.hh"

namespace tcewin
{

// What was there of the same writer comes back; what was an ioctl's ends, in every table.
Result<Tce> Window::exchange(WindowTable &table, TceIndex i, Tce word)
{
	const TceRange one{i, TceCount{1}};
	const Exclusive hold{lock_};
	if (i.raw() >= geometry().entries().raw())
		return fail(TCEWIN_OUT_OF_WINDOW);
	if (stuck_)
		return fail(TCEWIN_STUCK);
	const Run *run = ledger_.at_or_after(i);
	const bool ours = run && run->range.first <= i;
	const Tce old = table.foreign.get(i);
	if (!ours && old == Tce{} && word == Tce{})
		return Tce{};
	auto page = TRY(make<BatchPage>());
	auto spare = TRY(spare_for(one));
	TRY(table.foreign.reserve(i));
	const bool valid = word.access() != Access::none;
	if (valid)
		TRY(reserve(one));
	const Settled settled = TRY(put_foreign(table, one, word, *page));
	if (ours)
		ledger_.erase(one, std::move(spare), settled);
	table.foreign.set(i, valid ? word : Tce{});
	return old.access() == Access::none && old != Tce{} ? Tce{old.real(), Access::both} : old;
}

} // namespace tcewin
