/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the in-tree VFIO driver reads of a group that it is to refuse a v2 container. Included by
 * refuse.c alone.
 */
#ifndef TCEWIN_COMPAT_REFUSAL_H
#define TCEWIN_COMPAT_REFUSAL_H

#include <linux/compiler.h>
#include <asm/iommu.h>
#include "api.h"
#include "glue.h"

#if TCEWIN_HAVE_PLATFORM_IOMMU_OPS

/* That it supports no dynamic window. */
struct tcewin_truth {
	u32 windows;
};

static inline bool tcewin_refusal_works(enum tcewin_container_kind kind)
{
	return true;
}

static inline void tcewin_hide(struct iommu_table_group *table_group, struct tcewin_truth *truth)
{
	truth->windows = table_group->max_dynamic_windows_supported;
	table_group->max_dynamic_windows_supported = 0;
}

static inline void tcewin_unhide(struct iommu_table_group *table_group,
				 const struct tcewin_truth *truth)
{
	/* A hot-added device of the PE makes the platform ask firmware again. */
	if (!table_group->max_dynamic_windows_supported)
		table_group->max_dynamic_windows_supported = truth->windows;
}

static inline u32 tcewin_true_windows(const struct iommu_table_group *table_group,
				      const struct tcewin_truth *truth)
{
	return truth ? truth->windows : table_group->max_dynamic_windows_supported;
}

#else

/* That nobody can take it. A v1 container is refused as long as somebody can. */
struct tcewin_truth {
	struct iommu_table_group_ops *ops;
};

static struct iommu_table_group_ops tcewin_no_ops;

static inline bool tcewin_refusal_works(enum tcewin_container_kind kind)
{
	return kind != TCEWIN_CONTAINER_V1;
}

static inline void tcewin_hide(struct iommu_table_group *table_group, struct tcewin_truth *truth)
{
	truth->ops = table_group->ops;
	WRITE_ONCE(table_group->ops, &tcewin_no_ops);
}

static inline void tcewin_unhide(struct iommu_table_group *table_group,
				 const struct tcewin_truth *truth)
{
	WRITE_ONCE(table_group->ops, truth->ops);
}

static inline u32 tcewin_true_windows(const struct iommu_table_group *table_group,
				      const struct tcewin_truth *truth)
{
	return table_group->max_dynamic_windows_supported;
}

#endif
#endif
