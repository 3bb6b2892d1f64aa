// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registered memory, kept in the mm's mm_iommu list: KVM looks regions up there, and another
 * container of the same process may have registered the same one. A pin is a reference on an
 * entry of that list.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include <asm/mmu_context.h>
#include "glue.h"

/* The status for what mm_iommu_new() said; a positive number is the pages before a hole. */
static int pin_status(long ret)
{
	switch (ret) {
	case 0:
		return TCEWIN_OK;
	case -ENOMEM:
		return TCEWIN_NO_MEMORY;
	case -EINVAL:
		return TCEWIN_OVERLAP;
	case -EINTR:
	case -ERESTARTSYS:
		return TCEWIN_INTERRUPTED;
	default:
		return TCEWIN_FAULT;
	}
}

int tcewin_host_pin(void *cookie, tcewin_u64 address, tcewin_u64 size, void **pin)
{
	struct mm_struct *mm = ((struct tcewin_mm *)cookie)->mm;
	struct mm_iommu_table_group_mem_t *mem;
	unsigned long pages = size >> PAGE_SHIFT;
	long ret;

	if (WARN_ON_ONCE(mm != current->mm))
		return TCEWIN_FAULT;
	/* Before mm_iommu_new() makes a list of that many pages. */
	if (!access_ok((void __user *)address, size))
		return TCEWIN_FAULT;

	mem = mm_iommu_get(mm, address, pages);
	if (!mem) {
		ret = mm_iommu_new(mm, address, pages, &mem);
		/* It overlaps a region: perhaps the same, which another container just made. */
		if (ret == -EINVAL) {
			mem = mm_iommu_get(mm, address, pages);
			ret = mem ? 0 : -EINVAL;
		}
		if (ret)
			return pin_status(ret);
	}
	*pin = mem;
	return TCEWIN_OK;
}

void tcewin_host_unpin(void *cookie, void *pin)
{
	struct tcewin_mm *mm = cookie;
	long ret = mm_iommu_put(mm->mm, pin);

	if (ret)
		tcewin_host_event(NULL, TCEWIN_EVENT_BUG, "memory is still in use", ret);
}

int tcewin_host_pin_resolve(void *pin, tcewin_u64 address, tcewin_u64 *real)
{
	unsigned long hpa;

	if (mm_iommu_ua_to_hpa(pin, address, PAGE_SHIFT, &hpa))
		return TCEWIN_FAULT;
	*real = hpa;
	return TCEWIN_OK;
}

void tcewin_host_dirty(tcewin_u64 real, tcewin_u64 size)
{
	unsigned long pfn = PHYS_PFN(real);
	unsigned long end = PHYS_PFN(real + size - 1) + 1;

	if (!size)
		return;
	while (pfn < end) {
		struct folio *folio;

		if (!pfn_valid(pfn)) {
			pfn++;
			continue;
		}
		/* It is pinned, so it keeps its size. */
		folio = page_folio(pfn_to_page(pfn));
		if (!folio_test_dirty(folio)) {
			folio_lock(folio);
			folio_mark_dirty(folio);
			folio_unlock(folio);
		}
		pfn = folio_pfn(folio) + folio_nr_pages(folio);
		cond_resched();
	}
}
