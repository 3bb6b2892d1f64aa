// SPDX-License-Identifier: GPL-2.0-only
#include "fake_kvm.hh"

#include "fake_host.hh"

namespace tcewin::test
{

// ---- what the engine calls ----

void FakeKvm::open(tcewin_host_table *table, tcewin_table *engine)
{
	if (!locks_.holds(TCEWIN_LOCK_WINDOW))
		complaints_.add("opens a table outside of the window's lock", table->info.start);
	table->kvm.engine = engine;
}

void FakeKvm::close(tcewin_host_table *table)
{
	if (!locks_.holds(TCEWIN_LOCK_WINDOW))
		complaints_.add("closes a table outside of the window's lock", table->info.start);
	table->kvm.engine = nullptr;
}

// What a stored address counts for goes, if its memory is still known.
bool FakeKvm::uncount(tcewin_host_table *table, u64 entry)
{
	const u64 *stored = table->kvm.addresses.find(entry);
	if (!stored)
		return false;
	uncount_at(table, *stored);
	table->kvm.addresses.erase(entry);
	return true;
}

void FakeKvm::uncount_at(tcewin_host_table *table, u64 address)
{
	FakePin *pin = FakeMemory::pin_at(table->kvm.mm, address);
	if (!pin || !pin->mapped) {
		complaints_.add("settles what nobody has counted", address);
		return;
	}
	pin->mapped--;
	counts_--;
}

int FakeKvm::settle(tcewin_host_table *table, u64 entry)
{
	if (!locks_.holds(TCEWIN_LOCK_WINDOW))
		complaints_.add("settles outside of the window's lock", entry);
	if (injector_.fires(Point::settle))
		return TCEWIN_STILL_MAPPED;
	return uncount(table, entry) ? TCEWIN_OK : TCEWIN_STILL_MAPPED;
}

void FakeKvm::settle_rest(tcewin_host_table *table)
{
	if (table->kvm.engine)
		complaints_.add("settles all of a table that others may change", table->info.start);
	Vector<u64> entries;
	table->kvm.addresses.each([&](u64 entry, u64) { entries.push(entry); });
	for (const u64 entry : entries)
		(void)uncount(table, entry);
	if (table->kvm.doubtful)
		uncount_at(table, *table->kvm.doubtful);
	table->kvm.doubtful.reset();
}

// ---- a guest ----

void FakeKvm::let_go(tcewin_host_table *table)
{
	if (!--table->kvm.holders && table->kvm.freed)
		FakeIoda::destroy(table);
}

// tce_kill, of a put that has begun.
void FakeKvm::end_put(tcewin_host_table *table) { FakeHost::current().leave(table->kvm.gate); }

int FakeKvm::ask(tcewin_host_table *table, u64 entry)
{
	FakeHost &h = FakeHost::current();
	h.enter(table->kvm.gate);
	const int status =
		table->kvm.engine ? tcewin_table_begin(table->kvm.engine, entry) : static_cast<int>(TCEWIN_NO_WINDOW);
	if (status != TCEWIN_OK)
		h.leave(table->kvm.gate);
	return status;
}

// What the entry was is over: what a device wrote there, and the count for it.
void FakeKvm::gone(tcewin_host_table *table, u64 entry, u64 tce)
{
	if (tce & TCEWIN_WRITE)
		memory_.dirty(tce & ~u64{0xfff}, u64{1} << table->info.page_shift, FakeMemory::Precision::rough);
	(void)uncount(table, entry);
}

void FakeKvm::keep(tcewin_host_table *table, u64 entry)
{
	if (std::exchange(table->kvm.in_doubt, true))
		complaints_.add("leaves a second entry of a table in doubt", table->info.start, entry);
	if (const u64 *stored = table->kvm.addresses.find(entry))
		table->kvm.doubtful = *stored;
	table->kvm.addresses.erase(entry);
}

// The new count comes before the entry, the old one goes behind it. It is stored all the same if the table is stuck.
int FakeKvm::exchange(tcewin_host_table *table, u64 entry, u64 address, u32 access)
{
	FakeHost &h = FakeHost::current();
	u64 tce = access;
	{
		Entered in{h};
		FakePin *pin = FakeMemory::pin_at(table->kvm.mm, address);
		if (pin) {
			pin->mapped++;
			counts_++;
			tce |= *memory_.real_of(table->kvm.mm, address);
		}
	}
	int status = TCEWIN_NOT_REGISTERED;
	if (tce != access) {
		status = tcewin_table_exchange(table->kvm.engine, entry, &tce);
		Entered in{h};
		if (status == TCEWIN_OK) {
			gone(table, entry, tce);
			return status;
		}
		if (status == TCEWIN_STUCK) {
			keep(table, entry);
			return status;
		}
		FakeMemory::pin_at(table->kvm.mm, address)->mapped--;
		counts_--;
	}
	end_put(table);
	return status;
}

void FakeKvm::store(tcewin_host_table *table, u64 entry, u64 address)
{
	{
		Entered in{FakeHost::current()};
		table->kvm.addresses.put(entry, address);
	}
	end_put(table);
}

int FakeKvm::put_page(tcewin_host_table *table, u64 entry, u64 address, u32 access)
{
	int status = ask(table, entry);
	const bool asked = status == TCEWIN_OK;
	if (asked)
		status = exchange(table, entry, address, access);
	if (asked && (status == TCEWIN_OK || status == TCEWIN_STUCK))
		store(table, entry, address);
	return status;
}

// KVM asks for no user address to clear an entry.
int FakeKvm::clear(tcewin_host_table *table, u64 entry)
{
	FakeHost &h = FakeHost::current();
	h.enter(table->kvm.gate);
	u64 tce = 0;
	const int status = table->kvm.engine ? tcewin_table_clear(table->kvm.engine, entry, &tce)
					     : static_cast<int>(TCEWIN_NO_WINDOW);
	if (status == TCEWIN_OK && tce) {
		Entered in{h};
		gone(table, entry, tce);
	}
	h.leave(table->kvm.gate);
	return status;
}

int FakeKvm::put(tcewin_host_table *table, u64 entry, u64 word)
{
	if (!word)
		return clear(table, entry);
	return put_page(table, entry, memory_.owner_of(word)->address & ~u64{0xfff},
			static_cast<u32>(word & (TCEWIN_READ | TCEWIN_WRITE)));
}

void FakeKvm::finish()
{
	if (counts())
		complaints_.add("counts of KVM's are left at the end", counts());
}

} // namespace tcewin::test
