// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ioda.hh"

#include <new>

namespace tcewin::test
{

void FakeIoda::destroy(tcewin_host_table *table)
{
	if (table->kvm.gate)
		FakeLocks::drop(table->kvm.gate);
	table->~tcewin_host_table();
	tcewin_run_free(table);
}

// What is left has been complained of.
FakeIoda::~FakeIoda()
{
	for (tcewin_host_table *table : tables_)
		destroy(table);
}

// f(pe, table) for every place that is taken.
template <class F>
void FakeIoda::each_place(F f)
{
	for (FakePe *pe : firmware_.pes())
		for (FakeTable *t : pe->tables)
			if (t->in_memory)
				f(pe, *t);
}

// f(index, word in memory) for every entry of [first, end) that the PHB knows otherwise.
template <class F>
void FakeIoda::each_stale(const FakeTable &t, u64 first, u64 end, F f)
{
	const FakePhb &phb = t.in_memory->phb;
	phb.each_in(first, end, [&](u64 i, u64 word) {
		if (t.words->get(i) != word)
			f(i, word);
	});
	t.words->each_in(first, end, [&](u64 i, u64) {
		if (!phb.word(i))
			f(i, 0);
	});
}

bool FakeIoda::check_table(const tcewin_host_table *table, const char *rule)
{
	for (const tcewin_host_table *known : tables_)
		if (known == table)
			return true;
	complaints_.add(rule, reinterpret_cast<u64>(table));
	return false;
}

tcewin_host_table *FakeIoda::table_new(FakeMm *mm, tcewin_host_lock *lock, const tcewin_table_info &info)
{
	const auto root = levels_.tell(info.root);
	const u64 page = u64{1} << info.page_shift, level_bytes = u64{8} << (info.root ? info.level_shift : 9);
	if (!root && !info.liobn)
		complaints_.add("a table whose root is no level", reinterpret_cast<u64>(info.root));
	if (!info.size || (info.start | info.size) & (page - 1))
		complaints_.add("a table that is not a number of pages", info.start, info.size);
	if (injector_.fires(Point::table))
		return nullptr;
	auto *table = ::new (tcewin_run_alloc(sizeof(tcewin_host_table))) tcewin_host_table{
		info,
		info.size >> info.page_shift,
		FakePhb{complaints_, levels_, {root.value_or(0), info.levels, level_bytes, info.page_shift}},
		false,
		{},
		{}};
	table->kvm.mm = mm;
	table->kvm.gate = lock ? FakeLocks::share(lock->gate) : nullptr;
	if (root && table->entries > table->phb.reach())
		complaints_.add("a table with fewer words than its window has pages", table->entries,
				table->phb.reach());
	tables_.push(table);
	return table;
}

void FakeIoda::table_free(tcewin_host_table *table)
{
	if (!check_table(table, "freed a table that is none, or no longer"))
		return;
	if (table->kvm.engine)
		complaints_.add("freed a table that others may change", table->info.start);
	bool used = false;
	each_place([&](FakePe *, const FakeTable &t) { used |= t.in_memory == table; });
	if (used) {
		complaints_.add("freed a table that a PHB walks", table->info.start, table->info.size);
		return;
	}
	for (u64 i = 0; i < tables_.size(); i++)
		if (tables_[i] == table)
			tables_.erase(i);
	table->kvm.freed = true;
	if (!table->kvm.holders)
		destroy(table);
}

void FakeIoda::walk()
{
	each_place([&](FakePe *, const FakeTable &t) {
		t.in_memory->phb.each_level([&](u64 real, u64 first, u64 end) {
			known_.put(real, {t.in_memory, first, end < t.entries ? end : t.entries});
		});
	});
}

// Those of @table within [first, end) that are not in it any more.
void FakeIoda::forget_levels(const tcewin_host_table *table, u64 first, u64 end)
{
	Vector<u64> forgotten;
	known_.each([&](u64 real, const Known &k) {
		if (k.table == table && k.first >= first && k.end <= end && !table->phb.uses(real))
			forgotten.push(real);
	});
	for (const u64 real : forgotten)
		known_.erase(real);
}

void FakeIoda::level_goes(u64 real)
{
	bool walked = false, remembered = false;
	each_place([&](FakePe *, const FakeTable &t) {
		const Known *k = known_.find(real);
		walked |= t.in_memory->phb.uses(real);
		remembered |= k && k->table == t.in_memory;
	});
	if (walked || remembered)
		complaints_.add(walked ? "freed a level that a PHB walks" : "freed a level that a PHB may remember",
				real);
	known_.erase(real);
}

void FakeIoda::check_set(const FakePe *pe, u32 number, const tcewin_host_table *table)
{
	const tcewin_table_info &i = table->info;
	if (!pe->personality.in_memory() || pe->kernels)
		complaints_.add("sets a window of a PE that is not its own", number, pe->liobn_base);
	if (number > 1 || i.start != (number ? pe->info.second_start : pe->info.default_start))
		complaints_.add("sets a table that does not begin where its place does", number, i.start);
	if (!(pe->info.page_sizes >> i.page_shift & 1))
		complaints_.add("OPAL: page size", i.page_shift);
	for (const FakeTable *t : pe->tables)
		if (t->liobn == number)
			complaints_.add("sets a window over another", number, t->start);
}

int FakeIoda::set_window(FakePe *pe, u32 number, tcewin_host_table *table)
{
	if (!check_table(table, "sets a table that is none, or no longer"))
		return TCEWIN_FIRMWARE_ERROR;
	check_set(pe, number, table);
	if (injector_.fires(Point::set_window) || number > 1)
		return TCEWIN_FIRMWARE_ERROR;
	const tcewin_table_info &i = table->info;
	FakeTable *t = firmware_.make(pe, number, pe->stores[number], i.page_shift, i.start, table->entries);
	t->in_memory = t->object = table;
	refresh(*t, 0, table->phb.reach());
	walk();
	return injector_.fires(Point::link) ? TCEWIN_NO_MEMORY : TCEWIN_OK;
}

// The platform invalidates all of the PE when a window comes or goes. When it could not, it unlinks the table from the
// PE all the same: no later invalidation of the table reaches that PE, which walks it still.
int FakeIoda::unset_window(FakePe *pe, u32 number)
{
	if (!pe->personality.in_memory() || pe->kernels)
		complaints_.add("unsets a window of a PE that is not its own", number, pe->liobn_base);
	const bool fails = injector_.fires(Point::unset_window);
	for (u64 i = 0; i < pe->tables.size(); i++)
		if (pe->tables[i]->liobn == number) {
			pe->tables[i]->not_removed = pe->tables[i]->unlinked = fails;
			pe->tables[i]->in_memory->refused |= fails;
			if (!fails)
				firmware_.destroy(pe, i);
		}
	return fails ? TCEWIN_FIRMWARE_ERROR : TCEWIN_OK;
}

void FakeIoda::refresh(FakeTable &t, u64 first, u64 end)
{
	each_stale(t, first, end, [&](u64 i, u64 word) { firmware_.store(t, i, word); });
}

void FakeIoda::invalidate(tcewin_host_table *table, u64 first, u64 count)
{
	if (!check_table(table, "invalidates a table that is none, or no longer"))
		return;
	if (!count || first >= table->entries || count > table->entries - first)
		complaints_.add("invalidates what is not in the window", first, count);
	invalidations.push({table, first, count});
	table->unsettled.remove(first, first + count);
	forget_levels(table, first, first + count);
	each_place([&](FakePe *, FakeTable &t) {
		if (t.in_memory == table && !t.unlinked)
			refresh(t, first, first + count);
	});
}

void FakeIoda::peek()
{
	walk();
	each_place([&](FakePe *, FakeTable &t) {
		if (t.unlinked)
			return;
		each_stale(t, 0, t.in_memory->phb.reach(), [&](u64 i, u64 word) {
			t.in_memory->unsettled.add(i, i + 1);
			firmware_.check_word(t, i, word);
		});
	});
}

void FakeIoda::settled()
{
	walk();
	for (const tcewin_host_table *table : tables_)
		if (table->unsettled.total())
			complaints_.add("a PHB may remember what was undone", table->info.start,
					table->unsettled.total());
	each_place([&](FakePe *, const FakeTable &t) {
		if (t.unlinked)
			return; // check_reach() looks after what it may remember
		each_stale(t, 0, t.in_memory->phb.reach(), [&](u64 i, u64 word) {
			complaints_.add("a PHB may remember an entry that has changed", t.start + (i << t.page_shift),
					word);
		});
	});
}

void FakeIoda::finish()
{
	for (const tcewin_host_table *table : tables_)
		if (!table->refused)
			complaints_.add("a table is left at the end", table->info.start, table->info.size);
}

u64 FakeIoda::levels_kept() const
{
	u64 n = 0;
	for (const tcewin_host_table *table : tables_)
		table->phb.each_level([&](u64, u64, u64) { n++; });
	return n;
}

} // namespace tcewin::test
