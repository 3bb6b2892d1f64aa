// SPDX-License-Identifier: GPL-2.0-only
// The fake firmware's ibm,query/create/remove-pe-dma-window and ibm,reset-pe-dma-windows, and what the host is told of
// windows.
#include <bit>
#include <utility>

#include "fake_firmware.hh"

namespace tcewin::test
{

// What an RTAS call answers before it does anything, 0 if it is to be done.
int FakeFirmware::enter(FakePe *pe, Point p)
{
	const int call = static_cast<int>(p);
	if (pe->borrowed() || pe->personality.in_memory()) {
		complaints_.add("an RTAS call on a PE without DDW", static_cast<u64>(call));
		return rtas_parameter;
	}
	if (pe->call && pe->call != call)
		complaints_.add("an RTAS call while another one is busy", static_cast<u64>(call),
				static_cast<u64>(pe->call));
	if (pe->call != call) {
		pe->call = call;
		pe->busy_left = pe->personality.busy;
	}
	static constexpr int busy[] = {rtas_busy, 9900, 9901, 9902, 9903, 9904, 9905};
	if (pe->busy_left) {
		waits_owed++;
		return busy[--pe->busy_left % 7];
	}
	pe->call = 0;
	const Injection *fault = injector_.fires(p);
	const Injection *any = injector_.fires(Point::any_rtas);
	fault = fault ? fault : any;
	return fault ? static_cast<int>(fault->status) : rtas_success;
}

int FakeFirmware::wait(int status)
{
	const bool busy = status == rtas_busy || (status >= 9900 && status <= 9905);
	if (busy && waits_owed)
		waits_owed--;
	return busy;
}

int FakeFirmware::query(FakePe *pe, tcewin_ddw_query *query)
{
	if (const int status = enter(pe, Point::query))
		return status;
	query->windows_available = static_cast<u32>(pe->info.max_windows - pe->tables.size());
	query->largest_block = pe->personality.largest_block;
	query->page_sizes = pe->personality.page_sizes;
	return rtas_success;
}

FakeTable *FakeFirmware::make(FakePe *pe, u32 liobn, Words &store, u32 page_shift, u64 start, u64 entries)
{
	auto *t = static_cast<FakeTable *>(tcewin_run_alloc(sizeof(FakeTable)));
	*t = {.serial = ++serials_,
	      .pe = pe,
	      .liobn = liobn,
	      .page_shift = page_shift,
	      .start = start,
	      .entries = entries,
	      .is_default = liobn == pe->info.default_liobn && !pe->personality.in_memory(),
	      .words = &store};
	pe->tables.push(t);
	return t;
}

int FakeFirmware::create(FakePe *pe, u32 page_shift, u32 window_shift, tcewin_ddw_window *window)
{
	if (const int status = enter(pe, Point::create))
		return status;
	const Personality &p = pe->personality;
	if (page_shift > 63 || !(p.page_sizes >> page_shift & 1) || window_shift < page_shift || window_shift > 63 ||
	    u64{1} << (window_shift - page_shift) > p.largest_block) {
		complaints_.add("ibm,create-pe-dma-window of what ibm,query-pe-dma-window excludes", page_shift,
				window_shift);
		return rtas_parameter;
	}
	if (pe->tables.size() >= pe->info.max_windows)
		return rtas_hardware;
	if (window_shift - page_shift > 31)
		complaints_.add("ibm,create-pe-dma-window of more TCEs than QEMU counts", page_shift, window_shift);
	if (const u32 liobn = std::exchange(pe->override_liobn, 0); liobn && of_pe(pe, liobn)) {
		*window = {liobn, p.ddw_start};
		return rtas_success;
	}
	const u32 number = of_pe(pe, pe->liobn_base + 1) ? 2 : 1;
	u64 start = p.ddw_start + (number - 1) * p.ddw_stride;
	if (p.first_at_default_start && pe->tables.empty())
		start = p.default_start;
	if (pe->override_start)
		start = pe->override_start;
	pe->override_start = 0;
	Words &store = pe->stores[pe->info.max_windows == 1 ? 0 : number];
	const FakeTable *t =
		make(pe, pe->liobn_base + number, store, page_shift, start, u64{1} << (window_shift - page_shift));
	*window = {t->liobn, t->start};
	return rtas_success;
}

// The words that stay are nobody's from now on.
void FakeFirmware::destroy(FakePe *pe, u64 at)
{
	FakeTable *t = pe->tables[at];
	if (!pe->personality.keeps_tces)
		t->words->clear();
	t->words->each([&](u64 index, u64 word) { t->words->set(index, word | residue_mark); });
	pe->tables.erase(at);
	tcewin_run_free(t);
}

// "Parameter error" of this call means that there is no such window: then there is none, unless firmware is wrong.
int FakeFirmware::remove(FakePe *pe, u32 liobn)
{
	const int status = enter(pe, Point::remove);
	if (status && (status != rtas_parameter || pe->denies)) {
		FakeTable *kept = pe->call ? nullptr : of_pe(pe, liobn);
		if (kept) {
			kept->not_removed = true;
			default_window_faults += kept->is_default;
		}
		return status;
	}
	for (u64 i = 0; i < pe->tables.size(); i++)
		if (pe->tables[i]->liobn == liobn) {
			destroy(pe, i);
			return status;
		}
	complaints_.add("ibm,remove-pe-dma-window of a LIOBN that is not there", liobn);
	return rtas_parameter;
}

int FakeFirmware::reset(FakePe *pe)
{
	if (const int status = enter(pe, Point::reset)) {
		default_window_faults += !pe->call;
		return status;
	}
	while (!pe->tables.empty())
		destroy(pe, 0);
	make(pe, pe->info.default_liobn, pe->stores[0], 12, pe->info.default_start, pe->info.default_size >> 12);
	return rtas_success;
}

// Firmware makes a window before it has a name; a place of a PHB is filled after it was decided which one it is.
bool FakeFirmware::may_be_added(const FakePe *pe, const tcewin_window_info &w) const
{
	if (pe->personality.in_memory())
		return w.liobn < 2 && w.start == (w.liobn ? pe->info.second_start : pe->info.default_start) &&
		       pe->info.page_sizes >> w.page_shift & 1 && w.size;
	const FakeTable *t = of_pe(pe, w.liobn);
	return t && t->start == w.start && t->page_shift == w.page_shift && t->is_default == (w.is_default != 0) &&
	       w.size <= t->size();
}

int FakeFirmware::window_added(FakePe *pe, const tcewin_window_info *window)
{
	FakeTable *t = of_pe(pe, window->liobn);
	if (!may_be_added(pe, *window))
		complaints_.add("tcewin_host_window_added() of what firmware does not have", window->start,
				window->size);
	for (const tcewin_window_info &w : pe->announced)
		if (w.liobn == window->liobn)
			complaints_.add("tcewin_host_window_added() of a window it knows", window->start, window->size);
	const bool refused = injector_.fires(Point::announce);
	if (t)
		t->not_announced = refused;
	if (refused) {
		default_window_faults += !pe->personality.in_memory() && window->is_default;
		return TCEWIN_NO_MEMORY;
	}
	pe->announced.push(*window);
	return TCEWIN_OK;
}

void FakeFirmware::window_removed(FakePe *pe, const tcewin_window_info *window)
{
	for (u64 i = 0; i < pe->announced.size(); i++) {
		const tcewin_window_info &w = pe->announced[i];
		if (w.liobn == window->liobn && w.start == window->start && w.size == window->size &&
		    w.page_shift == window->page_shift && w.is_default == window->is_default) {
			pe->announced.erase(i);
			return;
		}
	}
	complaints_.add("tcewin_host_window_removed() of what was not added", window->start, window->size);
}

} // namespace tcewin::test
