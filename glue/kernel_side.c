// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's side of a hand-over where the platform has operations for it: those are called here,
 * and what they leave behind is put right. Called by ownership.c and powernv.c.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/error-injection.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <asm/iommu.h>
#include "lpar.h"
#include "ownership.h"

/* Fault injection can refuse for the platform. */
noinline int tcewin_kernel_lets_go(struct tcewin_adopted *entry)
{
	return tcewin_platform_take(entry->platform, entry->table_group, entry->dev);
}
ALLOW_ERROR_INJECTION(tcewin_kernel_lets_go, ERRNO);

/**
 * tcewin_take_from_kernel() - the platform's take_ownership()
 * @entry: the PE, with operations of the platform's
 *
 * Return: a status. After a failure the kernel has the PE as before.
 */
int tcewin_take_from_kernel(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	const int status = tcewin_left_note(&entry->left, table_group->tables[0]);
	int ret;

	if (status)
		return status;
	ret = tcewin_kernel_lets_go(entry);
	if (!ret) {
		tcewin_set_table_bases(table_group);
		return TCEWIN_OK;
	}
	tcewin_left_forget(&entry->left);
	tcewin_host_event(&entry->host, TCEWIN_EVENT_FIRMWARE, "the kernel keeps the PE", ret);
	return TCEWIN_FIRMWARE_ERROR;
}

/*
 * The platform does not tell that it had no memory: neither for its table, nor (on an LPAR) for the
 * map of what is given out of it. Fault injection can say so.
 */
noinline int tcewin_kernel_has_table(struct tcewin_adopted *entry)
{
	const struct iommu_table *tbl = entry->table_group->tables[0];

	return tbl && tbl->it_map ? 0 : -ENOMEM;
}
ALLOW_ERROR_INJECTION(tcewin_kernel_has_table, ERRNO);

/* More than any of the platform's tables needs at once, page by page. */
#define ENOUGH SZ_1M

/**
 * tcewin_memory_at_hand() - the kernel has memory for a table of its own
 *
 * Without pressing for it. Fault injection can say that there is none.
 *
 * Return: 0 or -ENOMEM.
 */
noinline int tcewin_memory_at_hand(void)
{
	struct page *page, *next;
	LIST_HEAD(pages);
	size_t got;

	for (got = 0; got < ENOUGH; got += PAGE_SIZE) {
		page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (!page)
			break;
		list_add(&page->lru, &pages);
	}
	list_for_each_entry_safe(page, next, &pages, lru)
		__free_page(page);
	return got < ENOUGH ? -ENOMEM : 0;
}
ALLOW_ERROR_INJECTION(tcewin_memory_at_hand, ERRNO);

/*
 * The platform empties an LPAR's default window when it has all of its table, not before. It is in
 * firmware already.
 */
static int empty_default_window(struct tcewin_adopted *entry)
{
	struct tcewin_window_info window = { .page_shift = IOMMU_PAGE_SHIFT_4K };
	struct tcewin_pe_info info;
	long rc;

	if (tcewin_pe_read(&entry->host, entry->table_group, &info))
		return TCEWIN_FIRMWARE_ERROR;
	window.liobn = info.default_liobn;
	window.start = info.default_start;
	window.size = info.default_size;
	rc = tcewin_tces_clear(&window);
	if (!rc)
		return TCEWIN_OK;
	tcewin_host_event(&entry->host, TCEWIN_EVENT_FIRMWARE, "emptying the default window", rc);
	return TCEWIN_FIRMWARE_ERROR;
}

/* The default window's property stays in an LPAR's tree: a device that comes now looks for it. */
static int drop_table(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	struct iommu_table *tbl = table_group->tables[0];

	if (tcewin_on_powernv()) {
		if (tbl)
			tcewin_platform_take(entry->platform, table_group, entry->dev);
		return TCEWIN_OK;
	}
	if (tbl) {
		table_group->tables[0] = NULL;
		tcewin_drop_table_base(table_group, tbl);
		iommu_tce_table_put(tbl);
	}
	return empty_default_window(entry);
}

/**
 * tcewin_give_to_kernel() - the platform's release_ownership()
 * @entry: the PE, which has no window
 *
 * Return: a status. NO_MEMORY: no device has a table, and the same may work later. FIRMWARE_ERROR:
 * nor has it, but something may be left in the default window.
 */
int tcewin_give_to_kernel(struct tcewin_adopted *entry)
{
	struct iommu_table_group *table_group = entry->table_group;
	int status = TCEWIN_OK;

	tcewin_platform_release(entry->platform, table_group, entry->dev);
	if (tcewin_kernel_has_table(entry)) {
		status = drop_table(entry) ?: TCEWIN_NO_MEMORY;
	} else {
		tcewin_left_keep(&entry->left, table_group->tables[0]);
	}
	tcewin_set_table_bases(table_group);
	return status;
}

/**
 * tcewin_devices_forget() - no device of a PE knows of a window any more
 * @table_group: of the PE, which no driver uses
 * @offset: of the bypass, as a device has it that is found; 0 on an LPAR
 *
 * The platform does not tell a device that its window has gone. With a next driver that sets no
 * mask, or one for which there is no such window, it would go there, past the table.
 */
void tcewin_devices_forget(const struct iommu_table_group *table_group, u64 offset)
{
	struct pci_dev *pdev = NULL;

	tcewin_for_each_member(pdev, table_group) {
		tcewin_set_bypass(&pdev->dev, false);
		pdev->dev.bus_dma_limit = 0;
		pdev->dev.archdata.dma_offset = offset;
	}
}
