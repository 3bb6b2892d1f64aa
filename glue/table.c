// SPDX-License-Identifier: GPL-2.0-only
/*
 * The struct iommu_table of a window that the engine owns, as KVM finds it in tables[] of a PE's
 * table group (places.c): complete, and open as long as the window is there. KVM may hold it for
 * longer: then it leads nowhere, and needs nothing of the module.
 *
 * KVM walks its list of tables without a lock, and frees what is in the list by call_rcu(): on a
 * kernel that is not preempted that is safe as long as nothing that it calls may sleep, not even
 * take a free lock that could. So everything here is behind the gate of the window's lock, a
 * spinlock, and only asks whether somebody has the lock itself. Then a put is left to userspace:
 * useraddrptr() says NULL. A clear cannot be refused, see tcewin_table_clear().
 *
 * How KVM counts, and what follows. Before it puts an entry it counts one for the registered memory
 * behind it; then it exchanges the entry, and when it hears that there was one before, it uncounts
 * what the entry's user address names; last it stores the new user address. It locks nothing, so
 * two CPUs that put one entry would uncount what the other one did not mean. Hence it never hears
 * of an entry that was there: the exchange uncounts, and a put is behind the gate, with the
 * window's lock free, from asking for the user address until its tce_kill, when that is stored. So an
 * address that is stored is a count that is owed, and who has the window's lock finds it there.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include <asm/mmu_context.h>
#include <asm/tce.h>
#include "glue.h"
#include "table.h"

static struct tcewin_host_table *to_table(struct iommu_table *tbl)
{
	return container_of(tbl, struct tcewin_host_table, table);
}

/* A put has the gate over several calls of KVM's, which sparse cannot follow. */
static void enter(struct tcewin_host_table *table)
{
	spin_lock(&table->lock->gate);
	__release(&table->lock->gate);
}

static void leave(struct tcewin_host_table *table)
{
	__acquire(&table->lock->gate);
	spin_unlock(&table->lock->gate);
}

/* ---- iommu_table_ops ---- */

/*
 * The engine's part for the task, whose mm must be the container's, and for good: what KVM counts
 * and is charged for outlives the call. Behind the gate.
 */
static struct tcewin_table *engine_of(const struct tcewin_host_table *table)
{
	const struct tcewin_mm *mm;

	if (!table->engine)
		return NULL;
	mm = table->mm;
	return tcewin_mm_is_mine(mm) ? table->engine : NULL;
}

static noinline __be64 *far_address(struct tcewin_host_table *table, unsigned long entry, bool alloc)
{
	__be64 *address = tcewin_address(&table->addresses, entry, alloc);

	if (address) {
		table->near = address - (entry & (TCEWIN_ADDRESSES - 1));
		table->near_key = entry >> TCEWIN_ADDRESSES_SHIFT;
	}
	return address;
}

/* tcewin_address(), behind the gate of an open table: a page of them stays as long as it is open. */
static __be64 *address_of(struct tcewin_host_table *table, unsigned long entry, bool alloc)
{
	if (unlikely(!table->near || table->near_key != entry >> TCEWIN_ADDRESSES_SHIFT))
		return far_address(table, entry, alloc);
	return &table->near[entry & (TCEWIN_ADDRESSES - 1)];
}

/* What an address that KVM has stored counts for goes, if nobody else is just about that. */
static bool uncount(struct tcewin_host_table *table, __be64 *address, __be64 stored)
{
	struct mm_iommu_table_group_mem_t *mem;

	if (cmpxchg((__force u64 *)address, (__force u64)stored, 0) != (__force u64)stored)
		return false;
	rcu_read_lock();
	mem = mm_iommu_lookup(table->mm->mm, be64_to_cpu(stored), IOMMU_PAGE_SIZE(&table->table));
	if (mem)
		mm_iommu_mapped_dec(mem);
	rcu_read_unlock();
	tcewin_memory_uncounted();
	return true;
}

/* What the entry was is over: what a device wrote there, and the count for it. */
static void settle_old(struct tcewin_host_table *table, __be64 *address, tcewin_u64 old)
{
	const __be64 stored = address ? READ_ONCE(*address) : 0;

	if (old & TCE_PCI_WRITE)
		tcewin_host_dirty_now(old & ~(TCE_PCI_READ | TCE_PCI_WRITE),
				      IOMMU_PAGE_SIZE(&table->table));
	if (stored)
		uncount(table, address, stored);
}

/* The entry may be what it was as long as the table is there. No other put follows. */
static void keep_old(struct tcewin_host_table *table)
{
	table->doubtful = *table->address;
	WRITE_ONCE(*table->address, 0);
}

/* A put is over, and whoever waits may come. */
static void end_put(struct tcewin_host_table *table)
{
	WRITE_ONCE(table->putter, NULL);
	leave(table);
}

/* This task is inside of a put. Nobody else can make that true or untrue. */
static bool is_putting(const struct tcewin_host_table *table)
{
	return READ_ONCE(table->putter) == current;
}

/* KVM ends each put and each clear with this, failed ones too. */
static void kill(struct iommu_table *tbl, unsigned long index, unsigned long pages)
{
	struct tcewin_host_table *table = to_table(tbl);

	if (is_putting(table))
		end_put(table);
}

/*
 * KVM is about to put an entry, and takes no for an answer here, but not from exchange(). It may
 * put several before tce_kill: others come in between.
 */
static __be64 *begin_put(struct tcewin_host_table *table, unsigned long entry)
{
	struct tcewin_table *engine;
	__be64 *address;

	if (is_putting(table))
		end_put(table);
	enter(table);
	engine = engine_of(table);
	if (!engine || tcewin_table_begin(engine, entry)) {
		leave(table);
		return NULL;
	}
	WRITE_ONCE(table->putter, current);
	/* The engine has charged for it. */
	address = address_of(table, entry, true);
	table->address = address;
	if (!address)
		end_put(table);
	return address;
}

/*
 * The loop of KVM's over a guest's clear, of 2^34 entries perhaps, looks for no signal, and an error
 * that it hears from exchange() it WARNs of. It ends in silence where an entry is said to have been
 * there whose user address is nobody's memory: of the kernel's half of addresses, and never changed.
 */
static __be64 nobodys = cpu_to_be64(BIT_ULL(63));

static bool ends_early(void)
{
	return fatal_signal_pending(current);
}

static __be64 *user_address(struct iommu_table *tbl, long index, bool alloc)
{
	const unsigned long entry = index - tbl->it_offset;

	/* KVM asks whom to uncount. It hears of an entry that was there only where it is to end. */
	if (!alloc)
		return ends_early() ? &nobodys : NULL;
	/*
	 * KVM does not know whether an IOMMU page that is larger than the kernel's lies in registered
	 * memory as a whole: then userspace does it, and the engine looks.
	 */
	if (entry >= tbl->it_size || tbl->it_page_shift > PAGE_SHIFT)
		return NULL;
	return begin_put(to_table(tbl), entry);
}

/* Nobody has asked for a user address: what the guest takes away is not refused. */
static int clear(struct tcewin_host_table *table, unsigned long entry)
{
	struct tcewin_table *engine;
	tcewin_u64 old = 0;
	int ret = 0;

	/* Nothing is there, whatever the size of KVM's own table. */
	if (entry >= table->table.it_size)
		return 0;
	enter(table);
	engine = engine_of(table);
	if (engine)
		ret = tcewin_errno(tcewin_table_clear(engine, entry, &old));
	if (old)
		settle_old(table, address_of(table, entry, false), old);
	leave(table);
	return ret;
}

/* A device's memory, or what is not there, cannot be dirty one day. */
static bool is_memory(const struct iommu_table *tbl, unsigned long hpa)
{
	return IS_ALIGNED(hpa, IOMMU_PAGE_SIZE(tbl)) && pfn_valid(PHYS_PFN(hpa));
}

static int put(struct tcewin_host_table *table, unsigned long entry, unsigned long hpa,
	       enum dma_data_direction direction)
{
	tcewin_u64 tce;
	int status;

	if (!is_putting(table))
		return -ENODEV;
	/* A guest's TCE without permissions comes with an address, and with a count for it. */
	tce = hpa & IOMMU_PAGE_MASK(&table->table);
	/* What KVM would complain of, as often as the guest likes, leads nowhere instead. */
	if (is_memory(&table->table, hpa))
		tce |= iommu_direction_to_tce_perm(direction);
	status = tcewin_table_exchange(table->engine, entry, &tce);
	if (status == TCEWIN_OK) {
		settle_old(table, table->address, tce);
	} else if (status == TCEWIN_STUCK) {
		/* A refusal would take the count away: KVM stores it like any other. */
		keep_old(table);
		status = TCEWIN_OK;
	}
	return tcewin_errno(status);
}

static int exchange(struct iommu_table *tbl, long index, unsigned long *hpa,
		    enum dma_data_direction *direction)
{
	struct tcewin_host_table *table = to_table(tbl);
	const unsigned long entry = index - tbl->it_offset;
	int ret;

	if (is_putting(table) || *direction != DMA_NONE || *hpa) {
		ret = put(table, entry, *hpa, *direction);
	} else if (ends_early()) {
		*direction = DMA_TO_DEVICE;
		return 0;
	} else {
		ret = clear(table, entry);
	}
	if (ret)
		return ret;
	*direction = DMA_NONE;
	*hpa = 0;
	return 0;
}

/* The engine invalidates what it exchanges: tce_kill has nothing else to do. */
static struct iommu_table_ops table_ops = {
	.xchg_no_kill = exchange,
	.useraddrptr = user_address,
	.tce_kill = kill,
};

/*
 * The window is gone, and KVM may have the table for longer; for ever, when it was joined to it
 * twice, for it loses a reference then. So from now on the table needs neither the module's text
 * nor anything but itself: its operations lie in it and are a function of the kernel's that answers
 * 0 whatever it is asked. To KVM this is no user address, with which each put is userspace's, and
 * an exchange in which nothing was there. A put has the gate from its begin to its end, so none
 * began with the operations from before and ends with these.
 */
static void bury(struct tcewin_host_table *table)
{
	table->dead = (struct iommu_table_ops){
		.xchg_no_kill = (void *)noop_fsync,
		.useraddrptr = (void *)noop_fsync,
		.tce_kill = (void *)noop_fsync,
	};
	enter(table);
	smp_store_release(&table->table.it_ops, &table->dead);
	leave(table);
}

/**
 * tcewin_is_host_table() - tcewin_host_table_new() made it
 * @tbl: a table
 *
 * Return: whether that is so.
 */
bool tcewin_is_host_table(const struct iommu_table *tbl)
{
	return tbl->it_ops == &table_ops;
}

/* ---- what the engine calls ---- */

struct tcewin_host_table *tcewin_host_table_new(void *mm, struct tcewin_host_lock *lock,
						const struct tcewin_table_info *info)
{
	struct tcewin_host_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	struct iommu_table *tbl;

	if (!table)
		return NULL;
	kref_get(&lock->kref);
	table->lock = lock;
	table->mm = mm;
	tcewin_addresses_init(&table->addresses);
	tbl = &table->table;
	tbl->it_index = info->liobn;
	tbl->it_page_shift = info->page_shift;
	tbl->it_offset = info->start >> info->page_shift;
	tbl->it_size = info->size >> info->page_shift;
	tbl->it_level_size = info->root ? BIT(info->level_shift) : tbl->it_size;
	tbl->it_indirect_levels = info->levels - 1;
	tbl->it_base = (unsigned long)info->root;
	tbl->it_type = TCE_PCI;
	tbl->it_blocksize = 16;
	tbl->it_ops = &table_ops;
	INIT_LIST_HEAD_RCU(&tbl->it_group_list);
	kref_init(&tbl->it_kref);
	__module_get(THIS_MODULE);
	return table;
}

/*
 * The addresses go now, though KVM may have the table for longer: a closed table gives none out,
 * and whoever had one was behind the gate with it.
 *
 * KVM reads tables[] and takes its reference without a lock, as it walks its own list. Not by
 * call_rcu(): whoever has closed everything may unload the module at once.
 */
void tcewin_host_table_free(struct tcewin_host_table *table)
{
	struct tcewin_host_lock *lock = table->lock;

	bury(table);
	table->table.it_base = 0;
	tcewin_addresses_free(&table->addresses);
	synchronize_rcu_expedited();
	iommu_tce_table_put(&table->table);
	tcewin_host_lock_put(lock);
	module_put(THIS_MODULE);
}

static void set_engine(struct tcewin_host_table *table, struct tcewin_table *engine)
{
	enter(table);
	table->engine = engine;
	table->near = NULL;
	leave(table);
}

void tcewin_host_table_open(struct tcewin_host_table *table, struct tcewin_table *engine)
{
	set_engine(table, engine);
}

/* A put is behind the gate from its begin to its end, so none is under way. */
void tcewin_host_table_close(struct tcewin_host_table *table)
{
	set_engine(table, NULL);
}

int tcewin_host_table_settle(struct tcewin_host_table *table, tcewin_u64 entry)
{
	__be64 *address = tcewin_address(&table->addresses, entry, false);
	const __be64 stored = address ? READ_ONCE(*address) : 0;

	return stored && uncount(table, address, stored) ? TCEWIN_OK : TCEWIN_STILL_MAPPED;
}

static void uncount_rest(__be64 *address, void *table)
{
	uncount(table, address, *address);
}

void tcewin_host_table_settle_rest(struct tcewin_host_table *table)
{
	tcewin_addresses_each(&table->addresses, uncount_rest, table);
	if (table->doubtful)
		uncount(table, &table->doubtful, table->doubtful);
}
