// SPDX-License-Identifier: GPL-2.0-only
/*
 * For configure: what genksyms makes the CRC of vfio_register_iommu_driver from in a kernel whose
 * private vfio.h is that of TCEWIN_VFIO_SINCE. The CRC covers every type that the function's
 * argument leads to, so the includes are those of the kernel's drivers/vfio/container.c.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/fs.h>
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/vfio.h>
#include <uapi/linux/vfio.h>
#include <linux/device.h>
#include <linux/cdev.h>
#include <linux/module.h>
#include "../vfio_layout.h"
#include "vfio_group.h"

int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_register_iommu_driver);
