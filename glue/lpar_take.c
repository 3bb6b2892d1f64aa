// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take and release of an LPAR's PE where the kernel has no operations for it (6.1): its tables are
 * put aside (aside.c), its 64-bit window ends; then all of it comes back as it was.
 * The default window's property stays in the device tree all the time.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/of.h>
#include <linux/sizes.h>
#include <asm/iommu.h>
#include "lpar.h"

/* ---- what the PE can have ---- */

/* Those that firmware can still make, and those that there are. */
static u32 count_windows(const struct tcewin_adopted *entry, const struct tcewin_ddw_query *query)
{
	const struct device_node *node = entry->host.node;
	u32 windows = query->windows_available;
	bool direct;

	if (of_find_property(node, "ibm,dma-window", NULL))
		windows++;
	if (tcewin_kernel_ddw_property(node, &direct))
		windows++;
	return windows;
}

/**
 * tcewin_lpar_describe() - what a PE can have is written into its table group
 * @entry: the PE
 *
 * As later kernels do themselves. Without DDW there is nothing but the default window, which is
 * described already.
 */
void tcewin_lpar_describe(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	struct tcewin_ddw_query query;

	table_group->pgsizes = SZ_4K;
	if (!entry->host.has_ddw || tcewin_pe_query(&entry->host, &query))
		return;
	table_group->pgsizes |= query.page_sizes;
	table_group->max_levels = 1;
	table_group->max_dynamic_windows_supported =
		min_t(u32, count_windows(entry, &query), IOMMU_TABLE_GROUP_MAX_TABLES);
}

/* ---- the hand-over ---- */

/* Why the kernel's tables cannot be put aside, or NULL. */
static const char *obstacle(const struct tcewin_adopted *entry, const struct tcewin_pe_info *info)
{
	struct iommu_table * const *tables = entry->table_group->tables;
	const struct iommu_table *tbl = tables[0];
	bool direct;
	const bool ddw = tcewin_kernel_ddw_property(entry->host.node, &direct);

	if (!tbl && !ddw && !entry->ddw)
		return "the kernel has no window";
	if (tbl && (tbl->it_index != info->default_liobn ||
		    tbl->it_page_shift != IOMMU_PAGE_SHIFT_4K || !tbl->it_map))
		return "the kernel's table is not that of the default window";
	if (tables[1] && (!ddw || direct))
		return "the kernel has a table for no window";
	return NULL;
}

static void give_back(struct tcewin_adopted *entry, int place)
{
	if (entry->aside[place].table)
		tcewin_give_back(&entry->aside[place], &entry->table_group->tables[place]);
}

static int put_aside(struct tcewin_adopted *entry, int place)
{
	struct iommu_table **table = &entry->table_group->tables[place];

	return *table ? tcewin_put_aside(&entry->aside[place], table) : TCEWIN_OK;
}

/* Either all of them or none. */
static int let_go(struct tcewin_adopted *entry)
{
	int status = put_aside(entry, 0);

	if (!status)
		status = put_aside(entry, 1);
	if (!status)
		status = tcewin_kernel_ddw_park(entry);
	if (!status)
		return TCEWIN_OK;
	if (!entry->ddw)	/* else its table is of a window that could not be made again */
		give_back(entry, 1);
	give_back(entry, 0);
	return status;
}

/**
 * tcewin_lpar_take() - the kernel lets go of a PE
 * @entry: the PE
 * @info: filled
 *
 * Return: a status; the default window is still there, with what the kernel had mapped in it.
 * Context: as tcewin_host_platform_take().
 */
int tcewin_lpar_take(struct tcewin_adopted *entry, struct tcewin_pe_info *info)
{
	const char *why;
	int status;

	if (tcewin_pe_read(&entry->host, entry->table_group, info) || !info->max_windows)
		return TCEWIN_FIRMWARE_ERROR;
	why = obstacle(entry, info);
	if (why) {
		pr_warn_ratelimited("%s: stays with the kernel: %s\n", entry->host.name, why);
		return TCEWIN_INCOMPATIBLE;
	}
	status = let_go(entry);
	if (!status)
		tcewin_devices_park(entry);
	return status;
}

static int reset_windows(struct tcewin_adopted *entry)
{
	const int status = tcewin_until_done(tcewin_host_ddw_reset(&entry->host));

	if (status)
		tcewin_host_event(&entry->host, TCEWIN_EVENT_FIRMWARE, "ibm,reset-pe-dma-windows",
				  status);
	return status;
}

/*
 * The default window of a PE that can have one window makes room for the kernel's 64-bit one, if
 * there was that one instead of it.
 */
static int restore_default(struct tcewin_adopted *entry)
{
	struct tcewin_pe_info info;
	struct tcewin_window_info window = { .page_shift = IOMMU_PAGE_SHIFT_4K };
	int status;

	if (reset_windows(entry) || tcewin_pe_read(&entry->host, entry->table_group, &info))
		return TCEWIN_FIRMWARE_ERROR;
	window.liobn = info.default_liobn;
	window.start = info.default_start;
	window.size = info.default_size;
	if (tcewin_tces_clear(&window))
		return TCEWIN_FIRMWARE_ERROR;
	if (entry->aside[0].table) {
		give_back(entry, 0);
		return TCEWIN_OK;
	}
	status = tcewin_until_done(tcewin_host_ddw_remove(&entry->host, info.default_liobn));
	return status ? TCEWIN_FIRMWARE_ERROR : TCEWIN_OK;
}

/**
 * tcewin_lpar_release() - the kernel has a PE again, with the windows that it had
 * @entry: the PE, of which no window is left
 *
 * Without its 64-bit window, if firmware does not make that again: then drivers get the default
 * window, and the next hand-over tries once more.
 *
 * Return: a status; after a failure the kernel has no window at all.
 */
int tcewin_lpar_release(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	int status = restore_default(entry);

	if (status)
		return status;
	status = tcewin_kernel_ddw_restore(entry);
	if (status && !table_group->tables[0])
		return status;
	if (status)
		pr_warn("%s: back with the kernel without its 64-bit window\n", entry->host.name);
	tcewin_devices_restore(entry, status || !entry->ddw ? NULL : &entry->ddw->window);
	if (!status)
		tcewin_kernel_ddw_forget(entry);
	return TCEWIN_OK;
}
