/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rest of the kernel's private drivers/vfio/vfio.h that the CRC of vfio_register_iommu_driver
 * covers: a struct vfio_device points to its group. Included by vfio-crc.c alone, and a header
 * because genksyms takes the structures of a .c file for opaque.
 */
#ifndef TCEWIN_COMPAT_VFIO_GROUP_H
#define TCEWIN_COMPAT_VFIO_GROUP_H

struct vfio_group {
	struct device dev;
	struct cdev cdev;
	refcount_t drivers;
	unsigned int container_users;
	struct iommu_group *iommu_group;
	struct vfio_container *container;
	struct list_head device_list;
	struct mutex device_lock;
	struct list_head vfio_next;
	struct list_head container_next;
	enum vfio_group_type type;
	struct mutex group_lock;
	struct kvm *kvm;
	struct file *opened_file;
#if TCEWIN_VFIO_SINCE < 702
	struct blocking_notifier_head notifier;
#endif
#if TCEWIN_VFIO_SINCE >= 602
	struct iommufd_ctx *iommufd;
#endif
#if TCEWIN_VFIO_SINCE >= 603
	spinlock_t kvm_ref_lock;
#endif
#if TCEWIN_VFIO_SINCE >= 606
	unsigned int cdev_device_open_cnt;
#endif
};

#endif
