// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two places of a PE's table group, tables[], where KVM looks for the table of a window, as
 * the engine fills and empties them (tcewin/host.h). On an LPAR nobody else looks there, and a
 * table for which there is no place goes without. On bare metal the platform fills and empties
 * them, for the hardware (powernv.c).
 */
#include <linux/cleanup.h>
#include <linux/mutex.h>
#include <asm/iommu.h>
#include "glue.h"
#include "table.h"

/*
 * Protects tables[] of an LPAR's groups, as far as the engine's tables are in there. Inside of the
 * lock of foreign.c, whose windows end through the engine, too.
 */
static DEFINE_MUTEX(places_lock);

/* The place of the platform's own table of the same window, else one that is free, else -1. */
static int place_for(struct iommu_table *const *tables, const struct iommu_table *tbl)
{
	int i, place = -1;

	for (i = IOMMU_TABLE_GROUP_MAX_TABLES - 1; i >= 0; i--) {
		if (tables[i] && tables[i]->it_index == tbl->it_index)
			return i;
		if (!tables[i])
			place = i;
	}
	return place;
}

static void publish(struct tcewin_adopted *entry, struct iommu_table *tbl)
{
	struct iommu_table **tables = entry->table_group->tables;
	int place;

	guard(mutex)(&places_lock);
	place = place_for(tables, tbl);
	if (place < 0)
		return;
	entry->behind[place] = tables[place];
	WRITE_ONCE(tables[place], iommu_tce_table_get(tbl));
}

static void withdraw(struct tcewin_adopted *entry, u32 liobn)
{
	struct iommu_table **tables = entry->table_group->tables;
	struct iommu_table *tbl;
	int i;

	guard(mutex)(&places_lock);
	for (i = 0; i < IOMMU_TABLE_GROUP_MAX_TABLES; i++) {
		tbl = tables[i];
		if (!tbl || !tcewin_is_host_table(tbl) || tbl->it_index != liobn)
			continue;
		WRITE_ONCE(tables[i], entry->behind[i]);
		entry->behind[i] = NULL;
		tcewin_drop_table_base(entry->table_group, tbl);
		iommu_tce_table_put(tbl);
	}
}

int tcewin_host_set_window(void *pe, tcewin_u32 number, struct tcewin_host_table *table)
{
	struct tcewin_adopted *entry = container_of(pe, struct tcewin_adopted, host);

	if (tcewin_on_powernv())
		return tcewin_powernv_set_window(entry, number, table);
	publish(entry, &table->table);
	return TCEWIN_OK;
}

int tcewin_host_unset_window(void *pe, tcewin_u32 number)
{
	struct tcewin_adopted *entry = container_of(pe, struct tcewin_adopted, host);

	if (tcewin_on_powernv())
		return tcewin_powernv_unset_window(entry, number);
	withdraw(entry, number);
	return TCEWIN_OK;
}
