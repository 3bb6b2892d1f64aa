// SPDX-License-Identifier: GPL-2.0-only
#include "fake_kvm.hh"

#include "fake_host.hh"

namespace tcewin::test
{

void FakeKvm::open(tcewin_host_table *table, tcewin_table *engine)
{
	if (locks_.holds(TCEWIN_LOCK_WINDOW))
		complaints_.add("opens a table inside of a window's lock", table->info.start);
	table->engine = engine;
}

void FakeKvm::close(tcewin_host_table *table)
{
	if (locks_.holds(TCEWIN_LOCK_WINDOW))
		complaints_.add("closes a table inside of a window's lock", table->info.start);
	table->engine = nullptr;
}

bool FakeKvm::drop(const tcewin_host_table *table, u64 entry, u64 real)
{
	for (u64 i = 0; i < counts_.size(); i++)
		if (counts_[i].table == table && counts_[i].entry == entry && counts_[i].real == real) {
			counts_.erase(i);
			return true;
		}
	return false;
}

int FakeKvm::settle(const tcewin_host_table *table, u64 entry, u64 real)
{
	if (!locks_.holds(TCEWIN_LOCK_WINDOW))
		complaints_.add("settles outside of the window's lock", entry, real);
	if (injector_.fires(Point::settle))
		return TCEWIN_STILL_MAPPED;
	if (!drop(table, entry, real))
		complaints_.add("settles what nobody has counted", entry, real);
	return TCEWIN_OK;
}

void FakeKvm::settle_rest(const tcewin_host_table *table)
{
	if (table->engine)
		complaints_.add("settles all of a table that others may change", table->info.start);
	for (u64 i = counts_.size(); i-- > 0;)
		if (counts_[i].table == table)
			counts_.erase(i);
}

u64 FakeKvm::address(const tcewin_host_table *table, u64 entry) const
{
	u64 address = 0;
	for (const Count &c : counts_)
		if (c.table == table && c.entry == entry)
			address = memory_.owner_of(c.real)->address;
	return address;
}

bool FakeKvm::maps(const FakeMm *mm, u64 address, u64 size) const
{
	for (const Count &c : counts_)
		if (const auto owner = memory_.owner_of(c.real);
		    owner && owner->mm == mm && owner->address - address < size)
			return true;
	return false;
}

// As iommu_tce_xchg_no_kill() and KVM do it.
void FakeKvm::gone(const tcewin_host_table *table, u64 entry, u64 tce)
{
	const u64 real = tce & ~u64{0xfff};
	if (tce & TCEWIN_WRITE)
		memory_.dirty(real, u64{1} << table->info.page_shift, FakeMemory::Precision::rough);
	if (!drop(table, entry, real))
		complaints_.add("gave back an entry that nobody had put", entry, tce);
}

// The new count comes before the entry, the old one goes behind it.
int FakeKvm::put(tcewin_host_table *table, u64 entry, u64 word)
{
	FakeHost &h = FakeHost::current();
	const u64 real = word & ~u64{0xfff};
	tcewin_table *engine = nullptr;
	{
		Entered in{h};
		engine = table->engine;
		if (engine && word)
			counts_.push({table, entry, real});
	}
	if (!engine)
		return TCEWIN_NO_WINDOW;
	u64 tce = word;
	const int status = tcewin_table_exchange(engine, entry, &tce);
	Entered in{h};
	if (status != TCEWIN_OK && word)
		(void)drop(table, entry, real);
	if (status == TCEWIN_OK && tce)
		gone(table, entry, tce);
	return status;
}

void FakeKvm::finish()
{
	if (counts())
		complaints_.add("counts of KVM's are left at the end", counts_[0].entry, counts());
}

} // namespace tcewin::test
