// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor of tcewin-bench: on an LPAR a loop of the hypercalls that do most at once, on bare
 * metal one of plain stores, and nothing else. No check, no lock and no list is in it, so
 * no driver is faster. What it writes leads to memory that nobody uses: no device may be at
 * work in that window meanwhile, and who asks has to clear what he wrote.
 */
#define pr_fmt(fmt) "tcewin_floor: " fmt
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/firmware.h>
#include <asm/hvcall.h>

#include "tcewin_floor.h"

#define BATCH		512	/* TCEs that firmware takes in one call */
#define TCE_BOTH	3	/* a device may read and write */
#define OWN_TABLE	SZ_2M	/* bytes; a longer run goes over it again */
#define BLOCK_ORDER	get_order(SZ_16M)	/* the most that POWER kernels have */

static ulong memory;
module_param(memory, ulong, 0444);
MODULE_PARM_DESC(memory, "MiB of contiguous memory to give out");

static __be64 *batch;		/* a page that the hypervisor reads */
static __be64 *own_table;
static struct page **pages;	/* what mmap() gives out */
static ulong given;
static DEFINE_MUTEX(lock);	/* one run at a time */

/* ---- the floor ---- */

static int put_by_hypercall(const struct tcewin_floor_run *run)
{
	u64 page = 1ull << run->page_shift, tce = TCE_BOTH, ioba = run->start, left = run->tces;

	while (left) {
		u64 n = min_t(u64, left, BATCH), i;

		for (i = 0; i < n; i++, tce += page)
			WRITE_ONCE(batch[i], cpu_to_be64(tce));
		if (plpar_hcall_norets(H_PUT_TCE_INDIRECT, run->liobn, ioba, __pa(batch), n))
			return -EIO;
		ioba += n * page;
		left -= n;
	}
	return 0;
}

static int clear_by_hypercall(const struct tcewin_floor_run *run)
{
	u64 page = 1ull << run->page_shift, ioba = run->start, left = run->tces;

	while (left) {
		u64 n = min_t(u64, left, BATCH);

		if (plpar_hcall_norets(H_STUFF_TCE, run->liobn, ioba, 0, n))
			return -EIO;
		ioba += n * page;
		left -= n;
	}
	return 0;
}

static int store(const struct tcewin_floor_run *run)
{
	u64 page = run->clear ? 0 : 1ull << run->page_shift, tce = run->clear ? 0 : TCE_BOTH;
	u64 left = run->tces;

	while (left) {
		u64 n = min_t(u64, left, OWN_TABLE / sizeof(*own_table)), i;

		for (i = 0; i < n; i++, tce += page)
			WRITE_ONCE(own_table[i], cpu_to_be64(tce));
		left -= n;
	}
	return 0;
}

static int measure(struct tcewin_floor_run *run)
{
	ktime_t begin = ktime_get();
	int ret;

	if (!run->liobn)
		ret = store(run);
	else if (run->clear)
		ret = clear_by_hypercall(run);
	else
		ret = put_by_hypercall(run);
	run->nanoseconds = ktime_to_ns(ktime_sub(ktime_get(), begin));
	return ret;
}

static long floor_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	struct tcewin_floor_run run;
	int ret;

	if (request != TCEWIN_FLOOR_RUN)
		return -ENOTTY;
	if (copy_from_user(&run, (void __user *)argument, sizeof(run)))
		return -EFAULT;
	if (run.page_shift < 12 || run.page_shift > 34)
		return -EINVAL;
	if (run.liobn && !firmware_has_feature(FW_FEATURE_LPAR))
		return -EINVAL;
	mutex_lock(&lock);
	ret = measure(&run);
	mutex_unlock(&lock);
	if (!ret && copy_to_user((void __user *)argument, &run, sizeof(run)))
		ret = -EFAULT;
	return ret;
}

/* ---- contiguous memory ---- */

static int floor_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long at = vma->vm_start;

	if (!given)
		return -ENXIO;
	while (at < vma->vm_end) {
		unsigned long n = min(vma_pages(vma), given), left;
		int ret;

		n = min(n, (vma->vm_end - at) >> PAGE_SHIFT);
		left = n;
		ret = vm_insert_pages(vma, at, pages, &left);
		if (ret)
			return ret;
		at += n << PAGE_SHIFT;
	}
	return 0;
}

static void give_back(void)
{
	while (given) {
		given -= 1ul << BLOCK_ORDER;
		__free_pages(pages[given], BLOCK_ORDER);
	}
	vfree(pages);
}

/* Each block is one folio, as huge pages are. */
static int take_memory(void)
{
	ulong blocks = DIV_ROUND_UP(memory << 20, PAGE_SIZE << BLOCK_ORDER), i;

	pages = vcalloc((blocks ?: 1) << BLOCK_ORDER, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	while (blocks--) {
		struct page *block = alloc_pages(GFP_HIGHUSER | __GFP_COMP | __GFP_ZERO | __GFP_NOWARN,
						 BLOCK_ORDER);

		if (!block)
			return -ENOMEM;
		for (i = 0; i < 1ul << BLOCK_ORDER; i++)
			pages[given++] = block + i;
	}
	return 0;
}

/* ---- the module ---- */

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = floor_ioctl,
	.mmap = floor_mmap,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &operations,
};

static void release(void)
{
	if (pages)
		give_back();
	vfree(own_table);
	free_page((unsigned long)batch);
}

static int __init floor_init(void)
{
	int ret = -ENOMEM;

	batch = (__be64 *)get_zeroed_page(GFP_KERNEL);
	own_table = vzalloc(OWN_TABLE);
	if (batch && own_table)
		ret = take_memory();
	if (!ret)
		ret = misc_register(&device);
	if (ret)
		release();
	return ret;
}

static void __exit floor_exit(void)
{
	misc_deregister(&device);
	release();
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_DESCRIPTION("The least that mapping can cost, for tcewin's benchmark");
MODULE_LICENSE("GPL");
