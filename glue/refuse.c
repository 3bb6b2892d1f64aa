// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a refusal hold. When we refuse a group VFIO_SET_IOMMU goes on to the next driver, and the
 * in-tree one might take it. It does not while it reads what compat/refusal.h has for it, so that
 * is what it reads until the walk over the drivers is over.
 *
 * The end of the walk: vfio_unregister_iommu_driver() of something never registered does nothing,
 * but needs the lock that the walk holds. When our other copy, registered before the in-tree
 * driver, is asked in the same walk, it sees the true number (tcewin_windows_supported()).
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <asm/iommu.h>
#include "glue.h"
#include "refusal.h"
#include "vfio_layout.h"

struct refusal {
	struct list_head next;
	struct work_struct work;
	struct iommu_table_group *table_group;
	struct tcewin_truth truth;
	bool again;		/* refused once more: another walk is on */
};

static LIST_HEAD(refusals);
static DEFINE_MUTEX(refusals_lock);
static struct workqueue_struct *queue;
static const struct vfio_iommu_driver_ops never_registered;

static struct refusal *find(const struct iommu_table_group *table_group)
{
	struct refusal *refusal;

	lockdep_assert_held(&refusals_lock);
	list_for_each_entry(refusal, &refusals, next)
		if (refusal->table_group == table_group)
			return refusal;
	return NULL;
}

static void give_back(struct work_struct *work)
{
	struct refusal *refusal = container_of(work, struct refusal, work);
	struct iommu_table_group *table_group = refusal->table_group;
	bool again;

	do {
		mutex_lock(&refusals_lock);
		refusal->again = false;
		mutex_unlock(&refusals_lock);

		vfio_unregister_iommu_driver(&never_registered);

		mutex_lock(&refusals_lock);
		again = refusal->again;
		if (!again) {
			tcewin_unhide(table_group, &refusal->truth);
			list_del(&refusal->next);
		}
		mutex_unlock(&refusals_lock);
	} while (again);
	kfree(refusal);
}

/**
 * tcewin_refuse() - no other driver may take the group either, in this SET_IOMMU
 * @group: the group that our attach is about to refuse
 * @kind: of the container; v2 when that is not known
 *
 * Context: attach_group of the VFIO core.
 */
void tcewin_refuse(struct iommu_group *group, enum tcewin_container_kind kind)
{
	struct iommu_table_group *table_group = iommu_group_get_iommudata(group);
	struct refusal *refusal;

	if (!table_group || !tcewin_refusal_works(kind))
		return;	/* nobody takes that */
	mutex_lock(&refusals_lock);
	refusal = find(table_group);
	if (refusal) {
		refusal->again = true;
	} else {
		refusal = kzalloc(sizeof(*refusal), GFP_KERNEL | __GFP_NOFAIL);
		INIT_WORK(&refusal->work, give_back);
		refusal->table_group = table_group;
		tcewin_hide(table_group, &refusal->truth);
		list_add(&refusal->next, &refusals);
		queue_work(queue, &refusal->work);
	}
	mutex_unlock(&refusals_lock);
}

/**
 * tcewin_windows_supported() - the windows that a group can have, whatever others read
 * @table_group: of the group
 *
 * Return: 0 without DDW; the platform has -1 for that, which the in-tree driver takes for many.
 */
u32 tcewin_windows_supported(const struct iommu_table_group *table_group)
{
	struct refusal *refusal;
	u32 windows;

	mutex_lock(&refusals_lock);
	refusal = find(table_group);
	windows = tcewin_true_windows(table_group, refusal ? &refusal->truth : NULL);
	mutex_unlock(&refusals_lock);
	return windows == U32_MAX ? 0 : min_t(u32, windows, TCEWIN_WINDOWS_MAX);
}

/* The table group may go with its last device: be done with it by then. */
static int on_bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == BUS_NOTIFY_DEL_DEVICE)
		flush_workqueue(queue);
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = { .notifier_call = on_bus_event };

/**
 * tcewin_refuse_init() - before the first container
 *
 * Return: 0 or a negative errno.
 */
int tcewin_refuse_init(void)
{
	int ret;

	queue = alloc_workqueue("tcewin_refuse", WQ_UNBOUND, 0);
	if (!queue)
		return -ENOMEM;
	ret = bus_register_notifier(&pci_bus_type, &bus_notifier);
	if (ret)
		destroy_workqueue(queue);
	return ret;
}

/**
 * tcewin_refuse_exit() - after the last container; every group reads its own number again
 */
void tcewin_refuse_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
	destroy_workqueue(queue);
}
