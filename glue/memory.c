// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registered memory, kept in the mm's mm_iommu list: KVM looks regions up there, and another
 * container of the same process may have registered the same one. A pin is a reference on an
 * entry of that list.
 */
#include <linux/backing-dev.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
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

/* Not a device's, which a driver may put into that list as a whole, and which has no pages. */
static bool is_memory(struct mm_iommu_table_group_mem_t *mem, unsigned long address)
{
	unsigned long hpa;

	return !mm_iommu_ua_to_hpa(mem, address, PAGE_SHIFT, &hpa) && pfn_valid(PHYS_PFN(hpa));
}

/*
 * Some of it is a file's that is written back: everything else (anonymous memory, shmem, huge
 * pages) leaves memory only when it is not pinned. What is mapped there by now may be another thing than
 * what was pinned: then the pages are dirty early for nothing, or late, but before they are unpinned.
 */
static bool is_of_file(struct mm_struct *mm, unsigned long address, unsigned long end)
{
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(mm);
	for (vma = find_vma(mm, address); vma && vma->vm_start < end && !found;
	     vma = find_vma(mm, vma->vm_end))
		found = vma->vm_file && (vma->vm_flags & VM_SHARED) &&
			mapping_can_writeback(vma->vm_file->f_mapping);
	mmap_read_unlock(mm);
	return found;
}

int tcewin_host_pin(void *cookie, tcewin_u64 address, tcewin_u64 size, void **pin,
		    tcewin_u32 *to_file)
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
	if (!is_memory(mem, address)) {
		mm_iommu_put(mm, mem);
		return TCEWIN_FAULT;
	}
	*pin = mem;
	*to_file = is_of_file(mm, address, address + size);
	return TCEWIN_OK;
}

int tcewin_host_unpin(void *cookie, void *pin)
{
	struct tcewin_mm *mm = cookie;
	long ret = mm_iommu_put(mm->mm, pin);

	if (ret == -EBUSY)
		return TCEWIN_STILL_MAPPED;
	if (ret)
		tcewin_host_event(NULL, TCEWIN_EVENT_BUG, "memory is not in the list", ret);
	return TCEWIN_OK;
}

/*
 * So many bytes from a page on are certainly where they seem to be: the page, or what is left of a
 * huge one. hugetlbfs maps that whole or not at all, and one pinned page of it keeps the rest.
 */
static unsigned long certain(unsigned long hpa, unsigned long address)
{
	struct page *page;

	if (!IS_ALIGNED(hpa, SZ_1M))
		return PAGE_SIZE;
	page = pfn_to_page(PHYS_PFN(hpa));
	if (!PageHuge(page) || !PageHead(page) || !IS_ALIGNED(address, page_size(page)))
		return PAGE_SIZE;
	return page_size(page);
}

tcewin_u32 tcewin_host_pin_extents(void *pin, tcewin_u64 address, tcewin_u64 size,
				   struct tcewin_extent *extents, tcewin_u32 room)
{
	struct tcewin_extent *last = NULL;
	unsigned long step, hpa;
	u32 count = 0;
	u64 at;

	for (at = 0; at < size; at += step) {
		if (mm_iommu_ua_to_hpa(pin, address + at, PAGE_SHIFT, &hpa))
			return 0;
		step = min_t(u64, certain(hpa, address + at), size - at);
		if (last && last->real + last->bytes == hpa) {
			last->bytes += step;
			continue;
		}
		if (count == room)
			break;
		last = &extents[count++];
		*last = (struct tcewin_extent){ .real = hpa, .bytes = step };
	}
	return count;
}

/*
 * A page of the IOMMU no larger than ours: each pins the page it is in. get_user_pages() counts
 * the same page as often as it is asked.
 */
int tcewin_host_pin_pages(void *cookie, tcewin_u64 address, tcewin_u32 page_shift,
			  tcewin_u64 count, tcewin_u32 writes, tcewin_u64 *reals)
{
	const unsigned int flags = FOLL_LONGTERM | (writes ? FOLL_WRITE : 0);
	/* As many as lie in consecutive pages of ours are pinned at once. */
	const u64 step = page_shift == PAGE_SHIFT ? 32 : 1;
	struct page *pages[32];
	u64 done = 0;
	long n, i;

	if (WARN_ON_ONCE(((struct tcewin_mm *)cookie)->mm != current->mm))
		return TCEWIN_FAULT;
	while (done < count) {
		const unsigned long va = address + (done << page_shift);

		n = pin_user_pages_fast(va & PAGE_MASK, min(step, count - done), flags, pages);
		if (n <= 0)
			goto undo;
		for (i = 0; i < n; i++)
			reals[done++] = page_to_phys(pages[i]) | offset_in_page(va);
	}
	return TCEWIN_OK;

undo:
	while (done)
		unpin_user_page(pfn_to_page(PHYS_PFN(reals[--done])));
	return pin_status(n ?: -EFAULT);
}

void tcewin_host_unpin_page(tcewin_u64 real, tcewin_u32 dirty)
{
	struct page *page = pfn_to_page(PHYS_PFN(real));

	unpin_user_pages_dirty_lock(&page, 1, dirty);
}

static noinline void mark_dirty(struct folio *folio)
{
	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

/* Most are dirty already, which is why this is worth being inline. */
static __always_inline struct folio *dirty_folio(unsigned long pfn)
{
	/* It is pinned, so it keeps its size. */
	struct folio *folio = page_folio(pfn_to_page(pfn));

	if (unlikely(!folio_test_dirty(folio)))
		mark_dirty(folio);
	return folio;
}

/*
 * A page that KVM had mapped may be a file's that is written back, up to 6.4: since then none is
 * pinned. Such a page is made dirty by work that may wait for it, with a reference meanwhile.
 */
struct late_dirt {
	struct llist_node node;
	struct folio *folio;
};

static LLIST_HEAD(late_dirts);

static void dirty_late(struct work_struct *work)
{
	struct late_dirt *dirt, *next;

	llist_for_each_entry_safe(dirt, next, llist_del_all(&late_dirts), node) {
		if (!folio_test_dirty(dirt->folio))
			mark_dirty(dirt->folio);
		folio_put(dirt->folio);
		kfree(dirt);
	}
}

static DECLARE_WORK(late_work, dirty_late);

void tcewin_host_dirty_now(tcewin_u64 real, tcewin_u64 bytes)
{
	struct folio *folio = page_folio(pfn_to_page(PHYS_PFN(real)));
	struct address_space *mapping = folio_mapping(folio);
	struct late_dirt *dirt = NULL;

	/* One folio: an IOMMU page of KVM's is no larger than the kernel's, see table.c. */
	if (folio_test_dirty(folio))
		return;
	if (mapping && !folio_test_swapbacked(folio) && mapping_can_writeback(mapping))
		dirt = kmalloc(sizeof(*dirt), GFP_NOWAIT | __GFP_NOWARN);
	if (!dirt) {
		SetPageDirty(folio_page(folio, 0)); /* as the kernel has it for KVM */
		return;
	}
	folio_get(folio);
	dirt->folio = folio;
	llist_add(&dirt->node, &late_dirts);
	schedule_work(&late_work);
}

/**
 * tcewin_memory_exit() - no page waits any more to be made dirty
 *
 * Context: the module's exit.
 */
void tcewin_memory_exit(void)
{
	flush_work(&late_work);
}

static __always_inline void dirty_memory(u64 real, u64 bytes)
{
	const unsigned long last = PHYS_PFN(real + bytes - 1);
	unsigned long pfn = PHYS_PFN(real);
	unsigned int count = 0;

	for (;;) {
		struct folio *folio = dirty_folio(pfn);

		if (pfn == last)
			return;
		pfn = folio_pfn(folio) + folio_nr_pages(folio);
		if (pfn > last)
			return;
		if (++count % 1024 == 0)
			cond_resched();
	}
}

void tcewin_host_dirty(const struct tcewin_piece *pieces, tcewin_u64 count, tcewin_u64 first,
		       tcewin_u64 end)
{
	u64 real = pieces->real + (first - pieces->offset);

	while (--count) {
		pieces++;
		dirty_memory(real, pieces->offset - first);
		first = pieces->offset;
		real = pieces->real;
		if (count % 1024 == 0)
			cond_resched();
	}
	dirty_memory(real, end - first);
}
