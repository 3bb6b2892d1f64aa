// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iommu_table_group_ops of our PEs. The IOMMU core calls take and release through them when a
 * user claims a group or lets it go, once per device of the PE, under the group's mutex; what is
 * done then is the engine's, which asks for the platform's own functions where it wants them.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <asm/iommu.h>
#include "glue.h"
#include "lpar.h"
#include "ownership.h"

/* ---- what the kernel calls ---- */

/**
 * tcewin_take() - a user claims the group of a device
 * @entry: the PE
 * @dev: one of its devices
 *
 * Return: 0, then no translation of the kernel's is left; or a negative errno, then the kernel has
 * the PE as before. Context: the group's mutex is held.
 */
int tcewin_take(struct tcewin_adopted *entry, struct device *dev)
{
	int status;

	entry->dev = dev;
	status = tcewin_pe_take(entry->pe);
	entry->dev = NULL;
	if (status)
		return tcewin_errno(status);
	/* Also that of a device which came after the others had been taken. */
	set_iommu_table_base(dev, NULL);
	if (!entry->holds_module) {
		__module_get(THIS_MODULE);
		entry->holds_module = true;
	}
	return 0;
}

/**
 * tcewin_release() - the user lets the group of a device go
 * @entry: the PE
 * @dev: one of its devices
 *
 * Context: the group's mutex is held.
 */
void tcewin_release(struct tcewin_adopted *entry, struct device *dev)
{
	int status;

	entry->dev = dev;
	status = tcewin_pe_release(entry->pe);
	entry->dev = NULL;
	if (status) {
		/* The module stays, too. */
		if (!entry->told)
			pr_err("%s: in quarantine: blocked until reboot\n", entry->host.name);
		entry->told = true;
		return;
	}
	/* Others have got it with the release of the PE, or the other table that they had. */
	if (!get_iommu_table_base(dev))
		set_iommu_table_base(dev, entry->table_group->tables[0]);
	if (entry->holds_module) {
		/* Unloading waits for the group's mutex, which is held here. */
		entry->holds_module = false;
		module_put(THIS_MODULE);
	}
}

static struct iommu_table_group_ops lpar_ops = {
	.get_table_size = tcewin_get_table_size,
	.create_table = tcewin_create_table,
	.set_window = tcewin_set_window,
	.unset_window = tcewin_unset_window,
	.take_ownership = tcewin_take_ownership,
	.release_ownership = tcewin_release_ownership,
};

/* The platform's windows are what another VFIO driver gets there. */
static struct iommu_table_group_ops powernv_ops = {
	.take_ownership = tcewin_take_ownership,
	.release_ownership = tcewin_release_ownership,
};

/**
 * tcewin_table_group_ops() - ours, to be put in front of the platform's
 * @platform: the platform's
 *
 * Return: never NULL; of all PEs of a machine the same, as the in-tree driver wants it.
 */
struct iommu_table_group_ops *
tcewin_table_group_ops(const struct iommu_table_group_ops *platform)
{
	if (!tcewin_on_powernv())
		return &lpar_ops;
	powernv_ops.get_table_size = platform->get_table_size;
	powernv_ops.create_table = platform->create_table;
	powernv_ops.set_window = platform->set_window;
	powernv_ops.unset_window = platform->unset_window;
	return &powernv_ops;
}

/* ---- what the engine calls ---- */

/**
 * tcewin_set_table_bases() - every device of a PE has the kernel's table of it, or none
 * @table_group: of the PE
 *
 * The platform does this for one device only; the others would keep a table that is freed.
 */
void tcewin_set_table_bases(struct iommu_table_group *table_group)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		if (tcewin_is_member(pdev, table_group))
			set_iommu_table_base(&pdev->dev, table_group->tables[0]);
}

/**
 * tcewin_drop_table_base() - no device of a PE has a table for the kernel's DMA API
 * @table_group: of the PE
 * @tbl: the table, which goes
 *
 * A device that is hot-added while a user owns its PE gets what is in tables[0] from the platform,
 * after take_ownership(). No driver can use it: the group is claimed.
 */
void tcewin_drop_table_base(struct iommu_table_group *table_group, const struct iommu_table *tbl)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		if (tcewin_is_member(pdev, table_group) && get_iommu_table_base(&pdev->dev) == tbl)
			set_iommu_table_base(&pdev->dev, NULL);
}

int tcewin_host_platform_take(void *pe, struct tcewin_pe_info *info)
{
	struct tcewin_adopted *entry = container_of(pe, struct tcewin_adopted, host);
	struct iommu_table_group *table_group = entry->table_group;
	int status;

	if (tcewin_on_powernv())
		return tcewin_powernv_take(entry, info);
	if (entry->no_ddw) {
		status = tcewin_borrow(entry, info);
		tcewin_set_table_bases(table_group);
		return status;
	}
	if (!entry->platform)
		return tcewin_lpar_take(entry, info);
	status = tcewin_take_from_kernel(entry);
	if (status)
		return status;
	tcewin_devices_forget(table_group, 0);
	if (!table_group->tables[0] && !table_group->tables[1] &&
	    !tcewin_pe_read(&entry->host, table_group, info) && info->max_windows)
		return TCEWIN_OK;
	tcewin_give_to_kernel(entry);
	return TCEWIN_FIRMWARE_ERROR;
}

int tcewin_host_platform_release(void *pe)
{
	struct tcewin_adopted *entry = container_of(pe, struct tcewin_adopted, host);
	struct iommu_table_group *table_group = entry->table_group;

	if (tcewin_on_powernv())
		return tcewin_powernv_release(entry);
	if (entry->no_ddw) {
		tcewin_give_back_borrowed(entry);
		tcewin_set_table_bases(table_group);
		return TCEWIN_OK;
	}
	if (!entry->platform)
		return tcewin_lpar_release(entry);
	/* It would look for its property without a check. */
	if (!tcewin_pe_has_default_window(&entry->host))
		return TCEWIN_FIRMWARE_ERROR;
	return tcewin_give_to_kernel(entry);
}
