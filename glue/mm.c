// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose container it is: the mm that first registers, creates or removes, for as long as the
 * container lives, even when the process has died before. Bookkeeping is charged to that mm's
 * locked memory here; the user's own pages are memory.c's.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include "glue.h"

/**
 * tcewin_mm_init() - an mm cookie that is nobody's
 * @mm: the cookie
 */
void tcewin_mm_init(struct tcewin_mm *mm)
{
	mutex_init(&mm->lock);
	mm->mm = NULL;
	mm->callers = 0;
	mm->kept = false;
	mm->charged = 0;
}

/**
 * tcewin_mm_drop() - gives the reference back
 * @mm: the cookie; nothing is pinned or charged through it any more, and no call is inside
 */
void tcewin_mm_drop(struct tcewin_mm *mm)
{
	WARN_ON_ONCE(mm->charged || mm->callers);
	if (mm->mm)
		mmdrop(mm->mm);
	mm->mm = NULL;
	mutex_destroy(&mm->lock);
}

/**
 * tcewin_mm_bind() - begins a call that makes the container the caller's
 * @mm: the cookie
 *
 * A call that fails changes nothing, so the binding holds only for the length of the call until
 * tcewin_mm_settle() is told that one succeeded.
 *
 * Return: 0, then tcewin_mm_settle() must follow; -EPERM when it is another's.
 */
int tcewin_mm_bind(struct tcewin_mm *mm)
{
	int ret = 0;

	mutex_lock(&mm->lock);
	if (!mm->mm) {
		mmgrab(current->mm);
		WRITE_ONCE(mm->mm, current->mm);
	}
	if (mm->mm == current->mm)
		mm->callers++;
	else
		ret = -EPERM;
	mutex_unlock(&mm->lock);
	return ret;
}

/**
 * tcewin_mm_settle() - ends a call that tcewin_mm_bind() began
 * @mm: the cookie
 * @keep: the call succeeded, so the container stays the caller's
 */
void tcewin_mm_settle(struct tcewin_mm *mm, bool keep)
{
	mutex_lock(&mm->lock);
	if (keep)
		smp_store_release(&mm->kept, true);
	if (!--mm->callers && !mm->kept) {
		struct mm_struct *whose = mm->mm;

		WRITE_ONCE(mm->mm, NULL);
		mmdrop(whose);
	}
	mutex_unlock(&mm->lock);
}

/* Accounts the change from what is charged to @bytes, in whole pages. Returns 0 or -ENOMEM. */
static int recharge(struct tcewin_mm *mm, u64 bytes)
{
	unsigned long before = DIV_ROUND_UP_ULL(mm->charged, PAGE_SIZE);
	unsigned long after = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	int ret = 0;

	if (after > before)
		ret = account_locked_vm(mm->mm, after - before, true);
	else if (after < before)
		ret = account_locked_vm(mm->mm, before - after, false);
	if (!ret)
		mm->charged = bytes;
	return ret;
}

/* The same where nobody may sleep: also -EAGAIN where somebody is about that mm's memory. */
static int recharge_now(struct tcewin_mm *mm, u64 bytes)
{
	unsigned long before = DIV_ROUND_UP_ULL(mm->charged, PAGE_SIZE);
	unsigned long after = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	int ret = 0;

	if (after > before) {
		/* There is no mmap_write_trylock() any more; no VMA is touched. */
		if (!down_write_trylock(&mm->mm->mmap_lock))
			return -EAGAIN;
		ret = __account_locked_vm(mm->mm, after - before, true, current,
					  capable(CAP_IPC_LOCK));
		up_write(&mm->mm->mmap_lock);
	}
	if (!ret)
		mm->charged = bytes;
	return ret;
}

int tcewin_host_charge_now(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;
	int status = TCEWIN_NO_MEMORY;

	if (!mutex_trylock(&mm->lock))
		return TCEWIN_NO_MEMORY;
	if (mm->mm && bytes <= U64_MAX / 2 - mm->charged && !recharge_now(mm, mm->charged + bytes))
		status = TCEWIN_OK;
	mutex_unlock(&mm->lock);
	return status;
}

void tcewin_host_charge_anyway(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;
	unsigned long pages;

	mutex_lock(&mm->lock);
	if (!WARN_ON_ONCE(!mm->mm)) {
		pages = DIV_ROUND_UP_ULL(mm->charged + bytes, PAGE_SIZE) -
			DIV_ROUND_UP_ULL(mm->charged, PAGE_SIZE);
		if (pages) {
			mmap_write_lock(mm->mm);
			__account_locked_vm(mm->mm, pages, true, current, true);
			mmap_write_unlock(mm->mm);
		}
		mm->charged += bytes;
	}
	mutex_unlock(&mm->lock);
}

int tcewin_host_charge(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;
	int status = TCEWIN_NO_MEMORY;

	mutex_lock(&mm->lock);
	if (mm->mm && bytes <= U64_MAX / 2 - mm->charged && !recharge(mm, mm->charged + bytes))
		status = TCEWIN_OK;
	mutex_unlock(&mm->lock);
	return status;
}

void tcewin_host_uncharge(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;

	mutex_lock(&mm->lock);
	if (!WARN_ON_ONCE(!mm->mm || bytes > mm->charged))
		recharge(mm, mm->charged - bytes);
	mutex_unlock(&mm->lock);
}
