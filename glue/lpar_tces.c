// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own entries of a window, for lpar_take.c: none, or all memory at its own address
 * above the window's start, as enable_ddw() of the platform makes them for a host driver.
 */
#include <linux/error-injection.h>
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

static long clear(const struct tcewin_window_info *window, u64 from, u64 end)
{
	u64 count;
	long rc = H_SUCCESS;

	for (; from < end && !rc; from += count << window->page_shift) {
		count = min_t(u64, (end - from) >> window->page_shift, PER_CALL);
		rc = clear_some(window, window->start + from, count);
		cond_resched();
	}
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
	return clear(window, 0, window->size);
}
ALLOW_ERROR_INJECTION(tcewin_tces_clear, ERRNO);

static long put_some(const struct tcewin_window_info *window, __be64 *tces, u64 real, u64 count)
{
	const u64 page = BIT_ULL(window->page_shift), ioba = window->start + real;
	long rc = H_SUCCESS;
	u64 i;

	for (i = 0; i < count; i++)
		tces[i] = cpu_to_be64((real + i * page) | TCE_PCI_READ | TCE_PCI_WRITE);
	if (firmware_has_feature(FW_FEATURE_PUT_TCE_IND))
		return plpar_tce_put_indirect(window->liobn, ioba, __pa(tces), count);
	for (i = 0; i < count && !rc; i++)
		rc = plpar_tce_put(window->liobn, ioba + i * page, be64_to_cpu(tces[i]));
	return rc;
}

static long put(const struct tcewin_window_info *window, __be64 *tces, u64 real, u64 end)
{
	u64 count;
	long rc = H_SUCCESS;

	for (; real < end && !rc; real += count << window->page_shift) {
		count = min_t(u64, (end - real) >> window->page_shift, PER_CALL);
		rc = put_some(window, tces, real, count);
		cond_resched();
	}
	return rc;
}

/* An IOMMU page in which memory only begins or ends counts as a whole. */
static u64 first_of(const struct tcewin_window_info *window, unsigned long pfn)
{
	return ALIGN_DOWN(PFN_PHYS(pfn), BIT_ULL(window->page_shift));
}

static u64 end_of(const struct tcewin_window_info *window, unsigned long pfn)
{
	return ALIGN(PFN_PHYS(pfn), BIT_ULL(window->page_shift));
}

/**
 * tcewin_tces_map() - a window translates to a range of memory
 * @window: the window
 * @pfn: first page of it
 * @pages: how many
 *
 * Return: 0, a hcall status or a negative errno; after a failure it translates to some of it.
 */
long tcewin_tces_map(const struct tcewin_window_info *window, unsigned long pfn,
		     unsigned long pages)
{
	const u64 end = end_of(window, pfn + pages);
	__be64 *tces;
	long rc;

	if (end > window->size)
		return -ERANGE;
	tces = (__be64 *)__get_free_page(GFP_KERNEL);
	if (!tces)
		return -ENOMEM;
	rc = put(window, tces, first_of(window, pfn), end);
	free_page((unsigned long)tces);
	return rc;
}

/**
 * tcewin_tces_unmap() - a window does not translate to a range of memory any more
 * @window: the window
 * @pfn: first page of it
 * @pages: how many
 *
 * Return: the hcall status; after a failure it may still translate.
 */
long tcewin_tces_unmap(const struct tcewin_window_info *window, unsigned long pfn,
		       unsigned long pages)
{
	return clear(window, first_of(window, pfn),
		     min_t(u64, end_of(window, pfn + pages), window->size));
}

static int map_range(unsigned long pfn, unsigned long pages, void *window)
{
	return tcewin_tces_map(window, pfn, pages);
}

/**
 * tcewin_tces_map_memory() - a window translates to all memory that the kernel knows
 * @window: the window, empty
 *
 * Return: as tcewin_tces_map().
 */
long tcewin_tces_map_memory(const struct tcewin_window_info *window)
{
	return walk_system_ram_range(0, ULONG_MAX >> PAGE_SHIFT, (void *)window, map_range);
}
