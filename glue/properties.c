// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows of an owned PE in the device tree, as the platform would describe them: hot-added
 * devices and kexec look there. With the last window of ours our last property goes, before the
 * platform's release_ownership() adds its own again.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/of.h>
#include <linux/slab.h>
#include "lpar.h"

#define DEFAULT_NAME "ibm,dma-window"

/*
 * A PE without its default window can have two DDWs. What is found under either name after a kexec
 * is treated alike.
 */
static const char * const ddw_names[] = {
	TCEWIN_DMA64,
	TCEWIN_DIRECT64,
};

/*
 * A property that was removed stays in its node for good, for whoever may still read it. So there
 * is one of each name per node, and it is added again the next time.
 */
struct slot {
	struct list_head next;
	struct device_node *node;
	struct property *property;
	u32 liobn;
	bool present;
};

static LIST_HEAD(slots);
static DEFINE_MUTEX(slots_lock);

static struct slot *find_slot(struct device_node *node, const char *name)
{
	struct slot *slot;

	list_for_each_entry(slot, &slots, next)
		if (slot->node == node && !strcmp(slot->property->name, name))
			return slot;
	return NULL;
}

/* The node may free the property one day, after the module is gone: it has its own memory. */
static struct slot *new_slot(struct device_node *node, const char *name, int length)
{
	struct slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL);
	struct property *property = kzalloc(sizeof(*property), GFP_KERNEL);

	if (!slot || !property)
		goto free;
	property->name = kstrdup(name, GFP_KERNEL);
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

static int add_property(struct device_node *node, const char *name, u32 liobn,
			const void *value, int length)
{
	struct slot *slot = find_slot(node, name);

	if (!slot)
		slot = new_slot(node, name, length);
	if (!slot)
		return TCEWIN_NO_MEMORY;
	if (slot->property->length != length)
		return TCEWIN_FIRMWARE_ERROR;
	memcpy(slot->property->value, value, length);
	if (of_add_property(node, slot->property)) {
		pr_warn_ratelimited("%pOF: cannot add %s\n", node, name);
		return TCEWIN_FIRMWARE_ERROR;
	}
	slot->liobn = liobn;
	slot->present = true;
	return TCEWIN_OK;
}

static int add_default(struct device_node *node, const struct tcewin_window_info *window)
{
	struct property *saved = of_find_property(node, DEFAULT_NAME "-saved", NULL);

	if (!saved || of_property_present(node, DEFAULT_NAME))
		return TCEWIN_OK;	/* the platform left its own where it was */
	return add_property(node, DEFAULT_NAME, window->liobn, saved->value, saved->length);
}

static int add_ddw(struct device_node *node, const struct tcewin_window_info *window)
{
	const struct tcewin_ddw_value value = {
		.liobn = cpu_to_be32(window->liobn),
		.start = cpu_to_be64(window->start),
		.page_shift = cpu_to_be32(window->page_shift),
		.window_shift = cpu_to_be32(ilog2(window->size)),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ddw_names); i++)
		if (!of_find_property(node, ddw_names[i], NULL))
			return add_property(node, ddw_names[i], window->liobn, &value,
					    sizeof(value));
	return TCEWIN_FIRMWARE_ERROR;
}

/**
 * tcewin_describes_ddw() - the device tree says that a PE has a DDW
 * @node: of the PE
 *
 * Return: whether that is so.
 */
bool tcewin_describes_ddw(const struct device_node *node)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ddw_names); i++)
		if (of_property_present(node, ddw_names[i]))
			return true;
	return false;
}

/*
 * Bare metal describes no windows, and the platform its own. Where that leaves the hand-over to us
 * (6.1) its property of the default window stays in the tree, which is enough for a device that is
 * hot-added, and reboot brings that window back. More would do harm: a property that is removed
 * twice ruins the list of those that are gone there (__of_add_property() leaves it in there).
 */
static bool describes_windows(const struct tcewin_pe_host *host)
{
	const struct tcewin_adopted *entry = container_of(host, struct tcewin_adopted, host);

	return host->node && entry->platform && !tcewin_keeps_platform_ops();
}

int tcewin_host_window_added(void *pe, const struct tcewin_window_info *window)
{
	const struct tcewin_pe_host *host = pe;
	int status;

	if (!describes_windows(host))
		return TCEWIN_OK;
	mutex_lock(&slots_lock);
	status = window->is_default ? add_default(host->node, window)
				    : add_ddw(host->node, window);
	mutex_unlock(&slots_lock);
	return status;
}

void tcewin_host_window_removed(void *pe, const struct tcewin_window_info *window)
{
	const struct tcewin_pe_host *host = pe;
	struct slot *slot;

	mutex_lock(&slots_lock);
	list_for_each_entry(slot, &slots, next) {
		if (slot->node != host->node || !slot->present || slot->liobn != window->liobn)
			continue;
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
