// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of a container: the PE that its devices share, from the moment that the IOMMU core has
 * taken it from the kernel's DMA API (before attach) until it gives it back (after detach): those
 * two are adopt.c's.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include "glue.h"

struct tcewin_group {
	struct list_head next;
	struct iommu_group *group;
	struct tcewin_adopted *adopted;
};

/*
 * A v1 container has the default window and nothing else, and its user knows of it what GET_INFO
 * has room for.
 */
static int attach(struct tcewin_handle *handle, struct tcewin_adopted *adopted)
{
	struct tcewin_container_info info;
	int status = tcewin_container_attach(handle->container, adopted->pe);

	if (status || handle->kind != TCEWIN_CONTAINER_V1)
		return status;
	status = tcewin_container_get_info(handle->container, &info);
	if (status || info.default_size)
		return status;
	pr_warn_ratelimited("%s: no v1 container: its default window is above 4 GiB\n",
			    adopted->host.name);
	status = tcewin_container_detach(handle->container, adopted->pe);
	return status ?: TCEWIN_NO_DDW;
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
	struct tcewin_adopted *adopted;
	struct tcewin_group *entry;
	int status;

	if (!table_group)
		return -ENODEV;
	if (!iommu_group_dma_owner_claimed(group))
		return -EPERM;
	adopted = tcewin_adopted(table_group);
	if (IS_ERR(adopted))
		return PTR_ERR(adopted);
	if (tcewin_pe_owner(adopted->pe) != TCEWIN_OWNER_USER)
		return -EBUSY;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	if (!entry) {
		tcewin_adopted_leave(adopted);
		return -ENOMEM;
	}
	entry->group = group;
	entry->adopted = adopted;
	status = attach(handle, adopted);
	if (status) {
		handle->stuck |= status == TCEWIN_STUCK;
		tcewin_adopted_leave(adopted);
		kfree(entry);
		return tcewin_errno(status);
	}
	mutex_lock(&handle->groups_lock);
	list_add(&entry->next, &handle->groups);
	mutex_unlock(&handle->groups_lock);
	return 0;
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
 * When a translation cannot be taken back the engine puts the PE into quarantine.
 */
void tcewin_group_detach(struct tcewin_handle *handle, struct iommu_group *group)
{
	struct tcewin_group *entry = find(handle, group);

	if (WARN_ON_ONCE(!entry))
		return;
	mutex_lock(&handle->groups_lock);
	list_del(&entry->next);
	mutex_unlock(&handle->groups_lock);
	if (tcewin_container_detach(handle->container, entry->adopted->pe) == TCEWIN_STUCK) {
		handle->stuck = true;
		tcewin_refuse(group, handle->kind);
	}
	tcewin_adopted_leave(entry->adopted);
	kfree(entry);
}
