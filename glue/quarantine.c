// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PE whose translations could not be taken back: its devices may still reach the user's pages,
 * which stay pinned. Nobody gets it any more, neither the kernel's DMA API nor another user; only
 * a reboot ends that.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/module.h>
#include <asm/iommu.h>
#include "glue.h"
#include "kernel.h"

#ifndef TCEWIN_HAVE_OWNERSHIP_PER_DEVICE
#error "take_ownership() of this kernel is not told the device: not supported yet"
#endif

static unsigned long no_table_size(u32 page_shift, u64 window_size, u32 levels)
{
	return 0;
}

static long no_create_table(struct iommu_table_group *table_group, int num, u32 page_shift,
			    u64 window_size, u32 levels, struct iommu_table **table)
{
	return -EBUSY;
}

static long no_set_window(struct iommu_table_group *table_group, int num,
			  struct iommu_table *table)
{
	return -EBUSY;
}

static long no_unset_window(struct iommu_table_group *table_group, int num)
{
	return 0;
}

/* So VFIO cannot claim the group... */
static long no_take_ownership(struct iommu_table_group *table_group, struct device *dev)
{
	return -EBUSY;
}

/* ...and the kernel's DMA API, which asks for it next, gets no window: its mappings fail. */
static void no_release_ownership(struct iommu_table_group *table_group, struct device *dev)
{
}

static struct iommu_table_group_ops quarantine_ops = {
	.get_table_size = no_table_size,
	.create_table = no_create_table,
	.set_window = no_set_window,
	.unset_window = no_unset_window,
	.take_ownership = no_take_ownership,
	.release_ownership = no_release_ownership,
};

/**
 * tcewin_is_quarantined() - nobody gets this PE
 * @table_group: of the PE
 *
 * Return: whether that is so.
 */
bool tcewin_is_quarantined(const struct iommu_table_group *table_group)
{
	return READ_ONCE(table_group->ops) == &quarantine_ops;
}

/**
 * tcewin_quarantine() - blocks a PE for good, and the module with it
 * @table_group: of the PE
 * @pe: for the log; it stays
 *
 * Context: before the IOMMU core gives the group back to the kernel.
 */
void tcewin_quarantine(struct iommu_table_group *table_group, const struct tcewin_pe_host *pe)
{
	__module_get(THIS_MODULE);
	WRITE_ONCE(table_group->ops, &quarantine_ops);
	table_group->max_dynamic_windows_supported = 0;
	pr_err("%s: in quarantine: its DMA could not be ended. Blocked until reboot\n", pe->name);
}
