// SPDX-License-Identifier: GPL-2.0-only
/* take_ownership and release_ownership are told which device of the PE it is about. */
#include <linux/device.h>
#include <asm/iommu.h>

long take(struct iommu_table_group_ops *ops, struct iommu_table_group *group, struct device *dev);
long take(struct iommu_table_group_ops *ops, struct iommu_table_group *group, struct device *dev)
{
	return ops->take_ownership(group, dev);
}
