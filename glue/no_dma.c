// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's DMA API of devices whose PE is nobody's (again.c): no mask is possible, and nothing
 * is mapped. Their group is claimed by a worker, so a driver may be bound before; with the
 * platform's operations such a driver would get a window of its own, or make the platform look for
 * a table that is not there.
 *
 * The platform's own functions map nothing for a device without a table. What is not theirs here is
 * what makes windows.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <asm/iommu.h>
#include "api.h"
#include "glue.h"

static DEFINE_MUTEX(lock); /* protects the next */
static const struct dma_map_ops *platform; /* of all PCI devices the same */
static struct dma_map_ops refusing;

static int no_mask_is_possible(struct device *dev, u64 mask)
{
	return 0;
}

/**
 * tcewin_device_disable() - no driver of a device can do DMA
 * @dev: the device, whose PE is nobody's
 *
 * Until tcewin_devices_enable(). Context: may sleep; the module stays as long.
 */
void tcewin_device_disable(struct device *dev)
{
	tcewin_set_bypass(dev, false);
	set_iommu_table_base(dev, NULL);
	mutex_lock(&lock);
	if (!platform && get_dma_ops(dev)) {
		refusing = *get_dma_ops(dev);
		refusing.dma_supported = no_mask_is_possible;
		refusing.get_required_mask = NULL;
		platform = get_dma_ops(dev);
	}
	if (platform && get_dma_ops(dev) == platform)
		set_dma_ops(dev, &refusing);
	mutex_unlock(&lock);
}

/**
 * tcewin_devices_disable() - no driver of a PE's devices can do DMA
 * @table_group: of the PE, which is nobody's
 * @dev: one of its devices, which may be about to join it
 */
void tcewin_devices_disable(const struct iommu_table_group *table_group, struct device *dev)
{
	struct pci_dev *pdev = NULL;

	tcewin_device_disable(dev);
	tcewin_for_each_member(pdev, table_group)
		tcewin_device_disable(&pdev->dev);
}

static void enable(struct device *dev)
{
	if (get_dma_ops(dev) == &refusing)
		set_dma_ops(dev, platform);
}

/**
 * tcewin_devices_enable() - the devices of a PE have the platform's operations again
 * @table_group: of the PE, which is somebody's
 * @dev: one of its devices, which may be about to join it
 */
void tcewin_devices_enable(const struct iommu_table_group *table_group, struct device *dev)
{
	struct pci_dev *pdev = NULL;

	enable(dev);
	tcewin_for_each_member(pdev, table_group)
		enable(&pdev->dev);
}
