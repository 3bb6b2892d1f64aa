// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VFIO core holds of a container. Its ioctls read iommu_data without a lock: it may be
 * NULL, or of a container that is gone, or even another driver's. So it is no pointer but a number
 * that is never used twice, and every callback looks it up and takes a reference.
 */
#include <linux/array_size.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "glue.h"

/*
 * A number of no handle: open() found no memory. open() must not fail, for then the VFIO core
 * would ask the next driver without our having seen the group; attach refuses it instead.
 */
#define NOTHING_OPENED 1UL

/*
 * Read under RCU. Numbers come one after the other, so they need no hash: as many containers as
 * there are lists have one each.
 */
static struct hlist_head handles[64];
static DEFINE_SPINLOCK(handles_lock);
static atomic64_t last_id = ATOMIC64_INIT(NOTHING_OPENED);

static struct hlist_head *list_of(unsigned long id)
{
	return &handles[id % ARRAY_SIZE(handles)];
}

/**
 * tcewin_handle_open() - a new container
 * @kind: v1 or v2
 *
 * Return: what the VFIO core keeps as iommu_data; never NULL nor an error pointer.
 */
void *tcewin_handle_open(enum tcewin_container_kind kind)
{
	struct tcewin_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);

	if (!handle)
		return (void *)NOTHING_OPENED;
	handle->id = atomic64_inc_return(&last_id);
	refcount_set(&handle->users, 1);
	tcewin_mm_init(&handle->mm);
	handle->kind = kind;
	mutex_init(&handle->groups_lock);
	INIT_LIST_HEAD(&handle->groups);
	if (tcewin_container_create(&handle->mm, kind, &handle->container))
		goto free;
	/* A call that is inside when the VFIO core has let go of us is inside of the module. */
	__module_get(THIS_MODULE);
	spin_lock(&handles_lock);
	hlist_add_head_rcu(&handle->link, list_of(handle->id));
	spin_unlock(&handles_lock);
	return (void *)handle->id;

free:
	tcewin_mm_drop(&handle->mm);
	kfree(handle);
	return (void *)NOTHING_OPENED;
}

/* Under RCU, or the lock. */
static struct tcewin_handle *find(unsigned long id)
{
	struct tcewin_handle *handle;

	hlist_for_each_entry_rcu(handle, list_of(id), link, lockdep_is_held(&handles_lock))
		if (handle->id == id)
			return handle;
	return NULL;
}

/**
 * tcewin_handle_close() - no call finds the container any more
 * @data: what tcewin_handle_open() returned
 *
 * Calls that are inside end by themselves; the last one out destroys the container.
 */
void tcewin_handle_close(void *data)
{
	struct tcewin_handle *handle;

	spin_lock(&handles_lock);
	handle = find((unsigned long)data);
	if (handle)
		hlist_del_init_rcu(&handle->link);
	spin_unlock(&handles_lock);
	if (handle)
		tcewin_handle_put(handle);
}

/**
 * tcewin_handle_get() - the container of a number, with a reference
 * @data: what the VFIO core passed, whatever that is
 *
 * Return: NULL when there is none (any more).
 */
struct tcewin_handle *tcewin_handle_get(const void *data)
{
	struct tcewin_handle *handle;

	rcu_read_lock();
	handle = find((unsigned long)data);
	if (handle && !refcount_inc_not_zero(&handle->users))
		handle = NULL;
	rcu_read_unlock();
	return handle;
}

/**
 * tcewin_handle_destroy() - destroys the container, see tcewin_handle_put()
 * @handle: whose last reference is gone
 */
void tcewin_handle_destroy(struct tcewin_handle *handle)
{
	tcewin_container_destroy(handle->container);
	/* Its tables have gone, and with them what was mapped of other containers' memory. */
	tcewin_memory_settle();
	/* Pages that stay pinned are in the mm's list: it must not go away with them. */
	if (!handle->stuck)
		tcewin_mm_drop(&handle->mm);
	kfree_rcu(handle, rcu);
	module_put(THIS_MODULE);
}

/* A container that is not retired yet, with a reference, or NULL. */
static struct tcewin_handle *next_to_retire(void)
{
	struct tcewin_handle *handle, *found = NULL;
	size_t i;

	rcu_read_lock();
	for (i = 0; i < ARRAY_SIZE(handles); i++)
		hlist_for_each_entry_rcu(handle, &handles[i], link)
			if (!found && !handle->retired && refcount_inc_not_zero(&handle->users))
				found = handle;
	rcu_read_unlock();
	return found;
}

/**
 * tcewin_handles_retire() - every container ends its windows and is without PEs from now on
 *
 * Context: the machine is going down; calls that are inside are waited for.
 */
void tcewin_handles_retire(void)
{
	struct tcewin_handle *handle;

	while ((handle = next_to_retire())) {
		handle->retired = true;
		tcewin_container_retire(handle->container);
		tcewin_handle_put(handle);
	}
}

/**
 * tcewin_handles_wait() - waits until no callback of the VFIO core is on its way in or out
 *
 * For the exit of the module, when no container is left and none can be opened, but before the
 * VFIO core forgets our operations. An ioctl gets from reading iommu_driver to
 * tcewin_handle_get(), and from tcewin_handle_put() out of the module, without sleeping; what is
 * between has a reference on the module.
 */
void tcewin_handles_wait(void)
{
	synchronize_rcu_tasks();
}
