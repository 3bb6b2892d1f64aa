// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's side of a hand-over where the platform has operations for it: those are called here,
 * and what they leave behind is put right. Called by ownership.c and powernv.c.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/error-injection.h>
#include <linux/pci.h>
#include <asm/iommu.h>
#include "glue.h"
#include "ownership.h"

/* Fault injection can refuse for the platform. */
noinline int tcewin_kernel_lets_go(struct tcewin_adopted *entry)
{
	return tcewin_platform_take(entry->platform, entry->table_group, entry->dev);
}
ALLOW_ERROR_INJECTION(tcewin_kernel_lets_go, ERRNO);

/**
 * tcewin_take_from_kernel() - the platform's take_ownership()
 * @entry: the PE, with operations of the platform's
 *
 * Return: a status. After a failure the kernel has the PE as before.
 */
int tcewin_take_from_kernel(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	const int status = tcewin_left_note(&entry->left, table_group->tables[0]);
	int ret;

	if (status)
		return status;
	ret = tcewin_kernel_lets_go(entry);
	if (!ret) {
		tcewin_set_table_bases(table_group);
		return TCEWIN_OK;
	}
	tcewin_left_forget(&entry->left);
	tcewin_host_event(&entry->host, TCEWIN_EVENT_FIRMWARE, "the kernel keeps the PE", ret);
	return TCEWIN_FIRMWARE_ERROR;
}

/**
 * tcewin_give_to_kernel() - the platform's release_ownership()
 * @entry: the PE, which has no window
 *
 * Return: a status. After a failure the kernel has no table of the PE.
 */
int tcewin_give_to_kernel(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;

	tcewin_platform_release(entry->platform, table_group, entry->dev);
	if (table_group->tables[0])
		tcewin_left_keep(&entry->left, table_group->tables[0]);
	tcewin_set_table_bases(table_group);
	return table_group->tables[0] ? TCEWIN_OK : TCEWIN_FIRMWARE_ERROR;
}

/**
 * tcewin_devices_forget() - no device of a PE knows of a window any more
 * @table_group: of the PE, which no driver uses
 * @offset: of the bypass, as a device has it that is found; 0 on an LPAR
 *
 * The platform does not tell a device that its window has gone. With a next driver that sets no
 * mask, or one for which there is no such window, it would go there, past the table.
 */
void tcewin_devices_forget(const struct iommu_table_group *table_group, u64 offset)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (!tcewin_is_member(pdev, table_group))
			continue;
		tcewin_set_bypass(&pdev->dev, false);
		pdev->dev.bus_dma_limit = 0;
		pdev->dev.archdata.dma_offset = offset;
	}
}
