// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registered memory, kept in the mm's mm_iommu list: KVM looks regions up there, and another
 * container of the same process may have registered the same one. A pin is a reference on an
 * entry of that list.
 *
 * KVM counts what it maps in that entry, whichever container registered the memory, and the list
 * does not drop an entry while there is a count. A container may end before the count does: its pin
 * is kept here until then.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/backing-dev.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <asm/mmu_context.h>
#include "glue.h"

/**
 * struct pin - what tcewin_host_pin() returns
 * @mem: the entry of the mm's list
 * @mm: whose list it is, with a reference, once the pin is kept
 * @next: among those that are kept; it is here from the start, for an end must not want memory
 */
struct pin {
	struct mm_iommu_table_group_mem_t *mem;
	struct mm_struct *mm;
	struct list_head next;
};

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

static int get(struct mm_struct *mm, unsigned long address, unsigned long pages,
	       struct mm_iommu_table_group_mem_t **mem)
{
	long ret;

	*mem = mm_iommu_get(mm, address, pages);
	if (!*mem) {
		ret = mm_iommu_new(mm, address, pages, mem);
		/* It overlaps a region: perhaps the same, which another container just made. */
		if (ret == -EINVAL) {
			*mem = mm_iommu_get(mm, address, pages);
			ret = *mem ? 0 : -EINVAL;
		}
		if (ret)
			return pin_status(ret);
	}
	if (is_memory(*mem, address))
		return TCEWIN_OK;
	mm_iommu_put(mm, *mem);
	return TCEWIN_FAULT;
}

/*
 * mm_iommu_new() makes a list of all pages before it looks at one, uncharged, and where there is no
 * memory for that the kernel prints all it knows of memory. So a list may take a sixteenth of it:
 * who registers the same pages over and over has room, who registers mere addresses has not. It is
 * for one call: several at the same time may take as much each.
 */
static bool can_be_listed(unsigned long pages)
{
	return pages / (PAGE_SIZE / 16 / sizeof(u64)) <= totalram_pages();
}

int tcewin_host_pin(void *cookie, tcewin_u64 address, tcewin_u64 size, void **made,
		    tcewin_u32 *to_file)
{
	struct mm_struct *mm = ((struct tcewin_mm *)cookie)->mm;
	struct pin *pin;
	int status;

	if (WARN_ON_ONCE(mm != current->mm))
		return TCEWIN_FAULT;
	/* Before mm_iommu_new() makes a list of that many pages. */
	if (!access_ok((void __user *)address, size))
		return TCEWIN_FAULT;
	if (!can_be_listed(size >> PAGE_SHIFT))
		return TCEWIN_NO_MEMORY;
	/* What only waits to be unpinned is in nobody's way, and is not taken for this. */
	tcewin_memory_settle();

	pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	if (!pin)
		return TCEWIN_NO_MEMORY;
	status = get(mm, address, size >> PAGE_SHIFT, &pin->mem);
	if (status) {
		kfree(pin);
		return status;
	}
	*made = pin;
	*to_file = is_of_file(mm, address, address + size);
	return TCEWIN_OK;
}

static int put(struct mm_struct *mm, const struct pin *pin)
{
	long ret = mm_iommu_put(mm, pin->mem);

	if (ret == -EBUSY)
		return TCEWIN_STILL_MAPPED;
	if (ret)
		tcewin_host_event(NULL, TCEWIN_EVENT_BUG, "memory is not in the list", ret);
	return TCEWIN_OK;
}

int tcewin_host_unpin(void *cookie, void *pin)
{
	struct tcewin_mm *mm = cookie;
	int status = put(mm->mm, pin);

	if (status == TCEWIN_OK)
		kfree(pin);
	return status;
}

/* ---- pins that their containers have left behind ---- */

/* Somebody has let go of memory: one try for all that do so in this time. */
#define SOON (HZ / 50)
/* KVM may have let go without our hearing of it, and so may the in-tree driver. */
#define BACKSTOP (5 * HZ)

static void try_again(struct work_struct *work);

static LIST_HEAD(kept);
static DEFINE_MUTEX(kept_lock);	/* protects the list; whether it is empty anybody may ask */
static DECLARE_DELAYED_WORK(soon, try_again);
static DECLARE_DELAYED_WORK(backstop, try_again);

void tcewin_host_unpin_late(void *cookie, void *data)
{
	struct mm_struct *mm = ((struct tcewin_mm *)cookie)->mm;
	struct pin *pin = data;

	if (tcewin_host_unpin(cookie, pin) == TCEWIN_OK)
		return;
	/* The list that the entry is in goes with the mm. */
	mmgrab(mm);
	pin->mm = mm;
	__module_get(THIS_MODULE);
	mutex_lock(&kept_lock);
	list_add_tail(&pin->next, &kept);
	mutex_unlock(&kept_lock);
	/* Whoever let go just now has seen an empty list. */
	schedule_delayed_work(&soon, SOON);
}

/**
 * tcewin_memory_settle() - unpins what is kept and not mapped any more
 *
 * Context: may sleep, no lock of the engine's is held.
 */
void tcewin_memory_settle(void)
{
	struct pin *pin, *next;

	if (list_empty(&kept))
		return;
	mutex_lock(&kept_lock);
	list_for_each_entry_safe(pin, next, &kept, next) {
		cond_resched();
		if (put(pin->mm, pin) == TCEWIN_STILL_MAPPED)
			continue;
		list_del(&pin->next);
		mmdrop(pin->mm);
		kfree(pin);
		module_put(THIS_MODULE);
	}
	mutex_unlock(&kept_lock);
}

/* It is flushed before the module goes, which it may just have let go. */
static void try_again(struct work_struct *work)
{
	tcewin_memory_settle();
	if (list_empty(&kept))
		return;
	pr_info_once("memory that KVM maps outlives its container; the module stays as long\n");
	schedule_delayed_work(&backstop, BACKSTOP);
}

/**
 * tcewin_memory_uncounted() - somebody maps less of registered memory than before
 *
 * Context: any.
 */
void tcewin_memory_uncounted(void)
{
	if (unlikely(!list_empty(&kept)))
		schedule_delayed_work(&soon, SOON);
}

/* ---- what is behind a pin, and pages of a MAP's ---- */

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

tcewin_u32 tcewin_host_pin_extents(void *data, tcewin_u64 address, tcewin_u64 size,
				   struct tcewin_extent *extents, tcewin_u32 room)
{
	struct mm_iommu_table_group_mem_t *mem = ((struct pin *)data)->mem;
	struct tcewin_extent *last = NULL;
	unsigned long step, hpa;
	u32 count = 0;
	u64 at;

	for (at = 0; at < size; at += step) {
		if (mm_iommu_ua_to_hpa(mem, address + at, PAGE_SHIFT, &hpa))
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

tcewin_u32 tcewin_host_pin_reals(void *data, tcewin_u64 address, tcewin_u32 page_shift,
				 tcewin_u32 count, tcewin_u64 *reals)
{
	struct mm_iommu_table_group_mem_t *mem = ((struct pin *)data)->mem;
	unsigned long hpa;
	u32 i;

	for (i = 0; i < count; i++, address += 1ull << page_shift) {
		if (mm_iommu_ua_to_hpa(mem, address, PAGE_SHIFT, &hpa))
			return 0;
		reals[i] = hpa;
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
	struct address_space *mapping;
	struct late_dirt *dirt = NULL;

	/* One folio: an IOMMU page of KVM's is no larger than the kernel's, see table.c. */
	if (folio_test_dirty(folio))
		return;
	mapping = folio_mapping(folio);
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
 * tcewin_memory_exit() - no page waits any more to be made dirty, and no pin is kept
 *
 * Context: the module's exit. Each pin that is kept holds the module, so there is none: but the
 * work that undid the last one may not have ended.
 */
void tcewin_memory_exit(void)
{
	flush_work(&late_work);
	cancel_delayed_work_sync(&soon);	/* it may begin the other */
	cancel_delayed_work_sync(&backstop);
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
