// SPDX-License-Identifier: GPL-2.0-only
// The fake firmware's TCE hypercalls (LoPAR 14.5.4.2).
#include "fake_firmware.hh"

namespace tcewin::test
{

// The table that a call on [ioba, ioba + count entries) is about, or nullptr: it is refused, and the engine should not
// have made it.
FakeTable *FakeFirmware::check_call(u32 liobn, u64 ioba, u64 count)
{
	if (++calls_without_yield > most_without_yield)
		most_without_yield = calls_without_yield;
	FakeTable *t = find(liobn);
	if (!t) {
		complaints_.add("a hypercall on a LIOBN that is not there", liobn, ioba);
		return nullptr;
	}
	if (ioba & ((u64{1} << t->page_shift) - 1))
		complaints_.add("a hypercall on an ioba that is not aligned", ioba, t->page_shift);
	else if (!count || count > 512)
		complaints_.add("a hypercall on too many entries", ioba, count);
	else if (!t->holds(ioba) || count > t->entries - ((ioba - t->start) >> t->page_shift))
		complaints_.add("a hypercall past the window's end", ioba, count);
	else
		return t;
	return nullptr;
}

// Invalid is 0; a valid word is an aligned, pinned page and its permissions. IODA2 knows no device that only writes.
void FakeFirmware::check_word(const FakeTable &t, u64 index, u64 word)
{
	const u64 size = u64{1} << t.page_shift, real = word & ~u64{0xfff}, ioba = t.start + (index << t.page_shift);
	const bool odd = t.in_memory && (word & 3) == TCEWIN_WRITE;
	if (word && index >= t.entries)
		complaints_.add("an entry past the window's end", word, ioba);
	if (!word)
		return;
	if (word & 0xffc || !(word & 3) || odd || real & (size - 1))
		complaints_.add("a word that is no TCE", word, ioba);
	else if (!memory_.pinned(real, size))
		complaints_.add("a TCE to memory that is not pinned", word, ioba);
	else if (word & TCEWIN_WRITE)
		memory_.made_writable(real, size);
}

void FakeFirmware::store(FakeTable &t, u64 index, u64 word)
{
	const u64 before = t.words->get(index);
	tces_written++;
	check_word(t, index, word);
	if (before != word && before & TCEWIN_WRITE && !is_residue(before))
		memory_.was_writable(before & ~u64{0xfff}, u64{1} << t.page_shift);
	if (before != word)
		history.push({t.serial, index, before, word});
	t.words->set(index, word);
}

// Stores what the call stores before it ends or is made to fail.
long FakeFirmware::done(Point p, FakeTable *t, u64 ioba, const u64 *tces, bool same, u64 count)
{
	const Injection *fault = injector_.fires(p);
	const Injection *any = injector_.fires(Point::any_hcall);
	fault = fault ? fault : any;
	if (!t)
		return h_parameter;
	default_window_faults += fault && t->is_default && !announced(t->pe, t);
	const u64 first = (ioba - t->start) >> t->page_shift;
	const u64 n = !fault ? count : fault->partial < count ? fault->partial : count;
	if (same && !*tces && t->words->none_in(first, n ? n : 1))
		tces_written += n;
	else
		for (u64 i = 0; i < n; i++)
			store(*t, first + i, same ? *tces : __builtin_bswap64(tces[i]));
	return fault ? fault->status : h_success;
}

long FakeFirmware::put(u32 liobn, u64 ioba, u64 tce)
{
	return done(Point::put, check_call(liobn, ioba, 1), ioba, &tce, true, 1);
}

long FakeFirmware::put_indirect(u32 liobn, u64 ioba, const u64 *tces, u64 count)
{
	return done(Point::put_indirect, check_call(liobn, ioba, count), ioba, tces, false, count);
}

long FakeFirmware::stuff(u32 liobn, u64 ioba, u64 tce, u64 count)
{
	return done(Point::stuff, check_call(liobn, ioba, count), ioba, &tce, true, count);
}

} // namespace tcewin::test
