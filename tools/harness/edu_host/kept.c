// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page for each device that stays mapped when the driver has left it, so that there is a
 * translation of the kernel's to look for in every kind of window.
 */
#include <linux/device/driver.h>
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "kept.h"

/* Outlives the device and the driver's hold on it; ends with the module. */
struct kept {
	struct list_head next;
	char name[16];
	dma_addr_t bus;
	dma_addr_t left;	/* what the last driver had not unmapped when a new one came */
	char *page;
};

static LIST_HEAD(all_kept);
static DEFINE_MUTEX(kept_lock);
static const char mark[16] = "THE KERNEL'S OWN";

static void fill(struct kept *kept)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE; i += sizeof(mark))
		memcpy(kept->page + i, mark, sizeof(mark));
}

static bool intact(const struct kept *kept)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE; i += sizeof(mark))
		if (memcmp(kept->page + i, mark, sizeof(mark)))
			return false;
	return true;
}

static struct kept *get_kept(const char *name)
{
	struct kept *kept;

	lockdep_assert_held(&kept_lock);
	list_for_each_entry(kept, &all_kept, next)
		if (!strcmp(kept->name, name))
			return kept;
	kept = kzalloc(sizeof(*kept), GFP_KERNEL);
	if (!kept)
		return NULL;
	kept->page = (char *)__get_free_page(GFP_KERNEL);
	if (!kept->page) {
		kfree(kept);
		return NULL;
	}
	strscpy(kept->name, name, sizeof(kept->name));
	list_add_tail(&kept->next, &all_kept);
	return kept;
}

/**
 * kept_map() - a device's page, which nobody unmaps
 * @dev: the device
 *
 * Return: 0 or a negative errno.
 */
int kept_map(struct device *dev)
{
	struct kept *kept;
	int ret = -ENOMEM;

	mutex_lock(&kept_lock);
	kept = get_kept(dev_name(dev));
	if (kept) {
		fill(kept);
		kept->left = kept->bus;
		kept->bus = dma_map_single(dev, kept->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
		ret = dma_mapping_error(dev, kept->bus);
	}
	mutex_unlock(&kept_lock);
	return ret;
}

/**
 * kept_unmap_left() - a device's page is unmapped, late, for the driver that mapped it before
 * @dev: the device
 *
 * Return: the bus address it had, or 0 when there was none.
 */
dma_addr_t kept_unmap_left(struct device *dev)
{
	struct kept *kept;
	dma_addr_t left = 0;

	mutex_lock(&kept_lock);
	list_for_each_entry(kept, &all_kept, next) {
		if (strcmp(kept->name, dev_name(dev)) || !kept->left)
			continue;
		left = kept->left;
		kept->left = 0;
		dma_unmap_single(dev, left, PAGE_SIZE, DMA_BIDIRECTIONAL);
	}
	mutex_unlock(&kept_lock);
	return left;
}

/* "0000:00:00.0 0x800000000123000 intact": a line for each page. */
static ssize_t kept_show(struct device_driver *driver, char *text)
{
	struct kept *kept;
	ssize_t length = 0;

	mutex_lock(&kept_lock);
	list_for_each_entry(kept, &all_kept, next)
		length += sysfs_emit_at(text, length, "%s %#llx %s\n", kept->name,
					(u64)kept->bus, intact(kept) ? "intact" : "changed");
	mutex_unlock(&kept_lock);
	return length;
}

static ssize_t kept_store(struct device_driver *driver, const char *text, size_t length)
{
	struct kept *kept;

	mutex_lock(&kept_lock);
	list_for_each_entry(kept, &all_kept, next)
		fill(kept);
	mutex_unlock(&kept_lock);
	return length;
}
DRIVER_ATTR_RW(kept);

/**
 * kept_exit() - the pages go, with the module
 */
void kept_exit(void)
{
	struct kept *kept, *tmp;

	list_for_each_entry_safe(kept, tmp, &all_kept, next) {
		free_page((unsigned long)kept->page);
		kfree(kept);
	}
}
