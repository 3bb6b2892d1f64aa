// SPDX-License-Identifier: GPL-2.0-only
/*
 * The struct iommu_table of a window that the engine owns, as KVM finds it in tables[] of a PE's
 * table group (places.c): complete, and open as long as the window is there. KVM may hold it for
 * longer: then it is closed and leads nowhere.
 *
 * How KVM counts, and what follows. Before it puts an entry it counts one for the registered memory
 * behind it; then it exchanges the entry, and when it hears that there was one before, it uncounts
 * what the entry's user address names; last it stores the new user address. It locks nothing, so
 * two CPUs that put one entry would uncount what the other one did not mean. Hence it never hears
 * of an entry that was there: the exchange uncounts, and puts go one after the other, each from
 * asking for the user address until its tce_kill, when that is stored. An address that is stored is
 * a count that is owed. An ioctl that ends an entry of KVM's pays by tcewin_host_table_settle(),
 * and may find that the address of a put under way is not there yet.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
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

/* ---- iommu_table_ops ---- */

/*
 * The engine's part for the task, whose mm must be the container's, and for good: what KVM counts
 * and is charged for outlives the call; @table is locked.
 */
static struct tcewin_table *engine_of(const struct tcewin_host_table *table)
{
	const struct tcewin_mm *mm = table->mm;

	return table->engine && READ_ONCE(mm->kept) && tcewin_mm_is_current(mm) ? table->engine
										 : NULL;
}

/* What an address that KVM has stored counts for goes, if nobody else is just about that. */
static bool uncount(struct tcewin_host_table *table, __be64 *address, __be64 stored)
{
	struct mm_iommu_table_group_mem_t *mem;

	if (cmpxchg((__force u64 *)address, (__force u64)stored, 0) != (__force u64)stored)
		return false;
	mem = mm_iommu_lookup(table->mm->mm, be64_to_cpu(stored), IOMMU_PAGE_SIZE(&table->table));
	if (mem)
		mm_iommu_mapped_dec(mem);
	return true;
}

/* Nobody else puts, so an address that is stored is that of the last put, and is not paid yet. */
static void uncount_stored(struct tcewin_host_table *table, unsigned long entry)
{
	__be64 *address = tcewin_address(&table->addresses, entry, false);
	const __be64 stored = address ? READ_ONCE(*address) : 0;

	if (stored)
		uncount(table, address, stored);
}

/* KVM is at one put of the table at a time; what comes in between is the task's own. */
static void begin_put(struct tcewin_host_table *table)
{
	if (READ_ONCE(table->putter) == current)
		return;
	mutex_lock(&table->putting);
	WRITE_ONCE(table->putter, current);
}

/* KVM ends each put and each clear with this, failed ones too. */
static void end_put(struct iommu_table *tbl, unsigned long index, unsigned long pages)
{
	struct tcewin_host_table *table = to_table(tbl);

	if (READ_ONCE(table->putter) != current)
		return;
	WRITE_ONCE(table->putter, NULL);
	mutex_unlock(&table->putting);
}

/* What the entry was is over: what a device wrote there, and the count for it. */
static void settle_old(struct tcewin_host_table *table, unsigned long entry, tcewin_u64 old)
{
	if (old & TCE_PCI_WRITE)
		tcewin_host_dirty(&(struct tcewin_piece){
			.real = old & ~(TCE_PCI_READ | TCE_PCI_WRITE),
		}, 1, 0, IOMMU_PAGE_SIZE(&table->table));
	uncount_stored(table, entry);
}

/* The engine's exchange; the table's puts wait, or this is one of them. */
static int exchange_one(struct tcewin_host_table *table, unsigned long entry, tcewin_u64 tce)
{
	struct tcewin_table *engine;
	int ret = -ENODEV;

	down_read(&table->lock);
	engine = engine_of(table);
	if (engine)
		ret = tcewin_errno(tcewin_table_exchange(engine, entry, &tce));
	if (!ret)
		settle_old(table, entry, tce);
	up_read(&table->lock);
	return ret;
}

static int exchange(struct iommu_table *tbl, long index, unsigned long *hpa,
		    enum dma_data_direction *direction)
{
	struct tcewin_host_table *table = to_table(tbl);
	/* A guest's TCE without permissions comes with an address, and with a count for it. */
	const bool puts = *direction != DMA_NONE || *hpa;
	const tcewin_u64 tce = *hpa | iommu_direction_to_tce_perm(*direction);
	const bool inside = READ_ONCE(table->putter) == current;
	int ret;

	if (!IS_ALIGNED(*hpa, IOMMU_PAGE_SIZE(tbl)))
		return -EINVAL;
	/* What it maps is dirty one day. A device's memory, or what is not there, cannot be. */
	if (*direction != DMA_NONE && (!pfn_valid(PHYS_PFN(*hpa)) ||
				       !pfn_valid(PHYS_PFN(*hpa + IOMMU_PAGE_SIZE(tbl) - 1))))
		return -EINVAL;
	if (!inside)
		mutex_lock(&table->putting);
	if (puts)
		atomic_inc(&table->puts);
	ret = exchange_one(table, index - tbl->it_offset, tce);
	if (puts && atomic_dec_and_test(&table->puts))
		wake_up(&table->idle);
	if (!inside)
		mutex_unlock(&table->putting);
	/* KVM complains of a clear that fails, as often as the guest likes. */
	if (ret && puts)
		return ret;
	*direction = DMA_NONE;
	*hpa = 0;
	return 0;
}

/* KVM is about to put an entry. It takes no for an answer here, but not from exchange(). */
static bool may_put(struct tcewin_host_table *table, unsigned long entry)
{
	struct tcewin_table *engine;
	bool may;

	if (!READ_ONCE(table->used)) {
		WRITE_ONCE(table->used, true);
		smp_mb(); /* close: either it sees that, or we see that it is not open */
	}
	down_read(&table->lock);
	engine = engine_of(table);
	may = engine && !tcewin_table_reserve(engine, entry);
	up_read(&table->lock);
	/* From here to exchange() KVM does not sleep. */
	return may && READ_ONCE(table->open);
}

static __be64 *user_address(struct iommu_table *tbl, long index, bool alloc)
{
	struct tcewin_host_table *table = to_table(tbl);
	const unsigned long entry = index - tbl->it_offset;
	__be64 *address;

	if (alloc)
		begin_put(table);
	if (entry >= tbl->it_size || (alloc && !READ_ONCE(table->open)))
		return NULL;
	address = tcewin_address(&table->addresses, entry, alloc);
	return alloc && !may_put(table, entry) ? NULL : address;
}

/* The last reference, perhaps from an RCU callback. The kernel frees the rest. */
static void last_put(struct iommu_table *tbl)
{
	tcewin_addresses_free(&to_table(tbl)->addresses);
	module_put(THIS_MODULE);
}

/* The engine invalidates what it exchanges: tce_kill has nothing else to do. */
static struct iommu_table_ops table_ops = {
	.xchg_no_kill = exchange,
	.useraddrptr = user_address,
	.tce_kill = end_put,
	.free = last_put,
};

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

struct tcewin_host_table *tcewin_host_table_new(void *mm, const struct tcewin_table_info *info)
{
	struct tcewin_host_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	struct iommu_table *tbl;

	if (!table)
		return NULL;
	init_rwsem(&table->lock);
	mutex_init(&table->putting);
	init_waitqueue_head(&table->idle);
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

void tcewin_host_table_free(struct tcewin_host_table *table)
{
	table->table.it_base = 0;
	iommu_tce_table_put(&table->table);
}

static void set_engine(struct tcewin_host_table *table, struct tcewin_table *engine)
{
	down_write(&table->lock);
	table->engine = engine;
	up_write(&table->lock);
}

void tcewin_host_table_open(struct tcewin_host_table *table, struct tcewin_table *engine)
{
	set_engine(table, engine);
	WRITE_ONCE(table->open, true);
}

/*
 * From asking for the user address to the exchange, and from there to storing it, KVM does not
 * sleep, nor could it take an exchange that fails in between without a complaint.
 */
void tcewin_host_table_close(struct tcewin_host_table *table)
{
	WRITE_ONCE(table->open, false);
	smp_mb(); /* user_address(): see there */
	if (READ_ONCE(table->used)) {
		synchronize_rcu_tasks();
		wait_event(table->idle, !atomic_read(&table->puts));
		synchronize_rcu_tasks();
	}
	set_engine(table, NULL);
}

tcewin_u64 tcewin_host_table_address(struct tcewin_host_table *table, tcewin_u64 entry)
{
	const __be64 *address = tcewin_address(&table->addresses, entry, false);

	return address ? be64_to_cpu(READ_ONCE(*address)) : 0;
}

int tcewin_host_table_settle(struct tcewin_host_table *table, tcewin_u64 entry, tcewin_u64 real)
{
	const unsigned int shift = table->table.it_page_shift;
	struct mm_struct *mm = table->mm->mm;
	struct mm_iommu_table_group_mem_t *mem;
	__be64 *address = tcewin_address(&table->addresses, entry, false);
	const __be64 stored = address ? READ_ONCE(*address) : 0;
	unsigned long hpa;

	if (!stored)
		return TCEWIN_STILL_MAPPED;
	mem = mm_iommu_lookup(mm, be64_to_cpu(stored), BIT(shift));
	/* Another address than that of the entry which is gone: KVM has one more to store. */
	if (!mem || mm_iommu_ua_to_hpa(mem, be64_to_cpu(stored), shift, &hpa) || hpa != real)
		return TCEWIN_STILL_MAPPED;
	return uncount(table, address, stored) ? TCEWIN_OK : TCEWIN_STILL_MAPPED;
}

static void uncount_rest(__be64 *address, void *table)
{
	uncount(table, address, *address);
}

void tcewin_host_table_settle_rest(struct tcewin_host_table *table)
{
	tcewin_addresses_each(&table->addresses, uncount_rest, table);
}
