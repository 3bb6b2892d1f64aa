/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tcewin-bench asks tcewin_floor.ko, by /dev/tcewin_floor: how long the least takes that any
 * driver must do to map or unmap. mmap() of the device gives memory that is contiguous for real,
 * in blocks as large as the kernel makes them, over and over up to the size that was asked for.
 */
#ifndef TCEWIN_FLOOR_H
#define TCEWIN_FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct tcewin_floor_run {
	__u64 liobn;		/* of the window; 0: store into a table of our own */
	__u64 start;		/* IOBA of the first TCE, bytes */
	__u64 tces;
	__u32 page_shift;
	__u32 clear;		/* 0: write consecutive TCEs, 1: zero */
	__u64 nanoseconds;	/* out */
};

/* EIO: the hypervisor refused. */
#define TCEWIN_FLOOR_RUN _IOWR('T', 0xf1, struct tcewin_floor_run)

#endif
