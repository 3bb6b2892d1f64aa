// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree of an owned PE shows the default window, and nothing of the user's. A device that
 * is hot-added looks there, and a kernel that is loaded meanwhile, for kexec or to save a crash
 * dump, gets a copy. One that is started by kexec finds the default window (tcewin_handles_retire);
 * one that saves a dump finds what the user has left of it, and builds no table of a size that he
 * has chosen.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/list.h>
#include <linux/of.h>
#include <linux/slab.h>
#include "lpar.h"

#define DEFAULT_NAME "ibm,dma-window"

/*
 * A property that was removed stays in its node for good, for whoever may still read it. So there
 * is one per node, and it is added again the next time.
 */
struct slot {
	struct list_head next;
	struct device_node *node;
	struct property *property;
	bool present;
};

static LIST_HEAD(slots);
static DEFINE_MUTEX(slots_lock);

static struct slot *find_slot(const struct device_node *node)
{
	struct slot *slot;

	list_for_each_entry(slot, &slots, next)
		if (slot->node == node)
			return slot;
	return NULL;
}

/* The node may free the property one day, after the module is gone: it has its own memory. */
static struct slot *new_slot(struct device_node *node, int length)
{
	struct slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL);
	struct property *property = kzalloc(sizeof(*property), GFP_KERNEL);

	if (!slot || !property)
		goto free;
	property->name = kstrdup(DEFAULT_NAME, GFP_KERNEL);
	property->value = kzalloc(length, GFP_KERNEL);
	property->length = length;
	if (!property->name || !property->value)
		goto free_property;
	slot->node = of_node_get(node);
	slot->property = property;
	list_add(&slot->next, &slots);
	return slot;

free_property:
	kfree(property->name);
	kfree(property->value);
free:
	kfree(property);
	kfree(slot);
	return NULL;
}

static int add_property(struct device_node *node, const void *value, int length)
{
	struct slot *slot = find_slot(node);

	if (!slot)
		slot = new_slot(node, length);
	if (!slot)
		return TCEWIN_NO_MEMORY;
	if (slot->property->length != length)
		return TCEWIN_FIRMWARE_ERROR;
	memcpy(slot->property->value, value, length);
	if (of_add_property(node, slot->property)) {
		pr_warn_ratelimited("%pOF: cannot add %s\n", node, DEFAULT_NAME);
		return TCEWIN_FIRMWARE_ERROR;
	}
	slot->present = true;
	return TCEWIN_OK;
}

/**
 * tcewin_describes_ddw() - the device tree says that a PE has a DDW
 * @node: of the PE
 *
 * Return: whether that is so.
 */
bool tcewin_describes_ddw(const struct device_node *node)
{
	return of_property_present(node, TCEWIN_DMA64) ||
	       of_property_present(node, TCEWIN_DIRECT64);
}

/*
 * Bare metal describes no windows. Where the platform leaves the hand-over to us (6.1) its property
 * of the default window stays in the tree by itself.
 */
static bool describes_windows(const struct tcewin_pe_host *host)
{
	const struct tcewin_adopted *entry = container_of(host, struct tcewin_adopted, host);

	return host->node && entry->platform && !tcewin_keeps_platform_ops();
}

/* With the first window, which is the default one; it is there until the user leaves. */
int tcewin_host_window_added(void *pe, const struct tcewin_window_info *window)
{
	const struct tcewin_pe_host *host = pe;
	const struct property *saved;
	int status = TCEWIN_OK;

	if (!describes_windows(host))
		return TCEWIN_OK;
	mutex_lock(&slots_lock);
	saved = of_find_property(host->node, DEFAULT_NAME "-saved", NULL);
	if (saved && !of_property_present(host->node, DEFAULT_NAME))
		status = add_property(host->node, saved->value, saved->length);
	mutex_unlock(&slots_lock);
	return status;
}

/* The default window is described all the same: it comes back. */
void tcewin_host_window_removed(void *pe, const struct tcewin_window_info *window)
{
}

/**
 * tcewin_properties_remove() - nothing of ours is in the device tree
 * @host: the PE, which goes back to the platform: that one adds its own property
 */
void tcewin_properties_remove(const struct tcewin_pe_host *host)
{
	struct slot *slot;

	mutex_lock(&slots_lock);
	slot = find_slot(host->node);
	if (slot && slot->present) {
		of_remove_property(slot->node, slot->property);
		slot->present = false;
	}
	mutex_unlock(&slots_lock);
}

/**
 * tcewin_properties_exit() - forgets the properties that were ever added
 *
 * Context: the module's exit; no window is left, so none is in the tree.
 */
void tcewin_properties_exit(void)
{
	struct slot *slot, *tmp;

	list_for_each_entry_safe(slot, tmp, &slots, next) {
		WARN_ON_ONCE(slot->present);
		list_del(&slot->next);
		of_node_put(slot->node);
		kfree(slot);
	}
}
