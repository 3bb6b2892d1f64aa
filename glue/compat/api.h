/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ, as functions that read alike: the answers of the probes (try-*.c, in the
 * generated kernel.h as 0 or 1) are looked at here and nowhere in a .c file of glue/.
 */
#ifndef TCEWIN_COMPAT_API_H
#define TCEWIN_COMPAT_API_H

#include <linux/device.h>
#include <asm/iommu.h>
#include "kernel.h"

#if TCEWIN_HAVE_OWNERSHIP_PER_DEVICE != TCEWIN_HAVE_PLATFORM_IOMMU_OPS
#error "take_ownership() of this kernel returns a status but is not told the device: not supported"
#endif

/* The platform's operations on PEs came to pSeries with its iommu_ops; PowerNV always had some. */
#define TCEWIN_LPAR_HAS_NO_OPS (!TCEWIN_HAVE_PLATFORM_IOMMU_OPS)

/* A driver's DMA goes past the IOMMU's tables. */
#if TCEWIN_HAVE_DMA_BYPASS_FLAG
static inline bool tcewin_has_bypass(const struct device *dev)
{
	return dev_dma_ops_bypass(dev);
}

static inline void tcewin_set_bypass(struct device *dev, bool bypass)
{
	dev_assign_dma_ops_bypass(dev, bypass);
}
#else
static inline bool tcewin_has_bypass(const struct device *dev)
{
	return dev->dma_ops_bypass;
}

static inline void tcewin_set_bypass(struct device *dev, bool bypass)
{
	dev->dma_ops_bypass = bypass;
}
#endif

/* iommu_ops.c: ours, where the platform has none */
#if TCEWIN_HAVE_PLATFORM_IOMMU_OPS
static inline int tcewin_iommu_ops_init(void)
{
	return 0;
}
#else
int tcewin_iommu_ops_init(void);
#endif

#endif
