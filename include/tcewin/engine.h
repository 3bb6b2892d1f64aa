/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine offers: PEs and containers as opaque handles, one verb a line. Called by glue/ and by the suites.
 *
 * Addresses and sizes are bytes, ranges half-open. A result is an enum tcewin_status; a call that fails has changed nothing.
 * Every call may sleep and takes its own locks, so calls on one container may run beside each other, except for create and
 * destroy, which the caller keeps apart from everything else. The tests of ABI.md's errno are on the glue's mapping of the status.
 */
#ifndef TCEWIN_ENGINE_H
#define TCEWIN_ENGINE_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why a call was refused. glue/status.c turns each into one errno, and nothing else does. */
enum tcewin_status {
	TCEWIN_OK,
	TCEWIN_ZERO_SIZE,		/* EINVAL */
	TCEWIN_UNALIGNED,		/* EINVAL: not a multiple of the IOMMU (or host) page */
	TCEWIN_OVERFLOW,		/* EINVAL: past the end of the address space */
	TCEWIN_OUT_OF_WINDOW,		/* EINVAL: begins inside a window and ends outside */
	TCEWIN_NO_WINDOW,		/* ENXIO: no window at that address (MAP, UNMAP) */
	TCEWIN_UNKNOWN_WINDOW,		/* EINVAL: no window starts there (TCE_REMOVE) */
	TCEWIN_NO_DIRECTION,		/* EINVAL: neither READ nor WRITE */
	TCEWIN_NOT_REGISTERED,		/* EINVAL: some of the memory was never registered */
	TCEWIN_PAGE_TOO_LARGE,		/* EPERM: the IOMMU page is larger than the piece of memory behind it */
	TCEWIN_NOTHING_REGISTERED,	/* EPERM: MAP or UNMAP before the first REGISTER */
	TCEWIN_NOT_ENABLED,		/* EPERM: v1 MAP or UNMAP before ENABLE */
	TCEWIN_ALREADY_ENABLED,		/* EBUSY */
	TCEWIN_NOTHING_TO_ENABLE,	/* ENODEV: v1 ENABLE without a group */
	TCEWIN_ONE_GROUP_ONLY,		/* EBUSY: a v1 container has one */
	TCEWIN_ALREADY_REGISTERED,	/* EBUSY: the same range again */
	TCEWIN_OVERLAP,			/* EINVAL: overlaps another region */
	TCEWIN_UNKNOWN_REGION,		/* ENOENT */
	TCEWIN_STILL_MAPPED,		/* EBUSY */
	TCEWIN_FAULT,			/* EFAULT: a hole in the memory */
	TCEWIN_NO_MEMORY,		/* ENOMEM: none, or over RLIMIT_MEMLOCK */
	TCEWIN_BAD_PAGE_SHIFT,		/* EINVAL */
	TCEWIN_BAD_SIZE,		/* EINVAL: not a power of two, or under one page */
	TCEWIN_BAD_LEVELS,		/* EINVAL */
	TCEWIN_NO_SLOT,			/* ENOSPC: no window left */
	TCEWIN_TOO_LARGE,		/* EINVAL: more than firmware has left */
	TCEWIN_IN_THE_WAY,		/* EBUSY: the default window cannot come back while a DDW exists */
	TCEWIN_NO_GROUP,		/* ENXIO */
	TCEWIN_INCOMPATIBLE,		/* EPERM: the group's windows cannot mirror the container's */
	TCEWIN_NO_DDW,			/* EINVAL: the PE has no DDW support: only exactly its default window can be had */
	TCEWIN_FIRMWARE_ERROR,		/* EIO: hypervisor or firmware refused */
	TCEWIN_INTERRUPTED,		/* EINTR: a fatal signal */
	TCEWIN_QUARANTINED,		/* EBUSY: the PE is nobody's until its devices have gone */
	TCEWIN_BUSY,			/* EBUSY: somebody is at work on the window; never an ioctl's answer */
	TCEWIN_STUCK,			/* EIO: a translation could not be taken back; the window only takes REMOVE, or its PE's end */
	TCEWIN_STATUSES
};

#define TCEWIN_WINDOWS_MAX 2		/* IOMMU_TABLE_GROUP_MAX_TABLES of the kernel */

/* What a device may do with a mapping, as in a TCE. */
#define TCEWIN_READ 1U			/* the device reads memory */
#define TCEWIN_WRITE 2U			/* the device writes memory */

struct tcewin_pe;
struct tcewin_container;

/*
 * VFIO_SPAPR_TCE_IOMMU: one group, its default window, memory pinned by MAP. VFIO_SPAPR_TCE_v2_IOMMU: all the rest, for PEs with DDW,
 * or any PE.
 */
enum tcewin_container_kind { TCEWIN_CONTAINER_V1, TCEWIN_CONTAINER_V2, TCEWIN_CONTAINER_V2_ANY_PE };

/* What GET_INFO reports. Of a default window above 4 GiB it cannot tell: start and size are 0 then, and REMOVE of 0 removes it. */
struct tcewin_container_info {
	tcewin_u64 default_start;
	tcewin_u64 default_size;
	tcewin_u64 page_sizes;
	tcewin_u32 max_windows;
	tcewin_u32 max_levels;
};

/*
 * A PE that the user owns already; what windows firmware still has of it does not matter, for attaching it begins with a reset.
 * @host is the cookie of the calls on a PE. NO_MEMORY. Destroy it only when no container holds it; firmware has no window of it then.
 */
int tcewin_pe_create(void *host, enum tcewin_platform platform, const struct tcewin_pe_info *info,
		     struct tcewin_pe **pe);
/* The same for a PE that the kernel owns: tcewin_pe_take() learns the facts. */
int tcewin_pe_adopt(void *host, enum tcewin_platform platform, struct tcewin_pe **pe);
/*
 * The hand-over between the kernel's DMA API and a user, once per device of the PE: the first call does it, the others find it done.
 * After a take no translation of the kernel's is left, and no window but the default one, empty and nobody's: so it is while the
 * user has none. After a release the kernel has its default window. A PE without DDW support (max_windows 0) keeps it always.
 * The caller keeps these two, attach and detach of one PE apart from each other.
 * take: QUARANTINED, FIRMWARE_ERROR, NO_MEMORY, INTERRUPTED; the kernel owns the PE as before, or it is returning or quarantined if even
 * that failed. release: QUARANTINED: it is nobody's from now on, and nothing that a device may reach has been given back. NO_MEMORY: the
 * kernel lacks memory for its own part. Then no window is left, and the PE is returning: each of the two calls tries that once more.
 */
int tcewin_pe_take(struct tcewin_pe *pe);
int tcewin_pe_release(struct tcewin_pe *pe);
/*
 * tcewin_pe_release() that takes a PE out of quarantine, too, if firmware ends every window that may be left and empties the default one:
 * then the kernel has it as after any release. QUARANTINED: it stays there. For a PE that is in no container, whose devices were all gone
 * since: what its memory was pinned for stays pinned. May sleep; kept apart like the two above.
 */
int tcewin_pe_recover(struct tcewin_pe *pe);

/*
 * A window of an LPAR's PE that is in no container, for somebody else to fill: *@window is what was made. BAD_PAGE_SHIFT, BAD_SIZE, BAD_LEVELS,
 * TOO_LARGE, NO_SLOT, NO_DDW, IN_THE_WAY, NO_MEMORY, FIRMWARE_ERROR, QUARANTINED. Close takes the window with @window->liobn away,
 * whatever is in it; STUCK: the PE is in quarantine. The caller keeps these two apart from each other and from the hand-over.
 */
int tcewin_pe_open_window(struct tcewin_pe *pe, tcewin_u32 page_shift, tcewin_u64 size, tcewin_u32 levels,
			  struct tcewin_window_info *window);
int tcewin_pe_close_window(struct tcewin_pe *pe, const struct tcewin_window_info *window);

enum tcewin_owner {
	TCEWIN_OWNER_KERNEL,
	TCEWIN_OWNER_HANDING_OVER,
	TCEWIN_OWNER_USER,
	TCEWIN_OWNER_RETURNING,		/* the user has left, the kernel had no memory: nobody's until a later try */
	TCEWIN_OWNER_QUARANTINED,
};
enum tcewin_owner tcewin_pe_owner(const struct tcewin_pe *pe);
void tcewin_pe_destroy(struct tcewin_pe *pe);

/* @mm is the cookie of pin and charge. NO_MEMORY. */
int tcewin_container_create(void *mm, enum tcewin_container_kind kind, struct tcewin_container **container);
/*
 * Ends every mapping, removes every window, unpins every region: one that KVM maps by a window of another container as soon as it does
 * not any more. PEs are to be detached first.
 */
void tcewin_container_destroy(struct tcewin_container *container);

/*
 * Adds a PE, which begins with its default window, reset and emptied: no translation of the kernel's outlives this call. A further
 * one gets every window and mapping there is. INCOMPATIBLE, NO_DDW, NO_MEMORY, FIRMWARE_ERROR (also where a window is stuck that it would
 * get), INTERRUPTED; STUCK, as of detach: only where a window of this PE's is left.
 */
int tcewin_container_attach(struct tcewin_container *container, struct tcewin_pe *pe);
/*
 * Takes a PE out with its windows; with the last one all windows and mappings end. STUCK: a window could be neither emptied nor
 * removed; what it leads to stays pinned for good, the PE must not be handed to anyone, and the others go on if they have other tables.
 */
int tcewin_container_detach(struct tcewin_container *container, struct tcewin_pe *pe);

/*
 * The machine is going down, or another kernel is about to be started: every mapping and window ends, and the default windows are back
 * in firmware, empty. From now on the container is one without PEs, and detach answers NO_GROUP.
 */
void tcewin_container_retire(struct tcewin_container *container);

/* NO_GROUP. */
int tcewin_container_get_info(struct tcewin_container *container, struct tcewin_container_info *info);

/* VFIO_IOMMU_SPAPR_REGISTER_MEMORY: ZERO_SIZE, UNALIGNED, OVERFLOW, ALREADY_REGISTERED, OVERLAP, FAULT, NO_MEMORY, INTERRUPTED. */
int tcewin_register_memory(struct tcewin_container *container, tcewin_u64 address, tcewin_u64 size);
/* VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY: UNKNOWN_REGION, STILL_MAPPED. */
int tcewin_unregister_memory(struct tcewin_container *container, tcewin_u64 address, tcewin_u64 size);

/*
 * VFIO_IOMMU_SPAPR_TCE_CREATE; *@start is the new window's address. NO_GROUP, BAD_PAGE_SHIFT, BAD_SIZE, BAD_LEVELS, TOO_LARGE,
 * NO_SLOT, IN_THE_WAY, NO_MEMORY, FIRMWARE_ERROR, INTERRUPTED; STUCK: it could not be taken from a PE again, which is quarantined.
 */
int tcewin_create_window(struct tcewin_container *container, tcewin_u32 page_shift, tcewin_u64 size, tcewin_u32 levels,
			 tcewin_u64 *start);
/* VFIO_IOMMU_SPAPR_TCE_REMOVE: NO_GROUP, UNKNOWN_WINDOW, FIRMWARE_ERROR, INTERRUPTED, NO_MEMORY, STUCK. */
int tcewin_remove_window(struct tcewin_container *container, tcewin_u64 start);

/*
 * v1, VFIO_IOMMU_ENABLE: charges the default window's size as locked memory. ALREADY_ENABLED, NOTHING_TO_ENABLE, NO_MEMORY.
 * VFIO_IOMMU_DISABLE: ends every mapping first; fine when not enabled. FIRMWARE_ERROR, INTERRUPTED, STUCK.
 */
int tcewin_enable(struct tcewin_container *container);
int tcewin_disable(struct tcewin_container *container);

/*
 * VFIO_IOMMU_MAP_DMA; @access is TCEWIN_READ and/or TCEWIN_WRITE. What was mapped in the range is replaced, or stays on
 * failure. v1 pins the memory. NO_GROUP, NOTHING_REGISTERED or NOT_ENABLED, NO_WINDOW, ZERO_SIZE, UNALIGNED, OVERFLOW, OUT_OF_WINDOW, NO_DIRECTION,
 * NOT_REGISTERED, PAGE_TOO_LARGE, NO_MEMORY, FIRMWARE_ERROR, INTERRUPTED, STUCK.
 */
int tcewin_map(struct tcewin_container *container, tcewin_u64 ioba, tcewin_u64 address, tcewin_u64 size, tcewin_u32 access);
/* VFIO_IOMMU_UNMAP_DMA: as tcewin_map(), less what speaks of memory. Holes are fine. */
int tcewin_unmap(struct tcewin_container *container, tcewin_u64 ioba, tcewin_u64 size);

/* ---- entries that somebody else (KVM) changes, beside the calls above ---- */

/*
 * All of these are called behind the gate of the window's lock (tcewin_host_gate_enter()), between tcewin_host_table_open() and _close(),
 * and do not sleep.
 */

/*
 * Entry @entry is going to be put, before the gate is left: room is made for it. BUSY where somebody has the window's lock, OUT_OF_WINDOW,
 * NO_MEMORY, STUCK.
 */
int tcewin_table_begin(struct tcewin_table *table, tcewin_u64 entry);
/*
 * Behind the gate since that succeeded, the entry becomes *@tce (a register's word); afterwards *@tce is the one that came the same way before, 0 where there
 * was none or an ioctl's, which is gone then. One with an address but no permission is none, though its maker has counted for that address
 * and is told of it the next time. FIRMWARE_ERROR: as it was. STUCK: the entry is the one or the other, so both counts are to
 * stay: it is to be stored like one that succeeded, and what was stored for the old one is to be kept until
 * tcewin_host_table_settle_rest().
 */
int tcewin_table_exchange(struct tcewin_table *table, tcewin_u64 entry, tcewin_u64 *tce);
/*
 * By itself, an entry becomes none, and *@tce as above. Where somebody has the window's lock it leads nowhere for devices on return, and
 * the rest follows by himself, the count included; *@tce is 0 then. OUT_OF_WINDOW, NO_MEMORY, FIRMWARE_ERROR.
 */
int tcewin_table_clear(struct tcewin_table *table, tcewin_u64 entry, tcewin_u64 *tce);

#ifdef __cplusplus
}
#endif
#endif
