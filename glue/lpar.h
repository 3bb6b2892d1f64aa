/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An LPAR whose kernel has no operations for its PEs (6.1): what lpar_take.c and the files beside
 * it share.
 */
#ifndef TCEWIN_LPAR_H
#define TCEWIN_LPAR_H

#include <linux/build_bug.h>
#include <linux/mutex.h>
#include "glue.h"

struct property;

/*
 * The value of linux,dma64-ddr-window-info and linux,direct64-ddr-window-info, as struct
 * dynamic_dma_window_prop of arch/powerpc/platforms/pseries/iommu.c lies in memory: four bytes of
 * nothing behind the first.
 */
struct tcewin_ddw_value {
	__be32 liobn;
	__be32 unused;	/* 0: everybody may read a property */
	__be64 start;
	__be32 page_shift;
	__be32 window_shift;
};

static_assert(sizeof(struct tcewin_ddw_value) == 24);

#define TCEWIN_DIRECT64 "linux,direct64-ddr-window-info"
#define TCEWIN_DMA64 "linux,dma64-ddr-window-info"

/**
 * struct tcewin_kernel_ddw - the kernel's own 64-bit window of a PE that a user has
 * @property: describes it; its value is what the kernel's list of such windows points to
 * @window: the window, as it was and is to be made again
 * @direct: all memory is mapped in it; otherwise it has a table, tables[1]
 */
struct tcewin_kernel_ddw {
	struct property *property;
	struct tcewin_window_info window;
	bool direct;
};

/* lpar_take.c */
void tcewin_lpar_describe(struct tcewin_adopted *entry);
int tcewin_lpar_take(struct tcewin_adopted *entry, struct tcewin_pe_info *info);
int tcewin_lpar_release(struct tcewin_adopted *entry);

/* lpar_ddw.c */
struct property *tcewin_kernel_ddw_property(const struct device_node *node, bool *direct);
void tcewin_kernel_ddw_read(const struct property *property, struct tcewin_window_info *window);
int tcewin_kernel_ddw_park(struct tcewin_adopted *entry);
int tcewin_kernel_ddw_restore(struct tcewin_adopted *entry);
void tcewin_kernel_ddw_forget(struct tcewin_adopted *entry);

/* lpar_devices.c */
void tcewin_devices_park(struct tcewin_adopted *entry);
void tcewin_devices_restore(struct tcewin_adopted *entry, const struct tcewin_window_info *ddw);

/* lpar_memory.c */
extern struct mutex tcewin_memory_lock;
void tcewin_memory_watch(void);

/* lpar_tces.c */
long tcewin_tces_clear(const struct tcewin_window_info *window);
long tcewin_tces_map(const struct tcewin_window_info *window, unsigned long pfn,
		     unsigned long pages);
long tcewin_tces_unmap(const struct tcewin_window_info *window, unsigned long pfn,
		       unsigned long pages);
long tcewin_tces_map_memory(const struct tcewin_window_info *window);

#endif
