// SPDX-License-Identifier: GPL-2.0-only
/*
 * PEs of bare metal (PowerNV, IODA2): the windows of one are two places of its PHB, which the
 * platform's own operations fill with our tables and empty again.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/error-injection.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/firmware.h>
#include <asm/iommu.h>
#include "glue.h"
#include "table.h"

/* So many entries are invalidated before others may run. */
#define KILL_BATCH 4096UL

/**
 * tcewin_on_powernv() - the machine is bare metal
 *
 * Return: whether that is so.
 */
bool tcewin_on_powernv(void)
{
	return firmware_has_feature(FW_FEATURE_OPAL);
}

/* ---- what asks OPAL ---- */

/*
 * Where fault injection refuses in OPAL's place (as in firmware.c), the PHB goes on with what it
 * has. tables[] is as before too, from which the platform would take the table all the same.
 */

static noinline long tcewin_fill_place(struct tcewin_adopted *entry, int number,
				       struct iommu_table *tbl)
{
	return entry->platform->set_window(entry->table_group, number, tbl);
}
ALLOW_ERROR_INJECTION(tcewin_fill_place, ERRNO);

static noinline long tcewin_empty_place(struct tcewin_adopted *entry, int number)
{
	return entry->platform->unset_window(entry->table_group, number);
}
ALLOW_ERROR_INJECTION(tcewin_empty_place, ERRNO);

static void tell(struct tcewin_adopted *entry, long opal_status)
{
	tcewin_host_event(&entry->host, TCEWIN_EVENT_FIRMWARE, "opal_pci_map_pe_dma_window",
			  opal_status);
}

/* ---- hand-over ---- */

static bool empty_places(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	bool fine = true;
	int i;

	/* Place 1 is also that of the bypass. */
	for (i = 0; i < IOMMU_TABLE_GROUP_MAX_TABLES; i++)
		if (tcewin_empty_place(entry, i) || table_group->tables[i])
			fine = false;
	return fine;
}

/* One page of a table, of a window in place @number. */
static int new_table(struct tcewin_adopted *entry, int number, struct iommu_table **tbl)
{
	const u64 size = (u64)(PAGE_SIZE / sizeof(__be64)) << IOMMU_PAGE_SHIFT_4K;

	return entry->platform->create_table(entry->table_group, number, IOMMU_PAGE_SHIFT_4K, size,
					     1, tbl);
}

/*
 * The platform tells where place 1 begins, and how a PHB is made to forget entries, only through
 * a table that it has made.
 */
static int ask_a_table(struct tcewin_adopted *entry, struct tcewin_pe_info *info)
{
	struct iommu_table *tbl;

	if (new_table(entry, 1, &tbl))
		return -ENOMEM;
	info->second_start = (u64)tbl->it_offset << tbl->it_page_shift;
	entry->tce_kill = tbl->it_ops->tce_kill;
	iommu_tce_table_put(tbl);
	return entry->tce_kill ? 0 : -ENODEV;
}

/* What a PE can have. */
static int read_pe(struct tcewin_adopted *entry, struct tcewin_pe_info *info)
{
	const struct iommu_table_group *table_group = entry->table_group;

	memset(info, 0, sizeof(*info));
	info->default_start = table_group->tce32_start;
	info->default_size = rounddown_pow_of_two(table_group->tce32_size);
	info->max_windows = tcewin_windows_supported(table_group);
	info->max_levels = table_group->max_levels;
	info->page_sizes = table_group->pgsizes;
	return ask_a_table(entry, info);
}

/**
 * tcewin_powernv_read() - what a PE can have that the platform has taken from the kernel
 * @entry: the PE
 * @info: filled
 *
 * The platform's take does nothing where there was no table, though a bypass may be.
 *
 * Return: 0 or a negative errno.
 */
int tcewin_powernv_read(struct tcewin_adopted *entry, struct tcewin_pe_info *info)
{
	return empty_places(entry) ? read_pe(entry, info) : -EIO;
}

/**
 * tcewin_powernv_take() - the kernel lets go of a PE, its bypass included
 * @entry: the PE
 * @info: filled
 *
 * Return: a status; then the kernel has it as before.
 */
int tcewin_powernv_take(struct tcewin_adopted *entry, struct tcewin_pe_info *info)
{
	const int status = tcewin_take_from_kernel(entry);

	if (status)
		return status;
	if (tcewin_powernv_read(entry, info))
		return tcewin_powernv_release(entry) ? TCEWIN_STUCK : TCEWIN_FIRMWARE_ERROR;
	tcewin_devices_forget(entry->table_group, info->second_start);
	return TCEWIN_OK;
}

/*
 * The platform does not tell what was missing, memory or OPAL's consent. A table of a page, which
 * translates nothing, shows that.
 */
static bool is_refused(struct tcewin_adopted *entry)
{
	struct iommu_table *tbl;
	long ret;

	if (tcewin_memory_at_hand() || new_table(entry, 0, &tbl))
		return false;
	ret = tcewin_fill_place(entry, 0, tbl);
	if (ret) {
		iommu_tce_table_put(tbl);
	} else {
		ret = tcewin_empty_place(entry, 0);
		if (!ret)	/* else OPAL has it: the platform forgets that, and nobody frees it */
			iommu_tce_table_put(tbl);
	}
	if (ret)
		tell(entry, ret);
	return ret;
}

/**
 * tcewin_powernv_release() - the kernel has a PE again
 * @entry: the PE, both places empty
 *
 * Return: a status; then its devices reach nothing.
 */
int tcewin_powernv_release(struct tcewin_adopted *entry)
{
	const int status = tcewin_give_to_kernel(entry);

	if (!status)
		return TCEWIN_OK;
	/* It has no table, but the bypass is on. */
	return !empty_places(entry) || is_refused(entry) ? TCEWIN_FIRMWARE_ERROR : status;
}

/**
 * tcewin_powernv_leave() - the last device of a PE goes, and the PE with it
 * @entry: the PE, which is nobody's
 *
 * The platform puts two references on the table in the first place, and warns where there is none.
 */
void tcewin_powernv_leave(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	const bool refused = !empty_places(entry);
	struct iommu_table *tbl = table_group->tables[0];

	if (tbl) {	/* one of the user's: OPAL does not let go of it */
		iommu_tce_table_get(tbl);
		return;
	}
	if (new_table(entry, 0, &tbl))
		return;
	if (tcewin_fill_place(entry, 0, tbl))
		iommu_tce_table_put(tbl);
	else if (refused)	/* nor may it of this one, and then nobody frees it */
		iommu_tce_table_get(tbl);
}

/* ---- windows ---- */

/**
 * tcewin_powernv_set_window() - the devices of a PE translate by a table
 * @entry: the PE
 * @number: of the place, which is free
 * @table: the table
 *
 * Return: a status.
 */
int tcewin_powernv_set_window(struct tcewin_adopted *entry, u32 number,
			      struct tcewin_host_table *table)
{
	struct iommu_table *tbl = &table->table;
	const unsigned long size = tbl->it_size;
	long ret;

	/* A table of one level is as long as its page, whatever the window needs of it. */
	if (!tbl->it_indirect_levels)
		tbl->it_size = tbl->it_level_size;
	ret = tcewin_fill_place(entry, number, tbl);
	tbl->it_size = size;
	if (ret) {
		tell(entry, ret);
		return TCEWIN_FIRMWARE_ERROR;
	}
	/* It does not tell that it had no memory for the link. */
	if (entry->table_group->tables[number] != tbl) {
		tcewin_empty_place(entry, number);
		return TCEWIN_NO_MEMORY;
	}
	table->tce_kill = entry->tce_kill;
	return TCEWIN_OK;
}

/**
 * tcewin_powernv_unset_window() - the devices of a PE reach nothing through a place
 * @entry: the PE
 * @number: of the place
 *
 * Return: a status.
 */
int tcewin_powernv_unset_window(struct tcewin_adopted *entry, u32 number)
{
	const struct iommu_table *tbl = entry->table_group->tables[number];
	long ret = tcewin_empty_place(entry, number);

	if (tbl)
		tcewin_drop_table_base(entry->table_group, tbl);
	if (!ret)
		return TCEWIN_OK;
	tell(entry, ret);
	return TCEWIN_FIRMWARE_ERROR;
}

void tcewin_host_invalidate(struct tcewin_host_table *table, tcewin_u64 first, tcewin_u64 count)
{
	unsigned long n;

	for (; count; first += n, count -= n) {
		n = min_t(u64, count, KILL_BATCH);
		table->tce_kill(&table->table, table->table.it_offset + first, n);
		if (n < count)
			cond_resched();
	}
}
