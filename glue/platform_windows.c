// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our containers over the platform's own operations of a PE (parameter platform_ops): an
 * LPAR's windows made and ended by those, for what firmware.c would ask of RTAS. Entries
 * are the engine's all the same, which knows the table's LIOBN.
 *
 * The platform tells less than RTAS does, and forgets more: where its word is not enough firmware
 * is asked as well.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/of.h>
#include <asm/iommu.h>
#include "glue.h"

static bool platform_ops;
module_param(platform_ops, bool, 0444);
MODULE_PARM_DESC(platform_ops, "leave each PE the platform's own operations, and make windows by them");

/* RTAS statuses, LoPAR 7.3. */
enum { SUCCESS = 0, HARDWARE_ERROR = -1, PARAMETER_ERROR = -3 };

/**
 * tcewin_keeps_platform_ops() - the administrator wants PEs left to the platform's operations
 *
 * Return: whether that is so.
 */
bool tcewin_keeps_platform_ops(void)
{
	return platform_ops;
}

/* ---- windows ---- */

/* A window in place @num, and its table, which tables[] holds. */
static struct iommu_table *make(struct tcewin_adopted *entry, int num, u32 page_shift, u64 size)
{
	struct iommu_table_group *table_group = entry->table_group;
	struct iommu_table *tbl;
	long ret;

	ret = entry->platform->create_table(table_group, num, page_shift, size, 1, &tbl);
	if (ret)
		return ERR_PTR(ret);
	/* The platform makes it what the kernel's DMA API uses; the PE is a user's. */
	tcewin_drop_table_base(table_group, tbl);
	ret = entry->platform->set_window(table_group, num, tbl);
	iommu_tce_table_put(tbl);
	if (!ret)
		return tbl;
	entry->platform->unset_window(table_group, num);
	return ERR_PTR(ret);
}

static bool is_default(const struct iommu_table_group *table_group, u32 page_shift, u64 size)
{
	return page_shift == IOMMU_PAGE_SHIFT_4K && size <= table_group->tce32_size;
}

/* In place 0 the platform takes a small window for the default one. */
static int free_place(const struct iommu_table_group *table_group, u32 page_shift, u64 size)
{
	if (!table_group->tables[1])
		return 1;
	if (!table_group->tables[0] && !is_default(table_group, page_shift, size))
		return 0;
	return -1;
}

/**
 * tcewin_platform_create() - a new window
 * @entry: the PE, in a container
 * @page_shift: of the window
 * @window_shift: log2 of its bytes
 * @window: filled
 *
 * Return: an RTAS status, or TCEWIN_DDW_NO_MEMORY.
 */
int tcewin_platform_create(struct tcewin_adopted *entry, u32 page_shift, u32 window_shift,
			   struct tcewin_ddw_window *window)
{
	const u64 size = BIT_ULL(window_shift);
	const int num = free_place(entry->table_group, page_shift, size);
	struct iommu_table *tbl;

	if (num < 0)
		return HARDWARE_ERROR;
	tbl = make(entry, num, page_shift, size);
	if (IS_ERR(tbl)) {
		if (PTR_ERR(tbl) == -ENOMEM)
			return TCEWIN_DDW_NO_MEMORY;
		return PTR_ERR(tbl) == -EINVAL ? PARAMETER_ERROR : HARDWARE_ERROR;
	}
	window->liobn = tbl->it_index;
	window->start = (u64)tbl->it_offset << tbl->it_page_shift;
	return SUCCESS;
}

/*
 * The platform does not tell that firmware has refused. So firmware is asked once more: a window
 * that is gone it does not know.
 */
static int remove_ddw(struct tcewin_adopted *entry, int num)
{
	const struct iommu_table *tbl = entry->table_group->tables[num];
	const u32 liobn = tbl->it_index;
	int status;

	if (entry->platform->unset_window(entry->table_group, num))
		return HARDWARE_ERROR;
	status = tcewin_until_done(tcewin_rtas_remove(&entry->host, liobn));
	return status == PARAMETER_ERROR ? SUCCESS : status;
}

/* The platform forgets the default window, but leaves it in firmware. */
static int remove_default(struct tcewin_adopted *entry, u32 liobn)
{
	const int status = tcewin_rtas_remove(&entry->host, liobn);

	if (status)
		return status;
	return entry->platform->unset_window(entry->table_group, 0) ? HARDWARE_ERROR : SUCCESS;
}

/**
 * tcewin_platform_remove() - a window ends
 * @entry: the PE
 * @liobn: of the window
 *
 * Return: an RTAS status.
 */
int tcewin_platform_remove(struct tcewin_adopted *entry, u32 liobn)
{
	struct iommu_table_group *table_group = entry->table_group;
	const struct iommu_table *tbl;
	int num;

	tcewin_host_unset_window(&entry->host, liobn);
	for (num = 0; num < IOMMU_TABLE_GROUP_MAX_TABLES; num++) {
		tbl = table_group->tables[num];
		if (!tbl || tbl->it_index != liobn)
			continue;
		if (num == 0 && is_default(table_group, tbl->it_page_shift,
					   tbl->it_size << tbl->it_page_shift))
			return remove_default(entry, liobn);
		return remove_ddw(entry, num);
	}
	return tcewin_rtas_remove(&entry->host, liobn);
}

/**
 * tcewin_platform_reset() - the default window is there again, and no other
 * @entry: the PE, without windows
 *
 * Return: an RTAS status.
 */
int tcewin_platform_reset(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	struct iommu_table *tbl;

	if (table_group->tables[0] || table_group->tables[1])
		return HARDWARE_ERROR;
	/* Where it believes that the window exists it would make another one. */
	if (of_property_present(entry->host.node, "ibm,dma-window"))
		return tcewin_rtas_reset(&entry->host);
	tbl = make(entry, 0, IOMMU_PAGE_SHIFT_4K, rounddown_pow_of_two(table_group->tce32_size));
	return IS_ERR(tbl) ? HARDWARE_ERROR : SUCCESS;
}
