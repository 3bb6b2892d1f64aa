/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's object of one table of the engine's, and the addresses that KVM keeps with it. */
#ifndef TCEWIN_TABLE_H
#define TCEWIN_TABLE_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <asm/iommu.h>

struct tcewin_table;

/**
 * struct tcewin_host_table - a table of the engine's as the kernel sees it, see table.c
 * @table: first, for the kernel frees it
 * @lock: shared by an exchange, exclusive to open and close; the window's lock is taken inside
 * @putting: held for each put of KVM's, as table.c says; @lock is taken inside
 * @putter: who holds it for that
 * @engine: the engine's part, NULL while it is closed
 * @open: KVM may begin to put an entry, which it does by asking for the user address
 * @used: it did, at some time
 * @puts: how many are inside of an exchange
 * @idle: woken when none is
 * @mm: of the container; only while it is open, and for the engine
 * @addresses: the user address behind each entry that KVM has put
 * @tce_kill: the platform's (PowerNV)
 */
struct tcewin_host_table {
	struct iommu_table table;
	struct rw_semaphore lock;
	struct mutex putting; /* held for each put of KVM's */
	struct task_struct *putter;
	struct tcewin_table *engine;
	bool open;
	bool used;
	atomic_t puts;
	wait_queue_head_t idle;
	struct tcewin_mm *mm;
	struct xarray addresses;
	void (*tce_kill)(struct iommu_table *tbl, unsigned long index, unsigned long pages);
};

/* table.c */
bool tcewin_is_host_table(const struct iommu_table *tbl);

/* addresses.c */
void tcewin_addresses_init(struct xarray *addresses);
void tcewin_addresses_free(struct xarray *addresses);
void tcewin_addresses_each(struct xarray *addresses, void (*visit)(__be64 *word, void *data),
			   void *data);
__be64 *tcewin_address(struct xarray *addresses, unsigned long entry, bool alloc);

#endif
