// SPDX-License-Identifier: GPL-2.0-only
/* That a device's DMA bypasses the IOMMU's tables is one of its flags, with functions of its own. */
#include <linux/device.h>

void bypass(struct device *dev);
void bypass(struct device *dev)
{
	dev_assign_dma_ops_bypass(dev, dev_dma_ops_bypass(dev));
}
