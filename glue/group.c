// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of a container: the PE that its devices share, from the moment that the IOMMU core has
 * taken it from the kernel's DMA API (before attach) until it gives it back (after detach). The
 * hand-over itself is the platform's; what it wants back are empty tables[] and no window.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include "glue.h"

struct tcewin_group {
	struct list_head next;
	struct iommu_group *group;
	struct tcewin_pe_host host;
	struct tcewin_pe *pe;
};

/*
 * The platform's take_ownership() does this for one device of the PE only; the others would keep
 * a pointer to the table that it freed.
 */
static int forget_table(struct device *dev, void *unused)
{
	set_iommu_table_base(dev, NULL);
	return 0;
}

/* Whether the kernel has let go of the PE. */
static int check_taken(struct iommu_group *group, struct iommu_table_group *table_group)
{
	if (tcewin_is_quarantined(table_group))
		return -EBUSY;
	if (!iommu_group_dma_owner_claimed(group))
		return -EPERM;
	if (table_group->tables[0] || table_group->tables[1]) {
		pr_warn_ratelimited("group %d: the kernel has kept a window of its own\n",
				    iommu_group_id(group));
		return -EBUSY;
	}
	return 0;
}

static int attach_pe(struct tcewin_handle *handle, struct tcewin_group *entry,
		     struct iommu_table_group *table_group)
{
	struct tcewin_pe_info info;
	int ret, status;

	ret = tcewin_pe_find(entry->group, table_group, &entry->host, &info);
	if (ret)
		return ret;
	status = tcewin_pe_create(&entry->host, &info, &entry->pe);
	if (status)
		goto forget;
	iommu_group_for_each_dev(entry->group, NULL, forget_table);
	status = tcewin_container_attach(handle->container, entry->pe);
	if (!status)
		return 0;
	if (status == TCEWIN_STUCK) {
		handle->stuck = true;
		tcewin_quarantine(table_group, &entry->host);
		return -EIO;
	}
	tcewin_pe_destroy(entry->pe);
forget:
	tcewin_pe_forget(&entry->host);
	return tcewin_errno(status);
}

/**
 * tcewin_group_attach() - a group joins a container
 * @handle: the container
 * @group: the group, owned by VFIO
 *
 * Return: 0 or a negative errno, then the group is as before.
 * Context: the VFIO core keeps calls of attach and detach for one container apart.
 */
int tcewin_group_attach(struct tcewin_handle *handle, struct iommu_group *group)
{
	struct iommu_table_group *table_group = iommu_group_get_iommudata(group);
	struct tcewin_group *entry;
	int ret;

	if (!table_group)
		return -ENODEV;
	ret = check_taken(group, table_group);
	if (ret)
		return ret;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	if (!entry)
		return -ENOMEM;
	entry->group = group;
	ret = attach_pe(handle, entry, table_group);
	if (!ret) {
		mutex_lock(&handle->groups_lock);
		list_add(&entry->next, &handle->groups);
		mutex_unlock(&handle->groups_lock);
	} else if (!tcewin_is_quarantined(table_group)) {
		kfree(entry);
	}
	return ret;
}

/**
 * tcewin_group_each() - calls a function with each group until it returns something else than 0
 * @handle: the container
 * @visit: the function; the group does not leave meanwhile
 * @data: passed on
 *
 * Return: what @visit returned last; -ENODEV without a group.
 */
int tcewin_group_each(struct tcewin_handle *handle,
		      int (*visit)(struct iommu_group *group, void *data), void *data)
{
	struct tcewin_group *entry;
	int ret = -ENODEV;

	mutex_lock(&handle->groups_lock);
	list_for_each_entry(entry, &handle->groups, next) {
		ret = visit(entry->group, data);
		if (ret)
			break;
	}
	mutex_unlock(&handle->groups_lock);
	return ret;
}

static struct tcewin_group *find(struct tcewin_handle *handle, struct iommu_group *group)
{
	struct tcewin_group *entry;

	list_for_each_entry(entry, &handle->groups, next)
		if (entry->group == group)
			return entry;
	return NULL;
}

/**
 * tcewin_group_detach() - a group leaves its container, with its windows
 * @handle: the container
 * @group: the group
 *
 * When a translation cannot be taken back the PE goes into quarantine, and what the engine and
 * firmware.c know of it stays for good.
 */
void tcewin_group_detach(struct tcewin_handle *handle, struct iommu_group *group)
{
	struct tcewin_group *entry = find(handle, group);

	if (WARN_ON_ONCE(!entry))
		return;
	mutex_lock(&handle->groups_lock);
	list_del(&entry->next);
	mutex_unlock(&handle->groups_lock);
	if (tcewin_container_detach(handle->container, entry->pe) == TCEWIN_STUCK) {
		handle->stuck = true;
		tcewin_quarantine(iommu_group_get_iommudata(group), &entry->host);
		tcewin_refuse(group);
		return;
	}
	tcewin_pe_destroy(entry->pe);
	tcewin_pe_forget(&entry->host);
	kfree(entry);
}
