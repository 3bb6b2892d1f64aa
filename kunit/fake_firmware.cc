// SPDX-License-Identifier: GPL-2.0-only
#include "fake_firmware.hh"

#include <new>

#include "fake_ioda.hh"

namespace tcewin::test
{

FakeFirmware::~FakeFirmware()
{
	for (FakePe *pe : pes_) {
		for (FakeTable *t : pe->tables)
			tcewin_run_free(t);
		pe->~FakePe();
		tcewin_run_free(pe);
	}
}

FakePe *FakeFirmware::new_pe(const Personality &p)
{
	auto *pe = ::new (tcewin_run_alloc(sizeof(FakePe))) FakePe;
	pe->personality = p;
	pe->liobn_base = static_cast<u32>(0x80000000 + (pes_.size() << 8));
	pe->info = {.default_start = p.default_start,
		    .default_size = p.default_size,
		    .second_start = p.in_memory() ? p.ddw_start : 0,
		    .default_liobn = p.in_memory() ? 0 : pe->liobn_base,
		    .max_windows = p.max_windows,
		    .max_levels = p.in_memory() ? 5U : 1U,
		    .page_sizes = p.page_sizes,
		    .put_indirect = p.batches,
		    .stuff = p.batches};
	if (p.keeps_tces)
		leave_residue(*pe);
	pes_.push(pe);
	if (pe->borrowed())
		give_to_kernel(pe);
	return pe;
}

// What the kernel's own mappings left: valid words here and there, at the ends of batches and of the default window.
void FakeFirmware::leave_residue(FakePe &pe)
{
	const u64 last = (pe.info.default_size >> 12) - 1;
	for (u64 i : {u64{0}, u64{1}, u64{511}, u64{512}, u64{777}, last / 2, last - 1, last})
		pe.stores[0].set(i, (0x40000000 + (i << 12)) | residue_mark | TCEWIN_READ | TCEWIN_WRITE);
}

FakeTable *FakeFirmware::find(u32 liobn) const
{
	for (FakePe *pe : pes_)
		if (FakeTable *t = of_pe(pe, liobn); t && !pe->personality.in_memory())
			return t;
	return nullptr;
}

FakeTable *FakeFirmware::of_pe(const FakePe *pe, u32 liobn) const
{
	for (FakeTable *t : pe->tables)
		if (t->liobn == liobn)
			return t;
	return nullptr;
}

std::optional<u64> FakeFirmware::device_access(const FakePe *pe, u64 ioba, bool write) const
{
	for (const FakeTable *t : pe->tables) {
		if (!t->holds(ioba))
			continue;
		const u64 word = t->words->get((ioba - t->start) >> t->page_shift);
		if (!(word & (write ? TCEWIN_WRITE : TCEWIN_READ)))
			return std::nullopt;
		return (word & ~u64{0xfff}) + (ioba & ((u64{1} << t->page_shift) - 1));
	}
	return std::nullopt;
}

bool FakeFirmware::announced(const FakePe *pe, const FakeTable *t)
{
	for (const tcewin_window_info &w : pe->announced)
		if (w.liobn == t->liobn)
			return true;
	return false;
}

// The kernel could not be told of it, and it is there for good or was not let go.
bool FakeFirmware::may_be_unknown(const FakePe *pe, const FakeTable *t) const
{
	return (t->not_announced && t->not_removed) || (pe->borrowed() && injector_.any_hit());
}

bool FakeFirmware::idle(const FakePe *pe) const
{
	if (pe->personality.in_memory())
		return !pe->kernels && pe->tables.empty() && pe->announced.empty();
	if (pe->kernels || pe->tables.size() != 1 || pe->announced.size() != 1)
		return false;
	const FakeTable *t = pe->tables[0];
	const tcewin_window_info &w = pe->announced[0];
	return t->is_default && t->words->empty() && w.liobn == t->liobn && w.size == t->size();
}

// Of a table in memory the device may see each word as it is, or as it was at the last invalidation.
void FakeFirmware::check_reach(const char *rule)
{
	for (FakePe *pe : pes_)
		for (FakeTable *t : pe->tables) {
			const auto check = [&](u64 index, u64 word) {
				if (!(word & residue_mark) &&
				    !memory_.pinned(word & ~u64{0xfff}, u64{1} << t->page_shift))
					complaints_.add(rule, t->start + (index << t->page_shift), word);
			};
			t->words->each(check);
			if (t->in_memory)
				t->in_memory->phb.each(check);
		}
}

void FakeFirmware::give_to_kernel(FakePe *pe)
{
	while (!pe->tables.empty())
		destroy(pe, 0);
	make(pe, pe->info.default_liobn, pe->stores[0], 12, pe->info.default_start, pe->info.default_size >> 12);
	leave_residue(*pe);
	pe->kernels = true;
}

// As Linux 6.12 does it: the window stays alive in firmware, where there is one.
int FakeFirmware::platform_take(FakePe *pe, tcewin_pe_info *info)
{
	if (!pe->kernels)
		complaints_.add("takes from the kernel what it does not have", pe->liobn_base);
	const Injection *what = injector_.fires(Point::platform_take);
	if (what && what->status != no_memory)
		return TCEWIN_FIRMWARE_ERROR;
	pe->kernels = false;
	while (pe->personality.in_memory() && !pe->tables.empty())
		destroy(pe, 0);
	if (what)
		return TCEWIN_STUCK;
	*info = pe->info;
	return TCEWIN_OK;
}

int FakeFirmware::platform_release(FakePe *pe)
{
	for (FakeTable *t : pe->tables)
		t->words->each([&](u64 index, u64 word) {
			if (!is_residue(word))
				complaints_.add("gives the kernel a PE with a translation",
						t->start + (index << t->page_shift), word);
		});
	if (pe->personality.in_memory() && !pe->tables.empty())
		complaints_.add("gives the kernel a PE whose places are not empty", pe->tables[0]->start);
	if (!pe->announced.empty())
		complaints_.add("gives the kernel a PE whose windows are announced", pe->announced[0].start);
	if (const Injection *what = injector_.fires(Point::platform_release))
		return what->status == no_memory ? TCEWIN_NO_MEMORY : TCEWIN_FIRMWARE_ERROR;
	give_to_kernel(pe);
	return TCEWIN_OK;
}

int FakeFirmware::set_object(FakePe *pe, u32 liobn, tcewin_host_table *table)
{
	FakeTable *t = of_pe(pe, liobn);
	if (table &&
	    (!t || table->info.liobn != liobn || table->info.start != t->start || table->info.size > t->size()))
		complaints_.add("a table that is not the window's", liobn, table->info.start);
	if (t)
		t->object = table;
	return TCEWIN_OK;
}

void FakeFirmware::settled()
{
	if (waits_owed)
		complaints_.add("did not wait while RTAS was busy", waits_owed);
	for (FakePe *pe : pes_) {
		if (pe->kernels || (!pe->tables.empty() && pe->tables[0]->left_behind))
			continue;
		for (FakeTable *t : pe->tables)
			t->words->each([&](u64 index, u64 word) {
				// what lies behind the end of a smaller window is in nobody's reach
				if (word & residue_mark && index < t->entries && !pe->given_up)
					complaints_.add("an old TCE is reachable", t->start + (index << t->page_shift),
							word);
			});
		for (const FakeTable *t : pe->tables)
			if (!announced(pe, t) && !may_be_unknown(pe, t))
				complaints_.add("the kernel does not know of a window", t->start, t->size());
		for (const tcewin_window_info &w : pe->announced)
			if (const FakeTable *t = of_pe(pe, w.liobn);
			    !t || t->start != w.start || (t->in_memory && t->size() != w.size))
				complaints_.add("the kernel knows of a window that is not there", w.start, w.size);
	}
}

void FakeFirmware::finish()
{
	for (FakePe *pe : pes_) {
		if (pe->kernels)
			continue;
		for (FakeTable *t : pe->tables)
			if (!pe->borrowed() || !t->words->empty())
				complaints_.add("a window is left at the end", t->start, t->liobn);
		if (!pe->announced.empty())
			complaints_.add("the kernel still knows of windows at the end", pe->announced[0].start);
	}
}

} // namespace tcewin::test
