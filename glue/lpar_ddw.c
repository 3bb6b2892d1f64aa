// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own 64-bit window of a PE, which a host driver had made, for lpar_take.c: ended when
 * a user comes, made again when he has left.
 *
 * The kernel keeps such windows in a list that nobody else can change: what memory goes online is
 * mapped in each of them, and a driver that wants 64 bits gets what it finds there. But what the
 * list points to is the value of the property that describes the window. So the property stays in
 * the tree, and while the window is gone it names a LIOBN that firmware does not know: the LIOBN
 * that it had may be a user's window by now. (Memory can go online all the same: lpar_memory.c.)
 * To a kernel started by kexec, and to hot-removal, an empty property means that there is no
 * window.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/of.h>
#include <linux/slab.h>
#include <asm/hvcall.h>
#include <asm/iommu.h>
#include <asm/plpar_wrappers.h>
#include "lpar.h"

#define NO_LIOBN U32_MAX

/**
 * tcewin_kernel_ddw_property() - describes the kernel's 64-bit window of a PE
 * @node: of the PE
 * @direct: whether all memory is mapped in it
 *
 * Return: NULL when there is none, or none now.
 */
struct property *tcewin_kernel_ddw_property(const struct device_node *node, bool *direct)
{
	struct property *property = of_find_property(node, TCEWIN_DIRECT64, NULL);

	*direct = property;
	if (!property)
		property = of_find_property(node, TCEWIN_DMA64, NULL);
	return property && property->length >= sizeof(struct tcewin_ddw_value) ? property : NULL;
}

/* ---- the property ---- */

static void write_value(struct tcewin_kernel_ddw *ddw)
{
	struct tcewin_ddw_value *value = ddw->property->value;

	value->start = cpu_to_be64(ddw->window.start);
	value->page_shift = cpu_to_be32(ddw->window.page_shift);
	value->window_shift = cpu_to_be32(ilog2(ddw->window.size));
	value->liobn = cpu_to_be32(ddw->window.liobn);
	ddw->property->length = sizeof(*value);
}

/**
 * tcewin_kernel_ddw_read() - what a property says of a window
 * @property: of tcewin_kernel_ddw_property()
 * @window: filled
 */
void tcewin_kernel_ddw_read(const struct property *property, struct tcewin_window_info *window)
{
	const struct tcewin_ddw_value *value = property->value;

	window->liobn = be32_to_cpu(value->liobn);
	window->start = be64_to_cpu(value->start);
	window->page_shift = be32_to_cpu(value->page_shift);
	window->size = BIT_ULL(be32_to_cpu(value->window_shift));
}

/* Of no size: a driver that asks for all 64 bits goes without. */
static void empty_value(struct tcewin_kernel_ddw *ddw)
{
	struct tcewin_ddw_value *value = ddw->property->value;

	mutex_lock(&tcewin_memory_lock);
	value->liobn = cpu_to_be32(NO_LIOBN);
	value->window_shift = 0;
	ddw->property->length = 0;
	mutex_unlock(&tcewin_memory_lock);
	tcewin_memory_watch();
}

/* ---- the window ---- */

static void tell(struct tcewin_adopted *entry, const char *what, long rc)
{
	tcewin_host_event(&entry->host, TCEWIN_EVENT_FIRMWARE, what, rc);
}

static int remove(struct tcewin_adopted *entry, u32 liobn)
{
	return tcewin_until_done(tcewin_host_ddw_remove(&entry->host, liobn));
}

static int create(struct tcewin_adopted *entry, struct tcewin_window_info *window)
{
	struct tcewin_ddw_window made;
	int status;

	status = tcewin_until_done(tcewin_host_ddw_create(&entry->host, window->page_shift,
							  ilog2(window->size), &made));
	if (!status) {
		window->liobn = made.liobn;
		window->start = made.start;
	}
	return status;
}

/**
 * tcewin_kernel_ddw_park() - the kernel lets go of its 64-bit window, which ends
 * @entry: the PE
 *
 * Should firmware not end it: the engine's reset of all windows follows.
 *
 * Return: a status; OK when there is none.
 */
int tcewin_kernel_ddw_park(struct tcewin_adopted *entry)
{
	struct tcewin_kernel_ddw *ddw;
	unsigned long tce;
	bool direct;
	struct property *property = tcewin_kernel_ddw_property(entry->host.node, &direct);
	long rc;

	if (!property)
		return TCEWIN_OK;	/* or parked still: it could not be made again */
	if (!plpar_tce_get(NO_LIOBN, 0, &tce))
		return TCEWIN_INCOMPATIBLE;
	ddw = kzalloc(sizeof(*ddw), GFP_KERNEL);
	if (!ddw)
		return TCEWIN_NO_MEMORY;
	ddw->property = property;
	ddw->direct = direct;
	tcewin_kernel_ddw_read(property, &ddw->window);
	empty_value(ddw);
	entry->ddw = ddw;
	rc = tcewin_tces_clear(&ddw->window);
	if (rc)
		tell(entry, "emptying the kernel's window", rc);
	rc = remove(entry, ddw->window.liobn);
	if (rc)
		tell(entry, "removing the kernel's window", rc);
	return TCEWIN_OK;
}

/* Memory that comes or goes meanwhile waits until the window is there. */
static long fill(struct tcewin_kernel_ddw *ddw)
{
	long rc = tcewin_tces_clear(&ddw->window);

	mutex_lock(&tcewin_memory_lock);
	if (!rc && ddw->direct)
		rc = tcewin_tces_map_memory(&ddw->window);
	if (!rc)
		write_value(ddw);
	mutex_unlock(&tcewin_memory_lock);
	return rc;
}

/* Its allocator counts from the window's start; two numbers do not. */
static void move_table(struct iommu_table *tbl, const struct tcewin_window_info *window)
{
	const unsigned long by = (window->start >> window->page_shift) - tbl->it_offset;

	tbl->it_index = window->liobn;
	tbl->it_offset += by;
	tbl->it_reserved_start += by;
	tbl->it_reserved_end += by;
}

/**
 * tcewin_kernel_ddw_restore() - the kernel's 64-bit window is made again, perhaps elsewhere
 * @entry: the PE, which the user has left, of which no DDW is left
 *
 * Return: a status; OK when there was none. After a failure it is as parked as before.
 */
int tcewin_kernel_ddw_restore(struct tcewin_adopted *entry)
{
	struct tcewin_kernel_ddw *ddw = entry->ddw;
	long rc;

	if (!ddw)
		return TCEWIN_OK;
	rc = create(entry, &ddw->window);
	if (rc) {
		tell(entry, "making the kernel's window again", rc);
		return TCEWIN_FIRMWARE_ERROR;
	}
	rc = fill(ddw);
	if (rc) {
		tell(entry, "filling the kernel's window again", rc);
		remove(entry, ddw->window.liobn);
		return TCEWIN_FIRMWARE_ERROR;
	}
	if (entry->aside[1].table) {
		move_table(entry->aside[1].table, &ddw->window);
		tcewin_give_back(&entry->aside[1], &entry->table_group->tables[1]);
	}
	return TCEWIN_OK;
}

/**
 * tcewin_kernel_ddw_forget() - no trace of a 64-bit window that was parked is ours
 * @entry: the PE; its window is back, or the PE is gone
 */
void tcewin_kernel_ddw_forget(struct tcewin_adopted *entry)
{
	kfree(entry->ddw);
	entry->ddw = NULL;
}
