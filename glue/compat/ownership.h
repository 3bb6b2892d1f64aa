/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * take_ownership() and release_ownership() of struct iommu_table_group_ops: how the platform's are
 * called, and what ours look like. Included by the files that hand PEs over.
 *
 * Kernels that tell the device call them when a group is claimed or let go. The older ones have no
 * such moment on POWER: there it is that of iommu_ops.c, and only the in-tree VFIO driver calls
 * these two, when the group joins or leaves a container of its own.
 */
#ifndef TCEWIN_COMPAT_OWNERSHIP_H
#define TCEWIN_COMPAT_OWNERSHIP_H

#include <asm/iommu.h>
#include "api.h"
#include "glue.h"

#if TCEWIN_HAVE_OWNERSHIP_PER_DEVICE

static inline long tcewin_platform_take(const struct iommu_table_group_ops *platform,
					struct iommu_table_group *table_group, struct device *dev)
{
	return platform->take_ownership(table_group, dev);
}

static inline void tcewin_platform_release(const struct iommu_table_group_ops *platform,
					   struct iommu_table_group *table_group,
					   struct device *dev)
{
	platform->release_ownership(table_group, dev);
}

static inline long tcewin_take_ownership(struct iommu_table_group *table_group, struct device *dev)
{
	struct tcewin_adopted *entry = tcewin_adopted_get(table_group);

	return WARN_ON_ONCE(!entry) ? -ENODEV : tcewin_take(entry, dev);
}

static inline void tcewin_release_ownership(struct iommu_table_group *table_group,
					    struct device *dev)
{
	struct tcewin_adopted *entry = tcewin_adopted_get(table_group);

	if (!WARN_ON_ONCE(!entry))
		tcewin_release(entry, dev);
}

#else

static inline long tcewin_platform_take(const struct iommu_table_group_ops *platform,
					struct iommu_table_group *table_group, struct device *dev)
{
	/* It would put a reference on the table without a check. */
	if (table_group->tables[0])
		platform->take_ownership(table_group);
	return 0;
}

static inline void tcewin_platform_release(const struct iommu_table_group_ops *platform,
					   struct iommu_table_group *table_group,
					   struct device *dev)
{
	platform->release_ownership(table_group);
}

/* The group was claimed before: the PE is the user's already, and stays so until it is let go. */
static inline void tcewin_take_ownership(struct iommu_table_group *table_group)
{
}

static inline void tcewin_release_ownership(struct iommu_table_group *table_group)
{
}

#endif
#endif
