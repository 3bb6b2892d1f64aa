/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's object of one table of the engine's, and the addresses that KVM keeps with it. */
#ifndef TCEWIN_TABLE_H
#define TCEWIN_TABLE_H

#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include <asm/iommu.h>

struct tcewin_table;

/**
 * struct tcewin_host_lock - a lock of the engine's
 * @rwsem: the lock itself
 * @gate: a spinlock that KVM's calls are behind: the gate of tcewin/host.h
 * @kref: the engine's reference, and one of each table
 * @rcu: KVM may be about to enter the gate, by operations that a table had until a moment ago
 */
struct tcewin_host_lock {
	struct rw_semaphore rwsem;
	spinlock_t gate; /* protects what struct tcewin_host_table says */
	struct kref kref;
	struct rcu_head rcu;
};

/**
 * struct tcewin_host_table - a table of the engine's as the kernel sees it, see table.c
 * @table: first, for the kernel frees it
 * @lock: the window's, of which the gate is used here
 * @putter: who is putting an entry, and is behind the gate for that
 * @address: of the entry that is being put
 * @near: the page of addresses that was used last behind the gate, NULL before
 * @near_key: its number
 * @engine: the engine's part, NULL while it is closed; protected by the gate
 * @mm: of the container; only while it is open, and for the engine
 * @addresses: the user address behind each entry that KVM has put
 * @doubtful: what was stored before a put that may not have taken place; 0: there is none
 * @tce_kill: the platform's (PowerNV)
 * @dead: the operations of @table once the window is gone
 */
struct tcewin_host_table {
	struct iommu_table table;
	struct tcewin_host_lock *lock;
	struct task_struct *putter;
	__be64 *address;
	__be64 *near;
	unsigned long near_key;
	struct tcewin_table *engine;
	struct tcewin_mm *mm;
	struct xarray addresses;
	__be64 doubtful;
	void (*tce_kill)(struct iommu_table *tbl, unsigned long index, unsigned long pages);
	struct iommu_table_ops dead;
};

/* host.c */
void tcewin_host_lock_put(struct tcewin_host_lock *lock);

/* table.c */
bool tcewin_is_host_table(const struct iommu_table *tbl);

/* addresses.c; so many user addresses lie in one page */
#define TCEWIN_ADDRESSES_SHIFT 9
#define TCEWIN_ADDRESSES BIT(TCEWIN_ADDRESSES_SHIFT)
void tcewin_addresses_init(struct xarray *addresses);
void tcewin_addresses_free(struct xarray *addresses);
void tcewin_addresses_each(struct xarray *addresses, void (*visit)(__be64 *word, void *data),
			   void *data);
__be64 *tcewin_address(struct xarray *addresses, unsigned long entry, bool alloc);

#endif
