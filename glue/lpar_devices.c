// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel's DMA API knows of each device of a PE, for lpar_take.c: nothing while a user has
 * the PE, what it was afterwards.
 *
 * What is promised: no device had a driver when the user came, or one that does no DMA (a port's,
 * VFIO's): the IOMMU core sees to that. A driver that is bound afterwards finds the bypass, the
 * offset and the table of its device as the last one left them, so one that sets no mask is served,
 * too: by a 64-bit window that was made again, where it is now; where it could not be made, by the
 * default window. A bus address from before the user leads nowhere.
 */
#include <linux/iommu.h>
#include <linux/pci.h>
#include <asm/iommu.h>
#include "api.h"
#include "lpar.h"

/*
 * Kept where the start of the direct window was, which nobody needs meanwhile: what the device
 * used. One that comes while the user is there has neither.
 */
#define USED_DIRECT (~(dma_addr_t)0)
#define USED_SECOND (~(dma_addr_t)1)

static void park(struct device *dev, const struct iommu_table *second)
{
	if (tcewin_has_bypass(dev) || dev->bus_dma_limit)
		dev->archdata.dma_offset = USED_DIRECT;
	else if (second && get_iommu_table_base(dev) == second)
		dev->archdata.dma_offset = USED_SECOND;
	tcewin_set_bypass(dev, false);
	set_iommu_table_base(dev, NULL);
}

/**
 * tcewin_devices_park() - no device of the PE can be used by the kernel's DMA API
 * @entry: the PE, its tables put aside
 */
void tcewin_devices_park(struct tcewin_adopted *entry)
{
	struct pci_dev *pdev = NULL;

	tcewin_for_each_member(pdev, entry->table_group)
		park(&pdev->dev, entry->aside[1].table);
}

/* With persistent memory beyond the window there is a limit, and no bypass. */
static void use_direct(struct device *dev, const struct tcewin_window_info *window)
{
	dev->archdata.dma_offset = window->start;
	if (dev->bus_dma_limit)
		dev->bus_dma_limit = window->start + window->size;
	else
		tcewin_set_bypass(dev, true);
}

static void restore(struct device *dev, struct iommu_table * const *tables,
		    const struct tcewin_window_info *ddw)
{
	const dma_addr_t used = dev->archdata.dma_offset;

	set_iommu_table_base(dev, tables[0]);
	if (used != USED_DIRECT && used != USED_SECOND)
		return;
	dev->archdata.dma_offset = ddw ? ddw->start : 0;
	if (!ddw)
		dev->bus_dma_limit = 0;
	else if (used == USED_DIRECT)
		use_direct(dev, ddw);
	else
		set_iommu_table_base(dev, tables[1]);
}

/**
 * tcewin_devices_restore() - every device is for the kernel's DMA API what it was
 * @entry: the PE, its tables given back
 * @ddw: the kernel's 64-bit window, made again; NULL when there is none
 */
void tcewin_devices_restore(struct tcewin_adopted *entry, const struct tcewin_window_info *ddw)
{
	struct pci_dev *pdev = NULL;

	tcewin_for_each_member(pdev, entry->table_group)
		restore(&pdev->dev, entry->table_group->tables, ddw);
}
