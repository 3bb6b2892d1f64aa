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
	mm->owner = NULL;
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
	mm->owner = NULL;
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
		WRITE_ONCE(mm->owner, mm->mm);
	if (!--mm->callers && !mm->owner) {
		struct mm_struct *whose = mm->mm;

		WRITE_ONCE(mm->mm, NULL);
		mmdrop(whose);
	}
	mutex_unlock(&mm->lock);
}

/* How a charge takes the mm's lock and its limit. */
enum patience { WAITS, NOW, ANYWAY };

/* Returns 0, -ENOMEM over the limit, or -EAGAIN where nobody may sleep and somebody has the mm. */
static int account(struct mm_struct *mm, unsigned long pages, enum patience patience)
{
	int ret;

	if (patience == WAITS)
		return account_locked_vm(mm, pages, true);
	/* There is no mmap_write_trylock() any more; no VMA is touched. */
	if (patience == ANYWAY)
		down_write(&mm->mmap_lock);
	else if (!down_write_trylock(&mm->mmap_lock))
		return -EAGAIN;
	ret = __account_locked_vm(mm, pages, true, current,
				  patience == ANYWAY || capable(CAP_IPC_LOCK));
	up_write(&mm->mmap_lock);
	return ret;
}

static unsigned long pages_of(u64 bytes)
{
	return DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
}

/* @bytes more, in whole pages; @mm is locked. */
static int charge(struct tcewin_mm *mm, u64 bytes, enum patience patience)
{
	unsigned long more;

	if (!mm->mm || bytes > U64_MAX / 2 - mm->charged)
		return TCEWIN_NO_MEMORY;
	more = pages_of(mm->charged + bytes) - pages_of(mm->charged);
	if (more && account(mm->mm, more, patience))
		return TCEWIN_NO_MEMORY;
	mm->charged += bytes;
	return TCEWIN_OK;
}

int tcewin_host_charge(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;
	int status;

	mutex_lock(&mm->lock);
	status = charge(mm, bytes, WAITS);
	mutex_unlock(&mm->lock);
	return status;
}

int tcewin_host_charge_now(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;
	int status;

	if (!mutex_trylock(&mm->lock))
		return TCEWIN_NO_MEMORY;
	status = charge(mm, bytes, NOW);
	mutex_unlock(&mm->lock);
	return status;
}

void tcewin_host_charge_anyway(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;

	mutex_lock(&mm->lock);
	WARN_ON_ONCE(charge(mm, bytes, ANYWAY));
	mutex_unlock(&mm->lock);
}

void tcewin_host_uncharge(void *cookie, tcewin_u64 bytes)
{
	struct tcewin_mm *mm = cookie;
	unsigned long less;

	mutex_lock(&mm->lock);
	if (!WARN_ON_ONCE(!mm->mm || bytes > mm->charged)) {
		less = pages_of(mm->charged) - pages_of(mm->charged - bytes);
		if (less)
			account_locked_vm(mm->mm, less, false);
		mm->charged -= bytes;
	}
	mutex_unlock(&mm->lock);
}
