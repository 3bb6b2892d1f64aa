/* SPDX-License-Identifier: GPL-2.0-only */
/* The pages that stay mapped, as the driver sees them. */
#ifndef EDU_HOST_KEPT_H
#define EDU_HOST_KEPT_H

#include <linux/types.h>

struct device;
struct driver_attribute;

extern struct driver_attribute driver_attr_kept;

int kept_map(struct device *dev);
dma_addr_t kept_unmap_left(struct device *dev);
void kept_exit(void);

#endif
