// SPDX-License-Identifier: GPL-2.0-only
/*
 * The struct iommu_table of an LPAR's window that is not the engine's to fill: the in-tree VFIO
 * driver does so, entry by entry, and KVM beside it. Either may hold the table when the window is
 * gone: then it is dead and leads nowhere.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include <asm/plpar_wrappers.h>
#include <asm/tce.h>
#include "glue.h"
#include "table.h"

/**
 * struct foreign_table - one that somebody else fills
 * @table: first, for the kernel frees it
 * @lock: an exchange, against the window's end
 * @dead: the window is gone
 * @addresses: the user address behind each entry, where the other driver keeps them
 */
struct foreign_table {
	struct iommu_table table;
	spinlock_t lock; /* protects the next */
	bool dead;
	struct xarray addresses;
};

static struct foreign_table *to_foreign(struct iommu_table *tbl)
{
	return container_of(tbl, struct foreign_table, table);
}

/* ---- iommu_table_ops ---- */

static int exchange(struct iommu_table *tbl, long index, unsigned long *hpa,
		    enum dma_data_direction *direction)
{
	struct foreign_table *foreign = to_foreign(tbl);
	const u64 ioba = (u64)index << tbl->it_page_shift;
	const unsigned long new = *hpa | iommu_direction_to_tce_perm(*direction);
	unsigned long old = 0, flags;
	long rc = 0;

	spin_lock_irqsave(&foreign->lock, flags);
	if (foreign->dead) {
		rc = *direction == DMA_NONE ? 0 : -ENODEV;
	} else {
		rc = plpar_tce_get(tbl->it_index, ioba, &old);
		if (!rc)
			rc = plpar_tce_put(tbl->it_index, ioba, new);
		if (rc)
			rc = -EIO;
	}
	spin_unlock_irqrestore(&foreign->lock, flags);
	if (rc)
		return rc;
	*direction = iommu_tce_direction(old);
	*hpa = old & ~(TCE_PCI_READ | TCE_PCI_WRITE);
	return 0;
}

static void clear(struct iommu_table *tbl, long index, long pages)
{
	for (; pages > 0; index++, pages--) {
		enum dma_data_direction direction = DMA_NONE;
		unsigned long hpa = 0;

		exchange(tbl, index, &hpa, &direction);
	}
}

static unsigned long get(struct iommu_table *tbl, long index)
{
	unsigned long tce;

	if (READ_ONCE(to_foreign(tbl)->dead) ||
	    plpar_tce_get(tbl->it_index, (u64)index << tbl->it_page_shift, &tce))
		return 0;
	return tce;
}

static __be64 *user_address(struct iommu_table *tbl, long index, bool alloc)
{
	const unsigned long entry = index - tbl->it_offset;

	return entry < tbl->it_size ? tcewin_address(&to_foreign(tbl)->addresses, entry, alloc)
				    : NULL;
}

/* The last reference, perhaps from an RCU callback. The kernel frees the rest. */
static void last_put(struct iommu_table *tbl)
{
	tcewin_addresses_free(&to_foreign(tbl)->addresses);
	module_put(THIS_MODULE);
}

static struct iommu_table_ops foreign_ops = {
	.xchg_no_kill = exchange,
	.useraddrptr = user_address,
	.clear = clear,
	.get = get,
	.free = last_put,
};

/**
 * tcewin_foreign_table_new() - a table for a window
 * @window: what firmware made, empty
 *
 * Return: with one reference, and one on the module until the last is gone; NULL without memory.
 */
struct iommu_table *tcewin_foreign_table_new(const struct tcewin_window_info *window)
{
	struct foreign_table *foreign = kzalloc(sizeof(*foreign), GFP_KERNEL_ACCOUNT);
	struct iommu_table *tbl;

	if (!foreign)
		return NULL;
	spin_lock_init(&foreign->lock);
	tcewin_addresses_init(&foreign->addresses);
	tbl = &foreign->table;
	tbl->it_index = window->liobn;
	tbl->it_page_shift = window->page_shift;
	tbl->it_offset = window->start >> window->page_shift;
	tbl->it_size = window->size >> window->page_shift;
	tbl->it_level_size = tbl->it_size;
	tbl->it_allocated_size = tbl->it_size * sizeof(__be64);
	tbl->it_type = TCE_PCI;
	tbl->it_blocksize = 16;
	tbl->it_ops = &foreign_ops;
	INIT_LIST_HEAD_RCU(&tbl->it_group_list);
	kref_init(&tbl->it_kref);
	__module_get(THIS_MODULE);
	return tbl;
}

/**
 * tcewin_table_is_foreign() - tcewin_foreign_table_new() made it
 * @tbl: a table
 *
 * Return: whether that is so.
 */
bool tcewin_table_is_foreign(const struct iommu_table *tbl)
{
	return tbl->it_ops == &foreign_ops;
}

/**
 * tcewin_foreign_table_kill() - the window is about to go; no entry is written any more
 * @tbl: its table
 */
void tcewin_foreign_table_kill(struct iommu_table *tbl)
{
	struct foreign_table *foreign = to_foreign(tbl);

	spin_lock_irq(&foreign->lock);
	foreign->dead = true;
	spin_unlock_irq(&foreign->lock);
}
