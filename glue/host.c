// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's memory, locks, patience and log (tcewin/host.h). What it needs of firmware is in
 * firmware.c and properties.c, what it needs of the user's memory in mm.c and memory.c.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "glue.h"
#include "table.h"

/* ---- memory ---- */

void *tcewin_host_alloc(size_t bytes)
{
	/*
	 * kmalloc() aligns a power of two to itself, and what kvmalloc() takes from vmalloc() is
	 * aligned to a page; of the sizes between only those of the 96 and 192 byte caches can
	 * come out at less than 16.
	 */
	if (bytes <= 192)
		bytes = bytes <= 64 ? ALIGN(bytes, 16) : roundup_pow_of_two(bytes);
	/*
	 * How much is asked for is up to the user: no line in the log when there is none, and
	 * nobody is killed for it, as for a level below.
	 */
	return kvzalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
}

void *tcewin_host_alloc_now(size_t bytes)
{
	return kzalloc(bytes, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
}

void tcewin_host_free(void *memory)
{
	kvfree(memory);
}

/* Between two calls, one a CPU. Whoever is moved to another CPU meanwhile gives it back there. */
static DEFINE_PER_CPU(void *, batch_page);

void *tcewin_host_batch_get(void)
{
	/* kmalloc() aligns a power of two to itself. */
	return this_cpu_xchg(batch_page, NULL) ?:
	       kmalloc(SZ_4K, GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
}

void tcewin_host_batch_put(void *page)
{
	kfree(this_cpu_xchg(batch_page, page));
}

/**
 * tcewin_host_init() - keeps a page for the next call on each CPU that is there
 *
 * So that nothing which a call takes seems to stay. Where there is no memory for it the call looks
 * for some.
 */
void tcewin_host_init(void)
{
	int cpu;

	for_each_online_cpu(cpu)
		per_cpu(batch_page, cpu) = kmalloc(SZ_4K, GFP_KERNEL | __GFP_NOWARN);
}

/**
 * tcewin_host_exit() - gives back what was kept for the next call
 *
 * Context: the module's exit, no call is inside.
 */
void tcewin_host_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree(per_cpu(batch_page, cpu));
	/* The callbacks of free_lock() are ours. */
	if (IS_ENABLED(CONFIG_TASKS_RCU))
		rcu_barrier_tasks();
	else
		rcu_barrier();
}

tcewin_u64 tcewin_host_real_address(const void *memory)
{
	return __pa(memory);
}

void *tcewin_host_level_alloc(size_t bytes)
{
	/*
	 * The linear map is where the platform wants a table. 64 KiB of 4 KiB pages are more than
	 * the allocator tries hard for, and a user's table is no reason to kill somebody.
	 */
	return (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_COMP |
					__GFP_NOWARN | __GFP_RETRY_MAYFAIL, get_order(bytes));
}

void *tcewin_host_level_alloc_now(size_t bytes)
{
	return (void *)__get_free_pages(GFP_NOWAIT | __GFP_ACCOUNT | __GFP_ZERO | __GFP_COMP |
					__GFP_NOWARN, get_order(bytes));
}

void tcewin_host_level_free(void *level, size_t bytes)
{
	free_pages((unsigned long)level, get_order(bytes));
}

void *tcewin_host_level_at(tcewin_u64 real)
{
	return __va(real);
}

tcewin_u32 tcewin_host_page_shift(void)
{
	return PAGE_SHIFT;
}

/* ---- locks ---- */

static const char * const lock_names[TCEWIN_LOCK_KINDS] = {
	[TCEWIN_LOCK_CONTAINER] = "tcewin_container",
	[TCEWIN_LOCK_WINDOW] = "tcewin_window",
};

static struct lock_class_key lock_keys[TCEWIN_LOCK_KINDS];

struct tcewin_host_lock *tcewin_host_lock_new(enum tcewin_lock_kind kind)
{
	struct tcewin_host_lock *lock = kzalloc(sizeof(*lock), GFP_KERNEL_ACCOUNT);

	if (!lock)
		return NULL;
	__init_rwsem(&lock->rwsem, lock_names[kind], &lock_keys[kind]);
	spin_lock_init(&lock->gate);
	kref_init(&lock->kref);
	return lock;
}

static void free_late(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct tcewin_host_lock, rcu));
}

/* KVM gets from a table's operations to the gate and out of it again without sleeping, see table.c. */
static void free_lock(struct kref *kref)
{
	call_rcu_tasks(&container_of(kref, struct tcewin_host_lock, kref)->rcu, free_late);
}

/**
 * tcewin_host_lock_put() - gives a reference of a table's back
 * @lock: the lock
 */
void tcewin_host_lock_put(struct tcewin_host_lock *lock)
{
	kref_put(&lock->kref, free_lock);
}

void tcewin_host_lock_free(struct tcewin_host_lock *lock)
{
	if (lock)
		tcewin_host_lock_put(lock);
}

/*
 * Every MAP takes two, mostly without a rival: then one instruction need not be preceded by a try
 * to let others run, as it is where one may sleep. lockdep learns nothing of an order from a try.
 * These are notrace: what can be traced is two instructions longer.
 */
static const bool try_first = !IS_ENABLED(CONFIG_LOCKDEP);

void notrace tcewin_host_lock_shared(struct tcewin_host_lock *lock)
{
	if (!try_first || !down_read_trylock(&lock->rwsem))
		down_read(&lock->rwsem);
}

void notrace tcewin_host_unlock_shared(struct tcewin_host_lock *lock)
{
	up_read(&lock->rwsem);
}

static noinline void wait_for_the_gate(struct tcewin_host_lock *lock)
{
	spin_lock(&lock->gate);
	spin_unlock(&lock->gate);
}

/*
 * Whoever is behind the gate may have found himself alone just before: see tcewin_host_gate_alone().
 * Either he sees that the lock is taken, or he is seen here. What he did is seen, too.
 */
void notrace tcewin_host_lock_exclusive(struct tcewin_host_lock *lock)
{
	if (!try_first || !down_write_trylock(&lock->rwsem))
		down_write(&lock->rwsem);
	smp_mb(); /* pairs with that of tcewin_host_gate_alone() */
	if (unlikely(spin_is_locked(&lock->gate)))
		wait_for_the_gate(lock);
	smp_acquire__after_ctrl_dep();
}

void notrace tcewin_host_unlock_exclusive(struct tcewin_host_lock *lock)
{
	up_write(&lock->rwsem);
}

void tcewin_host_gate_enter(struct tcewin_host_lock *lock)
	__acquires(&lock->gate)
{
	spin_lock(&lock->gate);
}

void tcewin_host_gate_leave(struct tcewin_host_lock *lock)
	__releases(&lock->gate)
{
	spin_unlock(&lock->gate);
}

int notrace tcewin_host_gate_alone(struct tcewin_host_lock *lock)
{
	smp_mb(); /* pairs with that of tcewin_host_lock_exclusive() */
	if (rwsem_is_locked(&lock->rwsem))
		return 0;
	smp_acquire__after_ctrl_dep(); /* pairs with up_write(): what the last holder did is seen */
	return 1;
}

/* ---- patience ---- */

int tcewin_host_yield(void)
{
	cond_resched();
	return fatal_signal_pending(current);
}

/* ---- log ---- */

void tcewin_host_event(void *pe, enum tcewin_event event, const char *what, long value)
{
	const struct tcewin_pe_host *host = pe;
	const char *name = host ? host->name : "a PE";

	switch (event) {
	case TCEWIN_EVENT_FIRMWARE:
		pr_warn_ratelimited("%s: firmware refused: %s: %ld\n", name, what, value);
		break;
	case TCEWIN_EVENT_STUCK:
		pr_err_ratelimited("%s: a translation stays, and its pages stay pinned: %s: %ld\n",
				   name, what, value);
		break;
	default:
		pr_err_ratelimited("%s: bug: %s: %ld\n", name, what, value);
	}
}
