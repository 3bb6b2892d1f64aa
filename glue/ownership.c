// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iommu_table_group_ops of our PEs. The IOMMU core calls take and release through them when a
 * user claims a group or lets it go, once per device of the PE, under the group's mutex; what is
 * done then is the engine's, which asks for the platform's own functions where it wants them.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/workqueue.h>
#include <asm/iommu.h>
#include "glue.h"
#include "lpar.h"
#include "ownership.h"

static struct workqueue_struct *queue;

/**
 * tcewin_ownership_init() - before the first PE
 *
 * Return: 0 or a negative errno.
 */
int tcewin_ownership_init(void)
{
	int ret = tcewin_again_start();

	if (ret)
		return ret;
	queue = alloc_workqueue("tcewin_ownership", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (queue)
		return 0;
	tcewin_again_stop();
	return -ENOMEM;
}

/**
 * tcewin_ownership_exit() - after the last
 */
void tcewin_ownership_exit(void)
{
	tcewin_again_stop();
	destroy_workqueue(queue);
}

/* ---- a hand-over, by a worker ---- */

struct hand_over {
	struct work_struct work;
	struct tcewin_pe *pe;
	int (*half)(struct tcewin_pe *pe);
	int status;
};

static void work_on(struct work_struct *work)
{
	struct hand_over *job = container_of(work, struct hand_over, work);

	job->status = job->half(job->pe);
}

/*
 * A shortage is mostly over soon. As long as the group's mutex is held nobody gets in between,
 * before the group is claimed (again.c).
 */
static int release_patiently(struct tcewin_pe *pe)
{
	int tries, status;

	for (tries = 0; tries < 10; tries++) {
		status = tcewin_pe_release(pe);
		if (status != TCEWIN_NO_MEMORY)
			break;
		msleep(100);
	}
	return status;
}

/*
 * A process that lets a group go may be dying, of lack of memory even. For one with a fatal signal
 * the platform's allocations give up early, and the platform does not tell of all of them. So it is
 * a worker that hands over. The group's mutex is held meanwhile, and the worker does not need it.
 */
static int hand_over(struct tcewin_adopted *entry, struct device *dev,
		     int (*half)(struct tcewin_pe *pe))
{
	struct hand_over job = { .pe = entry->pe, .half = half };

	entry->dev = dev;
	INIT_WORK_ONSTACK(&job.work, work_on);
	queue_work(queue, &job.work);
	flush_work(&job.work);
	destroy_work_on_stack(&job.work);
	entry->dev = NULL;
	return job.status;
}

/* ---- what the kernel calls ---- */

/* One that a user has is offered to the kernel with patience, one in quarantine when it may leave it. */
static int hand_back(struct tcewin_adopted *entry, struct device *dev)
{
	if (tcewin_pe_owner(entry->pe) == TCEWIN_OWNER_USER)
		return hand_over(entry, dev, release_patiently);
	return hand_over(entry, dev, entry->vacated ? tcewin_pe_recover : tcewin_pe_release);
}

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

	if (READ_ONCE(entry->claimer) == current)
		entry->blocked = true;
	if (entry->blocked) {	/* it has no window: there is nothing to take */
		set_iommu_table_base(dev, NULL);
		return 0;
	}
	status = hand_over(entry, dev, tcewin_pe_take);
	if (status) {
		if (tcewin_is_kept(entry))
			tcewin_again(entry, dev);
		return tcewin_errno(status);
	}
	entry->vacated = false;
	tcewin_devices_enable(entry->table_group, dev);
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
	const bool ours = READ_ONCE(entry->claimer) == current;
	int status;

	if (entry->blocked && !ours)
		return;	/* the device leaves the PE */
	entry->blocked = false;
	/* Once is enough: this is called for each device of the PE. */
	status = hand_back(entry, dev);
	if (status) {
		if (!ours)
			tcewin_again(entry, dev);
		return;
	}
	entry->vacated = false;
	entry->told = false;
	tcewin_devices_enable(entry->table_group, dev);
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

	tcewin_for_each_member(pdev, table_group)
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

	tcewin_for_each_member(pdev, table_group)
		if (get_iommu_table_base(&pdev->dev) == tbl)
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
	return tcewin_give_to_kernel(entry) ? TCEWIN_STUCK : TCEWIN_FIRMWARE_ERROR;
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
	tcewin_properties_remove(&entry->host);
	/* It would look for its property without a check. */
	if (!tcewin_pe_has_default_window(&entry->host))
		return TCEWIN_FIRMWARE_ERROR;
	return tcewin_give_to_kernel(entry);
}
