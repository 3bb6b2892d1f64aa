// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PEs that are ours: each has our iommu_table_group_ops (ownership.c) in front of the
 * platform's, from load or hotplug to unload, as bus.c hears of them.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/cleanup.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include "glue.h"
#include "lpar.h"

/*
 * Who changes the list has this one from the look-up to the end of the change: two functions of a
 * PE may come at the same time, and a device may go while its PE is adopted. A group's mutex is
 * inside of it.
 */
static DEFINE_MUTEX(adopting);
/*
 * Inside of a group's mutex, so nothing that takes that one may be called with it held. Entries in
 * the list are complete. One goes only with the last device of its PE, or with the module.
 */
static DEFINE_MUTEX(adopted_lock);
static LIST_HEAD(adopted);
/* What was nobody's when its devices went for good. The engine may know of it; the module stays. */
static LIST_HEAD(buried);

static struct tcewin_adopted *find(const struct iommu_table_group *table_group)
{
	struct tcewin_adopted *entry;

	lockdep_assert_held(&adopted_lock);
	list_for_each_entry(entry, &adopted, next)
		if (entry->table_group == table_group)
			return entry;
	return NULL;
}

/**
 * tcewin_adopted_get() - the PE of a table group
 * @table_group: of the PE
 *
 * Return: NULL when it is not ours. Context: also under the group's mutex.
 */
struct tcewin_adopted *tcewin_adopted_get(const struct iommu_table_group *table_group)
{
	struct tcewin_adopted *entry;

	mutex_lock(&adopted_lock);
	entry = find(table_group);
	mutex_unlock(&adopted_lock);
	return entry;
}

/* ---- PEs that come and go ---- */

static int nothing(struct device *dev, void *unused)
{
	return 0;
}

/* Whoever was in a callback of the group's operations has left when this returns. */
static void pass_through(struct iommu_table_group *table_group)
{
	iommu_group_for_each_dev(table_group->group, NULL, nothing);
}

static bool is_blocked(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type == IOMMU_DOMAIN_BLOCKED;
}

/* One that is not in the list. */
static void free_entry(struct tcewin_adopted *entry)
{
	tcewin_again_end(entry);
	if (entry->pe)
		tcewin_pe_destroy(entry->pe);
	tcewin_kernel_ddw_forget(entry);
	tcewin_left_forget(&entry->left);
	tcewin_pe_forget(&entry->host);
	mutex_destroy(&entry->tables_lock);
	kfree(entry);
}

static void enlist(struct tcewin_adopted *entry)
{
	lockdep_assert_held(&adopting);
	mutex_lock(&adopted_lock);
	list_add(&entry->next, &adopted);
	mutex_unlock(&adopted_lock);
}

static void delist(struct tcewin_adopted *entry)
{
	lockdep_assert_held(&adopting);
	WRITE_ONCE(entry->table_group->ops, entry->platform);
	pass_through(entry->table_group);
	mutex_lock(&adopted_lock);
	list_del(&entry->next);
	mutex_unlock(&adopted_lock);
}

/* One that was nobody's: nothing of it is freed. */
static void bury(struct tcewin_adopted *entry)
{
	delist(entry);
	tcewin_again_end(entry);
	mutex_lock(&adopted_lock);
	list_add(&entry->next, &buried);
	mutex_unlock(&adopted_lock);
}

static void forget(struct tcewin_adopted *entry)
{
	delist(entry);
	if (entry->holds_module)
		module_put(THIS_MODULE);
	free_entry(entry);
}

/* Windows are made by firmware's DDW calls where they can be, and wanted. */
static bool has_ddw(const struct tcewin_adopted *entry)
{
	return entry->host.has_ddw && tcewin_windows_supported(entry->table_group);
}

static enum tcewin_platform platform(void)
{
	return tcewin_on_powernv() ? TCEWIN_IODA2 : TCEWIN_LPAR;
}

/* One that is not in the list yet, and has nothing of the engine's. */
static struct tcewin_adopted *new_entry(struct iommu_table_group *table_group)
{
	struct tcewin_adopted *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->table_group = table_group;
	entry->platform = table_group->ops;
	mutex_init(&entry->tables_lock);
	tcewin_again_init(entry);
	if (tcewin_pe_find(table_group, &entry->host)) {
		kfree(entry);
		return ERR_PTR(-EINVAL);
	}
	if (!entry->platform)
		tcewin_lpar_describe(entry);
	return entry;
}

/**
 * tcewin_adopt() - the PE of a device becomes ours
 * @pdev: the device
 * @table_group: of the PE, which can be ours
 *
 * If it is not already. It stays as it is if a user had it before us, or if it cannot be read.
 */
void tcewin_adopt(struct pci_dev *pdev, struct iommu_table_group *table_group)
{
	struct tcewin_adopted *entry;

	guard(mutex)(&adopting);
	entry = tcewin_adopted_get(table_group);
	if (entry)
		tcewin_again_device_comes(entry, table_group->group);
	if (entry || is_blocked(&pdev->dev))
		return;
	entry = new_entry(table_group);
	if (IS_ERR(entry))
		return;	/* it is left to the platform */
	entry->no_ddw = !has_ddw(entry);
	if (!tcewin_on_powernv() && tcewin_borrow_wanted(table_group))
		entry->no_ddw = true;
	if (tcewin_pe_adopt(&entry->host, platform(), &entry->pe)) {
		free_entry(entry);
		return;
	}
	enlist(entry);
	WRITE_ONCE(table_group->ops, tcewin_table_group_ops(entry->platform));
	/* A user may have come meanwhile, through the platform's operations. */
	pass_through(table_group);
	if (is_blocked(&pdev->dev) && tcewin_pe_owner(entry->pe) == TCEWIN_OWNER_KERNEL)
		forget(entry);
}

/* What a PE can have that a user owns, and has left its windows. */
static int read_owned(struct tcewin_adopted *entry, struct tcewin_pe_info *info)
{
	if (tcewin_on_powernv())
		return tcewin_powernv_read(entry, info);
	return tcewin_pe_read(&entry->host, entry->table_group, info);
}

/* Release is ours from now on, though take was not. */
static void put_ours_in_front(struct tcewin_adopted *entry)
{
	__module_get(THIS_MODULE);
	entry->holds_module = true;
	WRITE_ONCE(entry->table_group->ops, tcewin_table_group_ops(entry->platform));
}

/**
 * tcewin_adopted() - the PE of a group that a user owns
 * @table_group: of the group
 *
 * One that was owned before the module was loaded is adopted now, if it has DDW: without, the
 * platform has lost the kernel's table.
 *
 * Return: never NULL; -EBUSY until that owner is gone, -EINVAL, -ENOMEM, -EIO.
 */
struct tcewin_adopted *tcewin_adopted(struct iommu_table_group *table_group)
{
	struct tcewin_adopted *entry;
	struct tcewin_pe_info info;
	int ret;

	guard(mutex)(&adopting);
	entry = tcewin_adopted_get(table_group);
	if (entry)
		return entry;
	entry = new_entry(table_group);
	if (IS_ERR(entry))
		return entry;
	ret = has_ddw(entry) ? read_owned(entry, &info) : -EBUSY;
	if (!ret)
		ret = tcewin_errno(tcewin_pe_create(&entry->host, platform(), &info, &entry->pe));
	if (ret) {
		free_entry(entry);
		return ERR_PTR(ret);
	}
	enlist(entry);
	tcewin_set_table_bases(table_group);
	tcewin_devices_forget(table_group, info.second_start);
	if (!tcewin_keeps_platform_ops())
		put_ours_in_front(entry);
	return entry;
}

/**
 * tcewin_adopted_leave() - a PE is in no container any more
 * @entry: what tcewin_adopted() returned
 *
 * Where it has the platform's operations it is ours no longer; but one in quarantine is not left to
 * the platform, which would hand it to the kernel.
 */
void tcewin_adopted_leave(struct tcewin_adopted *entry)
{
	guard(mutex)(&adopting);
	if (entry->table_group->ops != entry->platform)
		return;
	if (tcewin_pe_owner(entry->pe) == TCEWIN_OWNER_QUARANTINED)
		put_ours_in_front(entry);
	else
		forget(entry);
}

static bool has_member(const struct iommu_table_group *table_group)
{
	struct pci_dev *pdev = tcewin_any_member(table_group, NULL);

	pci_dev_put(pdev);
	return pdev;
}

/**
 * tcewin_device_goes() - a device is about to leave its group
 * @pdev: the device
 * @group: its group
 */
void tcewin_device_goes(struct pci_dev *pdev, struct iommu_group *group)
{
	struct tcewin_adopted *entry;

	guard(mutex)(&adopting);
	entry = tcewin_adopted_get(iommu_group_get_iommudata(group));
	if (entry)
		tcewin_again_device_goes(entry, group, pdev);
}

static bool is_users(const struct tcewin_adopted *entry)
{
	const enum tcewin_owner owner = tcewin_pe_owner(entry->pe);

	return owner == TCEWIN_OWNER_USER || owner == TCEWIN_OWNER_HANDING_OVER;
}

/*
 * Its devices are gone. But on an LPAR the table group of one that is nobody's stays, and so does
 * what is wrong with it.
 */
static bool is_over(const struct tcewin_adopted *entry)
{
	return !is_users(entry) && (tcewin_on_powernv() || !tcewin_is_kept(entry)) &&
	       !has_member(entry->table_group);
}

/**
 * tcewin_forget_empty() - PEs without a device are ours no longer
 *
 * The platform may free a table group after its last device is gone.
 */
void tcewin_forget_empty(void)
{
	struct tcewin_adopted *entry, *over;

	guard(mutex)(&adopting);
	do {
		over = NULL;
		mutex_lock(&adopted_lock);
		list_for_each_entry(entry, &adopted, next)
			if (is_over(entry))
				over = entry;
		mutex_unlock(&adopted_lock);
		if (over && tcewin_pe_owner(over->pe) == TCEWIN_OWNER_QUARANTINED)
			bury(over);
		else if (over)
			forget(over);
	} while (over);
}

/**
 * tcewin_forget_node() - the platform is about to free the table group of an LPAR's PE
 * @node: of the PE, which goes
 *
 * Only one that is nobody's is still here. Context: a notifier of the device tree, which whoever
 * adopts may wait for.
 */
void tcewin_forget_node(const struct device_node *node)
{
	struct tcewin_adopted *entry, *tmp;

	mutex_lock(&adopted_lock);
	list_for_each_entry_safe(entry, tmp, &adopted, next) {
		if (entry->host.node != node || has_member(entry->table_group))
			continue;
		list_move(&entry->next, &buried);
		tcewin_pe_forget(&entry->host);
		/* Nothing is wrong with one that the kernel had only no memory for. */
		if (entry->holds_module && tcewin_pe_owner(entry->pe) == TCEWIN_OWNER_RETURNING) {
			entry->holds_module = false;
			module_put(THIS_MODULE);
		}
	}
	mutex_unlock(&adopted_lock);
}

/**
 * tcewin_forget_all() - gives every PE back to the platform
 *
 * Context: the module's exit. Owned PEs hold references on the module, so there are none.
 */
void tcewin_forget_all(void)
{
	struct tcewin_adopted *entry, *tmp;

	mutex_lock(&adopting);
	list_for_each_entry_safe(entry, tmp, &adopted, next)
		forget(entry);
	mutex_unlock(&adopting);
	/* Somebody may be on his way out of what a table's operations were, see table.c. */
	rcu_barrier();
	synchronize_rcu_tasks();
}
