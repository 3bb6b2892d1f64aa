// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers left mapped in the default window when a user came, where the platform frees the
 * kernel's table then, and makes a new one for the same addresses when he has left. Such a driver
 * may unmap late. The new table would take that for the end of what another driver has mapped at
 * the address meanwhile. So what was in use is in use in the new table, too, until it is unmapped.
 *
 * Whoever unmaps while the user is there finds no table: his addresses are nobody's from then on.
 * The kernel's 64-bit windows are not looked after: the platform makes such a table when a driver
 * asks for it, and nobody is told.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include "glue.h"

/* Nobody is given bit 0 of a table that begins at 0, nor its reserved part. */
static bool is_anything_left(const struct iommu_table *tbl)
{
	const unsigned long reserved = tbl->it_reserved_start - tbl->it_offset;
	const unsigned long end = tbl->it_reserved_end - tbl->it_offset;
	unsigned long bit = tbl->it_offset ? 0 : 1;

	for (;;) {
		bit = find_next_bit(tbl->it_map, tbl->it_size, bit);
		if (bit >= tbl->it_size)
			return false;
		if (bit < reserved || bit >= end)
			return true;
		bit = end;
	}
}

/**
 * tcewin_left_note() - what is mapped in the kernel's table, which is about to go
 * @left: where that is noted, until tcewin_left_keep() or tcewin_left_forget()
 * @tbl: the table; NULL when there is none
 *
 * Return: a status.
 */
int tcewin_left_note(struct tcewin_left *left, const struct iommu_table *tbl)
{
	if (!tbl || !tbl->it_map || !is_anything_left(tbl))
		return TCEWIN_OK;
	left->map = kvcalloc(BITS_TO_LONGS(tbl->it_size), sizeof(*left->map), GFP_KERNEL);
	if (!left->map)
		return TCEWIN_NO_MEMORY;
	left->start = tbl->it_offset;
	left->size = tbl->it_size;
	left->page_shift = tbl->it_page_shift;
	bitmap_copy(left->map, tbl->it_map, tbl->it_size);
	return TCEWIN_OK;
}

/**
 * tcewin_left_keep() - nobody gets an address that was noted
 * @left: of tcewin_left_note()
 * @tbl: the kernel's new table, which no driver uses yet
 */
void tcewin_left_keep(struct tcewin_left *left, struct iommu_table *tbl)
{
	if (left->map && left->start == tbl->it_offset && left->size == tbl->it_size &&
	    left->page_shift == tbl->it_page_shift)
		bitmap_or(tbl->it_map, tbl->it_map, left->map, left->size);
	tcewin_left_forget(left);
}

/**
 * tcewin_left_forget() - nothing is noted
 * @left: of tcewin_left_note()
 */
void tcewin_left_forget(struct tcewin_left *left)
{
	kvfree(left->map);
	left->map = NULL;
}
