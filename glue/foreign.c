// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows for a VFIO driver other than ours: the operations of our PEs that make a window through
 * the engine and a table for it (foreign_table.c), and end it again.
 */
#include <linux/cleanup.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <asm/iommu.h>
#include "glue.h"

/**
 * tcewin_get_table_size() - what a table costs
 * @page_shift: of the window
 * @window_size: bytes
 * @levels: 0 (QEMU's) to 5, without a meaning here
 *
 * Return: bytes; 0 when there cannot be such a window.
 */
unsigned long tcewin_get_table_size(u32 page_shift, u64 window_size, u32 levels)
{
	if (page_shift < IOMMU_PAGE_SHIFT_4K || page_shift >= BITS_PER_LONG || levels > 5)
		return 0;
	return (window_size >> page_shift) * sizeof(__be64);
}

/**
 * tcewin_create_table() - a new window in place @num, with its table
 * @table_group: of an owned PE
 * @num: 0 or 1
 * @page_shift: of the window
 * @window_size: bytes
 * @levels: 0 to 5
 * @ptbl: the table, with a reference
 *
 * Return: 0 or a negative errno.
 */
long tcewin_create_table(struct iommu_table_group *table_group, int num, u32 page_shift,
			 u64 window_size, u32 levels, struct iommu_table **ptbl)
{
	struct tcewin_adopted *entry = tcewin_adopted_get(table_group);
	struct tcewin_window_info window;
	struct iommu_table *tbl;
	int ret;

	if (!entry)
		return -ENODEV;
	guard(mutex)(&entry->tables_lock);
	if (table_group->tables[num])
		return -EBUSY;
	ret = tcewin_errno(tcewin_pe_open_window(entry->pe, page_shift, window_size, levels,
						 &window));
	if (ret)
		return ret;
	tbl = tcewin_foreign_table_new(&window);
	if (!tbl) {
		tcewin_pe_close_window(entry->pe, &window);
		return -ENOMEM;
	}
	table_group->tables[num] = tbl;
	*ptbl = iommu_tce_table_get(tbl);
	return 0;
}

/**
 * tcewin_set_window() - a table becomes the PE's; it is already, from the moment it was made
 * @table_group: of the PE
 * @num: its place
 * @tbl: the table
 *
 * Return: 0; -EPERM for the table of another PE: each has its own here.
 */
long tcewin_set_window(struct iommu_table_group *table_group, int num, struct iommu_table *tbl)
{
	return table_group->tables[num] == tbl ? 0 : -EPERM;
}

/**
 * tcewin_unset_window() - a window ends, whatever its table still translates
 * @table_group: of the PE
 * @num: its place; fine when there is none
 *
 * Return: 0 or a negative errno, then the PE is in quarantine.
 */
long tcewin_unset_window(struct iommu_table_group *table_group, int num)
{
	struct tcewin_adopted *entry = tcewin_adopted_get(table_group);
	struct iommu_table *tbl;
	struct tcewin_window_info window;

	if (!entry)
		return -ENODEV;
	guard(mutex)(&entry->tables_lock);
	tbl = table_group->tables[num];
	if (!tbl || !tcewin_table_is_foreign(tbl))
		return 0;
	window = (struct tcewin_window_info){ .liobn = tbl->it_index };
	tcewin_foreign_table_kill(tbl);
	table_group->tables[num] = NULL;
	iommu_tce_table_put(tbl);
	return tcewin_errno(tcewin_pe_close_window(entry->pe, &window));
}
