// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of the kernel's, put aside while a user has its window, for borrow.c and lpar_take.c:
 * full to the kernel's allocator, so that nobody gets an address out of it, and in no place of
 * tables[]. It comes back as it was. What it translates meanwhile is the caller's business.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include "glue.h"

/* Nothing can be allocated from the pool any more; what was, is noted in @map. */
static void fill_pool(struct iommu_table *tbl, struct iommu_pool *pool, unsigned long *map)
{
	unsigned long bit = pool->start, flags;

	spin_lock_irqsave(&pool->lock, flags);
	for_each_set_bit_from(bit, tbl->it_map, pool->end)
		__set_bit(bit, map);
	bitmap_set(tbl->it_map, pool->start, pool->end - pool->start);
	spin_unlock_irqrestore(&pool->lock, flags);
}

/* Everything can be, but for that. */
static void reopen_pool(struct iommu_table *tbl, struct iommu_pool *pool, const unsigned long *map)
{
	unsigned long bit = pool->start, flags;

	spin_lock_irqsave(&pool->lock, flags);
	for_each_clear_bit_from(bit, map, pool->end)
		__clear_bit(bit, tbl->it_map);
	spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * tcewin_put_aside() - the kernel's allocator lets go of a table
 * @aside: where it is put, with what was given out of it
 * @place: where it was; none any more
 *
 * Return: a status.
 */
int tcewin_put_aside(struct tcewin_aside *aside, struct iommu_table **place)
{
	struct iommu_table *tbl = *place;
	unsigned long i;

	aside->map = kvcalloc(BITS_TO_LONGS(tbl->it_size), sizeof(*aside->map), GFP_KERNEL);
	if (!aside->map)
		return TCEWIN_NO_MEMORY;
	aside->table = tbl;
	*place = NULL;
	for (i = 0; i < tbl->nr_pools; i++)
		fill_pool(tbl, &tbl->pools[i], aside->map);
	fill_pool(tbl, &tbl->large_pool, aside->map);
	return TCEWIN_OK;
}

/**
 * tcewin_give_back() - the kernel's allocator has the table again
 * @aside: where it was put
 * @place: where it belongs
 *
 * What drivers had not freed is still theirs, though it leads nowhere now.
 */
void tcewin_give_back(struct tcewin_aside *aside, struct iommu_table **place)
{
	struct iommu_table *tbl = aside->table;
	unsigned long i;

	for (i = 0; i < tbl->nr_pools; i++)
		reopen_pool(tbl, &tbl->pools[i], aside->map);
	reopen_pool(tbl, &tbl->large_pool, aside->map);
	kvfree(aside->map);
	aside->map = NULL;
	aside->table = NULL;
	*place = tbl;
}
