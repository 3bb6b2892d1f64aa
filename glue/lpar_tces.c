// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own entries of a window, for lpar_take.c: none, or all memory at its own address
 * above the window's start, as enable_ddw() of the platform makes them for a host driver.
 */
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/firmware.h>
#include <asm/hvcall.h>
#include <asm/plpar_wrappers.h>
#include <asm/tce.h>
#include "lpar.h"

#define PER_CALL 512

static long clear_some(const struct tcewin_window_info *window, u64 ioba, u64 count)
{
	long rc = H_SUCCESS;

	if (firmware_has_feature(FW_FEATURE_STUFF_TCE))
		return plpar_tce_stuff(window->liobn, ioba, 0, count);
	for (; count && !rc; count--, ioba += BIT_ULL(window->page_shift))
		rc = plpar_tce_put(window->liobn, ioba, 0);
	return rc;
}

/**
 * tcewin_tces_clear() - a window translates nothing
 * @window: the window
 *
 * Return: the hcall status; after a failure it may still translate.
 */
long tcewin_tces_clear(const struct tcewin_window_info *window)
{
	const u64 entries = window->size >> window->page_shift;
	u64 at, count;
	long rc = H_SUCCESS;

	for (at = 0; at < entries && !rc; at += count) {
		count = min_t(u64, entries - at, PER_CALL);
		rc = clear_some(window, window->start + (at << window->page_shift), count);
		cond_resched();
	}
	return rc;
}

struct mapping {
	const struct tcewin_window_info *window;
	__be64 *tces;
};

static long put_some(const struct mapping *mapping, u64 real, u64 count)
{
	const struct tcewin_window_info *window = mapping->window;
	const u64 page = BIT_ULL(window->page_shift), ioba = window->start + real;
	long rc = H_SUCCESS;
	u64 i;

	for (i = 0; i < count; i++)
		mapping->tces[i] = cpu_to_be64((real + i * page) | TCE_PCI_READ | TCE_PCI_WRITE);
	if (firmware_has_feature(FW_FEATURE_PUT_TCE_IND))
		return plpar_tce_put_indirect(window->liobn, ioba, __pa(mapping->tces), count);
	for (i = 0; i < count && !rc; i++)
		rc = plpar_tce_put(window->liobn, ioba + i * page, be64_to_cpu(mapping->tces[i]));
	return rc;
}

/* One range of memory; an IOMMU page that it only begins or ends in is mapped as a whole. */
static int map_range(unsigned long pfn, unsigned long pages, void *data)
{
	const struct mapping *mapping = data;
	const u64 page = BIT_ULL(mapping->window->page_shift);
	u64 real = ALIGN_DOWN(PFN_PHYS(pfn), page), count;
	const u64 end = ALIGN(PFN_PHYS(pfn + pages), page);
	long rc = H_SUCCESS;

	if (end > mapping->window->size)
		return -ERANGE;
	for (; real < end && !rc; real += count * page) {
		count = min_t(u64, (end - real) / page, PER_CALL);
		rc = put_some(mapping, real, count);
		cond_resched();
	}
	return rc;
}

/**
 * tcewin_tces_map_memory() - a window translates to all memory that the kernel knows
 * @window: the window, empty
 *
 * Return: 0, a hcall status or a negative errno; after a failure it translates to some of it.
 */
long tcewin_tces_map_memory(const struct tcewin_window_info *window)
{
	struct mapping mapping = {
		.window = window,
		.tces = (__be64 *)__get_free_page(GFP_KERNEL),
	};
	long rc;

	if (!mapping.tces)
		return -ENOMEM;
	rc = walk_system_ram_range(0, ULONG_MAX >> PAGE_SHIFT, &mapping, map_range);
	free_page((unsigned long)mapping.tces);
	return rc;
}
