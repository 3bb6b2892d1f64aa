// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PE that is nobody's: its user has left, and the kernel cannot have it. Its devices can do no DMA
 * for the kernel (no_dma.c), and its group is claimed: no driver gets it, and no user.
 *
 * Where the kernel had no memory for its own table of it, nothing is wrong with the PE. The kernel
 * is offered it again and again until it has it. Whoever claims the group before that, a user, makes
 * the engine try as well (tcewin_pe_take()).
 *
 * One in quarantine stays claimed as long as it has devices. When all of them have gone and one is
 * found, firmware may be able to show that nothing of the user's is left (tcewin_pe_recover()).
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/workqueue.h>
#include <asm/iommu.h>
#include "glue.h"

/*
 * Of its own, with a rescuer: what it waits for is memory. A driver that binds before the group is
 * claimed would keep the PE from ever being offered.
 */
static struct workqueue_struct *queue;

/* So often once a second, then ever more seldom: it may not be memory that is missing. */
#define SOON_TRIES 10
#define LATEST_SECONDS 64

static bool is_returning(const struct tcewin_adopted *entry)
{
	return tcewin_pe_owner(entry->pe) == TCEWIN_OWNER_RETURNING;
}

/**
 * tcewin_is_kept() - a PE is nobody's
 * @entry: the PE
 *
 * Return: whether that is so.
 */
bool tcewin_is_kept(const struct tcewin_adopted *entry)
{
	return is_returning(entry) || tcewin_pe_owner(entry->pe) == TCEWIN_OWNER_QUARANTINED;
}

/* The kernel may get it as it is. */
static bool is_offered(const struct tcewin_adopted *entry)
{
	return is_returning(entry) || (entry->vacated && tcewin_is_kept(entry));
}

/* The core calls tcewin_take(), which knows by @claimer that nothing is to be taken. */
static void claim(struct tcewin_adopted *entry, struct iommu_group *group)
{
	WRITE_ONCE(entry->claimer, current);
	/* Or somebody has it: at the next try. Without tcewin_take() the PE is not ours any more. */
	if (!iommu_group_claim_dma_owner(group, entry) && !entry->blocked)
		iommu_group_release_dma_owner(group);
	WRITE_ONCE(entry->claimer, NULL);
}

/* The core calls tcewin_release(): there the PE becomes the kernel's, if it is not yet. */
static void disclaim(struct tcewin_adopted *entry, struct iommu_group *group)
{
	WRITE_ONCE(entry->claimer, current);
	iommu_group_release_dma_owner(group);
	WRITE_ONCE(entry->claimer, NULL);
}

static void offer(struct tcewin_adopted *entry, struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);

	if (!group)
		return;
	if (!entry->blocked)
		claim(entry, group);
	/* What the platform allocates it wants at any price, be it a process. */
	if (entry->blocked && is_offered(entry) && !tcewin_memory_at_hand()) {
		entry->dev = &pdev->dev;
		if (!(entry->vacated ? tcewin_pe_recover : tcewin_pe_release)(entry->pe))
			disclaim(entry, group);
		entry->dev = NULL;
	}
	iommu_group_put(group);
}

static unsigned long delay(unsigned int tries)
{
	if (tries < SOON_TRIES)
		return HZ;
	return min(BIT(min(tries - SOON_TRIES, 8U)), (unsigned long)LATEST_SECONDS) * HZ;
}

static void try_again(struct work_struct *work)
{
	struct tcewin_adopted *entry = container_of(to_delayed_work(work), struct tcewin_adopted,
						    again);
	struct pci_dev *pdev = tcewin_any_member(entry->table_group, NULL);

	if (pdev && tcewin_is_kept(entry)) {
		offer(entry, pdev);
		if (is_offered(entry) || (tcewin_is_kept(entry) && !entry->blocked))
			queue_delayed_work(queue, &entry->again, delay(entry->tries++));
	}
	pci_dev_put(pdev);
}

/**
 * tcewin_again_start() - before the first PE
 *
 * Return: 0 or a negative errno.
 */
int tcewin_again_start(void)
{
	queue = alloc_workqueue("tcewin_again", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	return queue ? 0 : -ENOMEM;
}

/**
 * tcewin_again_stop() - after the last
 */
void tcewin_again_stop(void)
{
	destroy_workqueue(queue);
}

/**
 * tcewin_again_init() - nothing is to be tried again
 * @entry: the PE
 */
void tcewin_again_init(struct tcewin_adopted *entry)
{
	INIT_DELAYED_WORK(&entry->again, try_again);
}

static void tell(struct tcewin_adopted *entry, bool first)
{
	if (is_returning(entry) && first)
		pr_warn_ratelimited("%s: no memory for the kernel's table: blocked until there is some\n",
				    entry->host.name);
	if (is_returning(entry) || entry->told)
		return;
	pr_err("%s: in quarantine: blocked until its devices are removed and found again\n",
	       entry->host.name);
	entry->told = true;
}

/**
 * tcewin_again() - nobody shall have a PE, but the kernel as soon as it can
 * @entry: the PE, which is kept
 * @dev: one of its devices
 *
 * The module stays until then. Context: the group's mutex is held.
 */
void tcewin_again(struct tcewin_adopted *entry, struct device *dev)
{
	if (!entry->holds_module) {
		__module_get(THIS_MODULE);
		entry->holds_module = true;
	}
	tcewin_devices_disable(entry->table_group, dev);
	entry->tries = 0;
	tell(entry, !mod_delayed_work(queue, &entry->again, 0));
}

/* The group's mutex is held. */
static int offer_at_once(struct device *dev, void *data)
{
	struct tcewin_adopted *entry = data;

	if (tcewin_is_kept(entry))
		tcewin_release(entry, dev);
	return 1;	/* one device is enough */
}

/**
 * tcewin_again_device_goes() - a device of a PE is about to leave its group
 * @entry: the PE
 * @group: its group, which must not be claimed when its last device leaves it
 * @going: the device
 *
 * On bare metal the PE ends with its last device. The platform wants to have it then.
 */
void tcewin_again_device_goes(struct tcewin_adopted *entry, struct iommu_group *group,
			      const struct pci_dev *going)
{
	struct pci_dev *other = tcewin_any_member(entry->table_group, going);

	if (!other) {
		cancel_delayed_work_sync(&entry->again);
		if (entry->blocked)
			disclaim(entry, group);
		entry->vacated = tcewin_is_kept(entry);
		if (entry->vacated && tcewin_on_powernv()) {
			/* Nobody is to claim the group any more. */
			WRITE_ONCE(entry->claimer, current);
			iommu_group_for_each_dev(group, entry, offer_at_once);
			WRITE_ONCE(entry->claimer, NULL);
		}
		if (entry->vacated && tcewin_on_powernv())
			tcewin_powernv_leave(entry);
	}
	pci_dev_put(other);
}

/* The group's mutex is held: nobody gives the PE to anybody meanwhile. */
static int disable_kept(struct device *dev, void *data)
{
	if (tcewin_is_kept(data))
		tcewin_device_disable(dev);
	return 0;
}

/**
 * tcewin_again_device_comes() - a driver is about to be bound to a device of a PE
 * @entry: the PE
 * @group: its group
 *
 * If it is the first one that is found the kernel gets the PE now, if it can: the driver works then.
 */
void tcewin_again_device_comes(struct tcewin_adopted *entry, struct iommu_group *group)
{
	if (tcewin_is_kept(entry) && entry->vacated)
		iommu_group_for_each_dev(group, entry, offer_at_once);
	iommu_group_for_each_dev(group, entry, disable_kept);
}

/**
 * tcewin_again_end() - nothing is tried any more
 * @entry: the PE, which has no device
 */
void tcewin_again_end(struct tcewin_adopted *entry)
{
	cancel_delayed_work_sync(&entry->again);
}
