// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PE without DDW calls, or one that the administrator treats as such: its only window stays in
 * firmware, and the user borrows it. Meanwhile the kernel's iommu_table is put aside (aside.c); the
 * engine empties the window on the way in and out. The platform's take_ownership() is not asked: it
 * would free the table, its translations alive.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <asm/iommu.h>
#include "glue.h"

static char *borrow;
module_param(borrow, charp, 0444);
MODULE_PARM_DESC(borrow, "PEs to serve without DDW, \"all\" or PCI names separated by commas");

static bool is_listed(const char *name)
{
	const char *at = borrow;
	size_t length;

	while (at && *at) {
		length = strcspn(at, ",");
		if ((length == strlen(name) && !strncmp(at, name, length)) ||
		    (length == strlen("all") && !strncmp(at, "all", length)))
			return true;
		at += length + (at[length] == ',');
	}
	return false;
}

/**
 * tcewin_borrow_wanted() - the administrator wants a PE served without DDW
 * @table_group: of the PE
 *
 * Return: whether that is so.
 */
bool tcewin_borrow_wanted(const struct iommu_table_group *table_group)
{
	struct pci_dev *pdev = NULL;

	tcewin_for_each_member(pdev, table_group) {
		if (is_listed(pci_name(pdev))) {
			pci_dev_put(pdev);
			return true;
		}
	}
	return false;
}

/* Why the kernel's table cannot be handed out, or NULL. */
static const char *obstacle(const struct tcewin_adopted *entry, const struct iommu_table *tbl)
{
	const struct iommu_table_group *table_group = entry->table_group;

	if (!tbl || !tbl->it_map)
		return "the kernel has no table for its default window";
	if (table_group->tables[1] || tcewin_describes_ddw(entry->host.node))
		return "the kernel has another window than the default one";
	if (tbl->it_page_shift != IOMMU_PAGE_SHIFT_4K ||
	    tbl->it_offset << tbl->it_page_shift != table_group->tce32_start ||
	    tbl->it_size << tbl->it_page_shift != table_group->tce32_size)
		return "the kernel's table is not that of the default window";
	return NULL;
}

/**
 * tcewin_borrow() - the kernel's allocator lets go of a PE's table
 * @entry: the PE
 * @info: filled; what the table translates is still the kernel's
 *
 * Return: a status. Context: take_ownership().
 */
int tcewin_borrow(struct tcewin_adopted *entry, struct tcewin_pe_info *info)
{
	struct iommu_table *tbl = entry->table_group->tables[0];
	const char *why = obstacle(entry, tbl);
	int status;

	if (why) {
		pr_warn_ratelimited("%s: stays with the kernel: %s\n", entry->host.name, why);
		return TCEWIN_INCOMPATIBLE;
	}
	status = tcewin_put_aside(&entry->aside[0], &entry->table_group->tables[0]);
	if (status)
		return status;
	memset(info, 0, sizeof(*info));
	info->default_start = tbl->it_offset << tbl->it_page_shift;
	info->default_size = tbl->it_size << tbl->it_page_shift;
	info->default_liobn = tbl->it_index;
	info->page_sizes = SZ_4K;
	tcewin_read_hypercalls(info);
	return TCEWIN_OK;
}

/**
 * tcewin_give_back_borrowed() - the kernel's allocator has the table again
 * @entry: the PE, of which no translation is left
 */
void tcewin_give_back_borrowed(struct tcewin_adopted *entry)
{
	tcewin_give_back(&entry->aside[0], &entry->table_group->tables[0]);
}
