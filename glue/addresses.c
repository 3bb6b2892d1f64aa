// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words that a table's it_ops->useraddrptr() points to: the user address behind each entry, for
 * whoever puts entries to keep. Pages of them come when first asked for, and stay until the engine
 * has done with the table.
 */
#include <linux/slab.h>
#include "glue.h"
#include "table.h"

#define ADDRESSES_GFP (GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN)

/**
 * tcewin_addresses_init() - none yet
 * @addresses: to be ended by tcewin_addresses_free()
 */
void tcewin_addresses_init(struct xarray *addresses)
{
	xa_init_flags(addresses, XA_FLAGS_LOCK_IRQ);
}

/**
 * tcewin_address() - the word of an entry
 * @addresses: where it is
 * @entry: number of the entry
 * @alloc: make it if it is not there
 *
 * Return: NULL where there is none, or no memory. Context: any; KVM, which asks, must not sleep.
 */
__be64 *tcewin_address(struct xarray *addresses, unsigned long entry, bool alloc)
{
	const unsigned long key = entry >> TCEWIN_ADDRESSES_SHIFT;
	__be64 *page = xa_load(addresses, key), *other;

	if (!page && alloc) {
		page = kcalloc(TCEWIN_ADDRESSES, sizeof(*page), ADDRESSES_GFP);
		if (!page)
			return NULL;
		other = xa_cmpxchg_irq(addresses, key, NULL, page, ADDRESSES_GFP);
		if (other) {
			kfree(page);
			page = xa_is_err(other) ? NULL : other;
		}
	}
	return page ? &page[entry & (TCEWIN_ADDRESSES - 1)] : NULL;
}

/**
 * tcewin_addresses_each() - calls a function with each word that is not 0
 * @addresses: where they are
 * @visit: the function
 * @data: passed on
 */
void tcewin_addresses_each(struct xarray *addresses, void (*visit)(__be64 *word, void *data),
			   void *data)
{
	unsigned long key, i;
	__be64 *page;

	xa_for_each(addresses, key, page) {
		for (i = 0; i < TCEWIN_ADDRESSES; i++)
			if (READ_ONCE(page[i]))
				visit(&page[i], data);
		cond_resched();
	}
}

/**
 * tcewin_addresses_free() - all of them go
 * @addresses: what tcewin_addresses_init() made
 *
 * Context: any, an RCU callback too.
 */
void tcewin_addresses_free(struct xarray *addresses)
{
	unsigned long key;
	void *page;

	xa_for_each(addresses, key, page)
		kfree(page);
	xa_destroy(addresses);
}
