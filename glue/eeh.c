// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_EEH_PE_OP: recovery of a frozen PE by its user, for each group of a container of either
 * kind. The work is the kernel's (arch/powerpc/kernel/eeh.c).
 */
#include <linux/iommu.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <asm/eeh.h>
#include "glue.h"

static int pe_op(struct iommu_group *group, void *data)
{
	const struct vfio_eeh_pe_op *op = data;
	struct eeh_pe *pe = eeh_iommu_group_to_pe(group);

	if (!pe)
		return -ENODEV;
	switch (op->op) {
	case VFIO_EEH_PE_DISABLE:
		return eeh_pe_set_option(pe, EEH_OPT_DISABLE);
	case VFIO_EEH_PE_ENABLE:
		return eeh_pe_set_option(pe, EEH_OPT_ENABLE);
	case VFIO_EEH_PE_UNFREEZE_IO:
		return eeh_pe_set_option(pe, EEH_OPT_THAW_MMIO);
	case VFIO_EEH_PE_UNFREEZE_DMA:
		return eeh_pe_set_option(pe, EEH_OPT_THAW_DMA);
	case VFIO_EEH_PE_GET_STATE:
		return eeh_pe_get_state(pe);
	case VFIO_EEH_PE_RESET_DEACTIVATE:
		return eeh_pe_reset(pe, EEH_RESET_DEACTIVATE, true);
	case VFIO_EEH_PE_RESET_HOT:
		return eeh_pe_reset(pe, EEH_RESET_HOT, true);
	case VFIO_EEH_PE_RESET_FUNDAMENTAL:
		return eeh_pe_reset(pe, EEH_RESET_FUNDAMENTAL, true);
	case VFIO_EEH_PE_CONFIGURE:
		return eeh_pe_configure(pe);
	default:
		return eeh_pe_inject_err(pe, op->err.type, op->err.func, op->err.addr,
					 op->err.mask);
	}
}

static bool known(u32 op)
{
	switch (op) {
	case VFIO_EEH_PE_DISABLE:
	case VFIO_EEH_PE_ENABLE:
	case VFIO_EEH_PE_UNFREEZE_IO:
	case VFIO_EEH_PE_UNFREEZE_DMA:
	case VFIO_EEH_PE_GET_STATE:
	case VFIO_EEH_PE_RESET_DEACTIVATE:
	case VFIO_EEH_PE_RESET_HOT:
	case VFIO_EEH_PE_RESET_FUNDAMENTAL:
	case VFIO_EEH_PE_CONFIGURE:
	case VFIO_EEH_PE_INJECT_ERR:
		return true;
	default:
		return false;
	}
}

/**
 * tcewin_eeh_pe_op() - VFIO_EEH_PE_OP
 * @handle: the container
 * @arg: struct vfio_eeh_pe_op
 *
 * Return: 0 or a negative errno; the positive state of the first group's PE for GET_STATE.
 */
int tcewin_eeh_pe_op(struct tcewin_handle *handle, const void __user *arg)
{
	size_t size = offsetofend(struct vfio_eeh_pe_op, op);
	struct vfio_eeh_pe_op op = {};

	if (copy_from_user(&op, arg, size))
		return -EFAULT;
	if (op.argsz < size || op.flags || !known(op.op))
		return -EINVAL;
	if (op.op == VFIO_EEH_PE_INJECT_ERR) {
		size = offsetofend(struct vfio_eeh_pe_op, err.mask);
		if (op.argsz < size)
			return -EINVAL;
		if (copy_from_user(&op, arg, size))
			return -EFAULT;
		op.op = VFIO_EEH_PE_INJECT_ERR;
	}
	return tcewin_group_each(handle, pe_op, &op);
}
