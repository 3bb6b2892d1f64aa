// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one place where a refusal of the engine becomes an errno. The values are ABI.md's contract
 * with userspace and repeat the comments of enum tcewin_status.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include "glue.h"

static const unsigned char numbers[] = {
	[TCEWIN_OK] = 0,
	[TCEWIN_ZERO_SIZE] = EINVAL,
	[TCEWIN_UNALIGNED] = EINVAL,
	[TCEWIN_OVERFLOW] = EINVAL,
	[TCEWIN_OUT_OF_WINDOW] = EINVAL,
	[TCEWIN_NO_WINDOW] = ENXIO,
	[TCEWIN_UNKNOWN_WINDOW] = EINVAL,
	[TCEWIN_NO_DIRECTION] = EINVAL,
	[TCEWIN_NOT_REGISTERED] = EINVAL,
	[TCEWIN_PAGE_TOO_LARGE] = EPERM,
	[TCEWIN_NOTHING_REGISTERED] = EPERM,
	[TCEWIN_NOT_ENABLED] = EPERM,
	[TCEWIN_ALREADY_ENABLED] = EBUSY,
	[TCEWIN_NOTHING_TO_ENABLE] = ENODEV,
	[TCEWIN_ONE_GROUP_ONLY] = EBUSY,
	[TCEWIN_ALREADY_REGISTERED] = EBUSY,
	[TCEWIN_OVERLAP] = EINVAL,
	[TCEWIN_UNKNOWN_REGION] = ENOENT,
	[TCEWIN_STILL_MAPPED] = EBUSY,
	[TCEWIN_FAULT] = EFAULT,
	[TCEWIN_NO_MEMORY] = ENOMEM,
	[TCEWIN_BAD_PAGE_SHIFT] = EINVAL,
	[TCEWIN_BAD_SIZE] = EINVAL,
	[TCEWIN_BAD_LEVELS] = EINVAL,
	[TCEWIN_NO_SLOT] = ENOSPC,
	[TCEWIN_TOO_LARGE] = EINVAL,
	[TCEWIN_IN_THE_WAY] = EBUSY,
	[TCEWIN_NO_GROUP] = ENXIO,
	[TCEWIN_INCOMPATIBLE] = EPERM,
	[TCEWIN_NO_DDW] = EINVAL,
	[TCEWIN_FIRMWARE_ERROR] = EIO,
	[TCEWIN_INTERRUPTED] = EINTR,
	[TCEWIN_QUARANTINED] = EBUSY,
	[TCEWIN_BUSY] = EBUSY,
	[TCEWIN_STUCK] = EIO,
};

static_assert(ARRAY_SIZE(numbers) == TCEWIN_STATUSES);

/**
 * tcewin_refusal() - the errno of a status that is not TCEWIN_OK, see tcewin_errno()
 * @status: enum tcewin_status
 *
 * Return: a negative errno. Any context.
 */
int tcewin_refusal(int status)
{
	if (status < 0 || status >= TCEWIN_STATUSES || !numbers[status]) {
		tcewin_host_event(NULL, TCEWIN_EVENT_BUG, "unknown status", status);
		return -EIO;
	}
	return -numbers[status];
}
