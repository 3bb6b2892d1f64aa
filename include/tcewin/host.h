/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine needs of its host: memory, locks, hypercalls, RTAS, registered memory, log. Implemented by glue/ in the kernel
 * and by kunit/fake_host.cc in the tests; core/ calls nothing else, and the object check of the build reads this file for the list.
 *
 * Unless a line says otherwise a function may sleep, is called with no spinlock held and interrupts on, and addresses and sizes
 * are bytes. "Status" is an enum tcewin_status (engine.h), 0 for success; "RTAS status" and "hcall status" are LoPAR's own words.
 */
#ifndef TCEWIN_HOST_H
#define TCEWIN_HOST_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
typedef u8 tcewin_u8;
typedef u32 tcewin_u32;
typedef u64 tcewin_u64;
#else
#include <stddef.h>
#include <stdint.h>
typedef uint8_t tcewin_u8;
typedef uint32_t tcewin_u32;
typedef uint64_t tcewin_u64;
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifndef __KERNEL__
#ifdef __cplusplus
#define TCEWIN_NOTHROW noexcept	/* as libc's own <string.h> has it */
#else
#define TCEWIN_NOTHROW
#endif
/* The compiler makes calls to these of its own accord; every host has them. Any context. */
void *memcpy(void *to, const void *from, size_t bytes) TCEWIN_NOTHROW;
void *memmove(void *to, const void *from, size_t bytes) TCEWIN_NOTHROW;
void *memset(void *to, int byte, size_t bytes) TCEWIN_NOTHROW;
int memcmp(const void *a, const void *b, size_t bytes) TCEWIN_NOTHROW;
#endif

/* ---- memory ---- */

/* Zeroed memory of any size, aligned to 16 bytes; NULL when there is none. */
void *tcewin_host_alloc(size_t bytes);
/* The same where nobody may sleep, for at most a page. */
void *tcewin_host_alloc_now(size_t bytes);
/* Gives back what these returned; NULL is fine. */
void tcewin_host_free(void *memory);
/*
 * A page for one batch of TCEs: 4096 bytes, aligned to 4096, with anything in them; NULL when there is none. Most often one that somebody
 * gave back on this CPU, so that it costs a few instructions. It is the kernel's own: nobody is charged for it.
 */
void *tcewin_host_batch_get(void);
void tcewin_host_batch_put(void *page);
/*
 * The real address of @memory, which came from tcewin_host_batch_get() or tcewin_host_level_alloc(): the hypervisor or a PHB reads
 * it. Any context.
 */
tcewin_u64 tcewin_host_real_address(const void *memory);

/*
 * Zeroed memory for one level of a table that hardware walks: @bytes is a power of two, at least the host's page, aligned to itself and
 * contiguous; NULL when there is none. tcewin_host_real_address() tells where it is, tcewin_host_level_at() is the way back. Any
 * context but for alloc.
 */
void *tcewin_host_level_alloc(size_t bytes);
void *tcewin_host_level_alloc_now(size_t bytes);
void tcewin_host_level_free(void *level, size_t bytes);
void *tcewin_host_level_at(tcewin_u64 real);

/* ---- locks: reader-writer, sleeping; @kind is one class to lockdep ---- */

enum tcewin_lock_kind {
	TCEWIN_LOCK_CONTAINER,	/* outermost: windows, regions, groups of one container */
	TCEWIN_LOCK_WINDOW,	/* inside it: ledger and table of one window */
	TCEWIN_LOCK_KINDS
};

struct tcewin_host_lock;
/* NULL when there is no memory. Freed with tcewin_host_lock_free(), unlocked; NULL is fine. */
struct tcewin_host_lock *tcewin_host_lock_new(enum tcewin_lock_kind kind);
void tcewin_host_lock_free(struct tcewin_host_lock *lock);
void tcewin_host_lock_shared(struct tcewin_host_lock *lock);
void tcewin_host_unlock_shared(struct tcewin_host_lock *lock);
void tcewin_host_lock_exclusive(struct tcewin_host_lock *lock);
void tcewin_host_unlock_exclusive(struct tcewin_host_lock *lock);
/*
 * The gate of a window's lock is a spinlock beside it: whoever is behind it does not sleep. KVM is, whenever it changes entries of one of
 * the window's tables, and then at most asks whether it is alone. Who has the lock may go behind the gate. Any context of a task.
 */
void tcewin_host_gate_enter(struct tcewin_host_lock *lock);
void tcewin_host_gate_leave(struct tcewin_host_lock *lock);
/*
 * Asked behind the gate, by who does not have the lock. Nonzero: nobody has the lock or waits for it, all that was done under it is seen, and
 * until the gate is left nobody gets it exclusively, as if the caller had it. So who does waits for who is behind the gate. A window's lock is
 * never taken shared.
 */
int tcewin_host_gate_alone(struct tcewin_host_lock *lock);

/* ---- time ---- */

/* Called between batches: lets others run; nonzero when a fatal signal waits for the caller, who then undoes and returns. */
int tcewin_host_yield(void);

/* ---- TCE hypercalls (LoPAR 14.5.4.2); @ioba is in bytes, a result is the hcall status (0 is H_SUCCESS) ---- */

long tcewin_host_put_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce);
/* @tces: real address of @count (1 to 512) big-endian TCEs, 4096-aligned. */
long tcewin_host_put_tce_indirect(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tces, tcewin_u64 count);
/* Writes the one word @tce @count times (1 to 512). */
long tcewin_host_stuff_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce, tcewin_u64 count);

/* ---- RTAS calls on a PE (LoPAR 7.3.30-ish "DMA window" calls); @pe is the cookie given to tcewin_pe_create() ---- */

struct tcewin_ddw_query {
	tcewin_u32 windows_available;	/* windows that can still be created */
	tcewin_u64 largest_block;	/* IOMMU pages in the largest one */
	tcewin_u64 page_sizes;		/* mask of 1 << page shift, 16 GiB included */
};

struct tcewin_ddw_window {
	tcewin_u32 liobn;
	tcewin_u64 start;		/* bus address of its first byte */
};

/* What create answers where the kernel has no memory for what it makes beside; no RTAS status. */
#define TCEWIN_DDW_NO_MEMORY (-12000)

/*
 * One call each, the RTAS status as it comes: 0, -1 hardware error, -2 busy, -3 parameter, -5 already exists / not
 * there, 9900..9905 busy for 10^n ms.
 */
int tcewin_host_ddw_query(void *pe, struct tcewin_ddw_query *query);
int tcewin_host_ddw_create(void *pe, tcewin_u32 page_shift, tcewin_u32 window_shift, struct tcewin_ddw_window *window);
int tcewin_host_ddw_remove(void *pe, tcewin_u32 liobn);
/* Removes every DDW of the PE and brings its default window back; what the table then holds is not promised. */
int tcewin_host_ddw_reset(void *pe);
/* Sleeps as long as @status (busy, or 9900..9905) asks and returns nonzero; returns 0 at once for any other status. */
int tcewin_host_rtas_wait(int status);

/* ---- the platform's part of a hand-over ---- */

/* Who makes a PE's windows, and where their tables are. */
enum tcewin_platform {
	TCEWIN_LPAR,	/* pSeries: firmware, by RTAS; the hypervisor has the tables */
	TCEWIN_IODA2,	/* PowerNV: the PHB has two places for windows, and walks tables in our memory */
};

/* Facts about a PE that do not change while a user owns it. */
struct tcewin_pe_info {
	tcewin_u64 default_start;	/* the default window, bytes on the bus */
	tcewin_u64 default_size;	/* bytes, a power of two */
	tcewin_u64 second_start;	/* IODA2: the window beside it begins here */
	tcewin_u32 default_liobn;	/* LPAR */
	tcewin_u32 max_windows;		/* 1 or 2; 0: borrowed, no window can be made or removed */
	tcewin_u32 max_levels;		/* as reported to the user; 1 on pSeries */
	tcewin_u64 page_sizes;		/* mask of 1 << page shift */
	tcewin_u32 put_indirect;	/* 1: firmware has H_PUT_TCE_INDIRECT */
	tcewin_u32 stuff;		/* 1: firmware has H_STUFF_TCE */
};

/*
 * The kernel lets go of the PE, as far as the platform goes; *@info is filled. Status: FIRMWARE_ERROR or what else it was, then the
 * kernel still has it; STUCK: it could not have it back, which tcewin_host_platform_release() tries again. Whether a window of the
 * kernel's is left in firmware, with translations in it, is not promised: of a borrowed PE (max_windows 0) its default window is, and
 * it can be written; no other may be. Of an IODA2 PE nothing is left.
 */
int tcewin_host_platform_take(void *pe, struct tcewin_pe_info *info);
/*
 * The kernel gets the PE, of which no window is left, and its default window with it. Status: FIRMWARE_ERROR; NO_MEMORY: no device reaches
 * anything, and the same call may succeed later.
 */
int tcewin_host_platform_release(void *pe);

/* ---- tables: the kernel's object for each, and the places that they are put in ---- */

/* What hardware and the rest of the kernel have to know of a table. */
struct tcewin_table_info {
	tcewin_u64 start;		/* of the window, bytes on the bus */
	tcewin_u64 size;		/* of the window, bytes */
	const void *root;		/* IODA2: of tcewin_host_level_alloc(), as are the levels below it */
	tcewin_u32 page_shift;
	tcewin_u32 levels;		/* IODA2: 1 to 5 */
	tcewin_u32 level_shift;		/* IODA2: log2 of the words of each level */
	tcewin_u32 liobn;		/* LPAR */
};

/* The kernel's object for one table, and the engine's. */
struct tcewin_host_table;
struct tcewin_table;
/*
 * NULL when there is no memory. @mm is the cookie of the container, @lock the window's. Freed when it is closed and in no place of a PE;
 * others may hold the kernel's object for longer, then it leads nowhere.
 */
struct tcewin_host_table *tcewin_host_table_new(void *mm, struct tcewin_host_lock *lock, const struct tcewin_table_info *info);
void tcewin_host_table_free(struct tcewin_host_table *table);
/*
 * Others (KVM) may change entries from now on, by tcewin_table_begin() and so on with @engine / may not, and none is about to; as it is
 * for a new table. Both are fine when it is so already, and go behind the gate by themselves. Called with the window's lock held.
 */
void tcewin_host_table_open(struct tcewin_host_table *table, struct tcewin_table *engine);
void tcewin_host_table_close(struct tcewin_host_table *table);
/*
 * An entry that came by tcewin_table_exchange() is gone by other means, and with it what its maker counted for the memory behind it.
 * Status: STILL_MAPPED when that cannot be told. Called with the window's lock held.
 */
int tcewin_host_table_settle(struct tcewin_host_table *table, tcewin_u64 entry);
/*
 * The table is closed, for good, and holds no entry any more: whatever others still count for entries of it goes. What the maker of an
 * entry stored last stands for one count, and so does what it had stored before a tcewin_table_exchange() that ended in STUCK.
 */
void tcewin_host_table_settle_rest(struct tcewin_host_table *table);
/*
 * @table is in a place of the PE from now on, for the rest of the kernel to find / nothing is. @number is the LIOBN, or on IODA2 the
 * number of the place (0: at default_start, 1: at second_start), which is free, and devices translate through it; there one table may be
 * in the same place of several PEs. Nothing is to be undone where nothing was set. Status: FIRMWARE_ERROR, NO_MEMORY, on an LPAR
 * neither. After a set that ended in FIRMWARE_ERROR nothing walks the table; after one in NO_MEMORY, as after a failed unset, the PHB may.
 */
int tcewin_host_set_window(void *pe, tcewin_u32 number, struct tcewin_host_table *table);
int tcewin_host_unset_window(void *pe, tcewin_u32 number);
/*
 * IODA2. No PHB that has the table in a place knows entries [@first, @first + @count) of before any more. What is not invalidated may be
 * remembered for ever, entries that were not valid included.
 */
void tcewin_host_invalidate(struct tcewin_host_table *table, tcewin_u64 first, tcewin_u64 count);

/* ---- the PE's windows as the rest of the kernel sees them ---- */

struct tcewin_window_info {
	tcewin_u32 liobn;		/* IODA2: the number of its place */
	tcewin_u32 page_shift;
	tcewin_u32 is_default;		/* 1: the default window, 0: a DDW */
	tcewin_u64 start;		/* bytes on the bus */
	tcewin_u64 size;		/* bytes */
};

/*
 * A window of the PE exists from now on / is gone from firmware, or will be with the platform's next reset: what the rest of the kernel
 * is to know of that is the host's affair.
 * Status; what tcewin_host_window_added() refuses is removed again. Called with the container's lock held, or inside of
 * tcewin_pe_take() and tcewin_pe_release().
 */
int tcewin_host_window_added(void *pe, const struct tcewin_window_info *window);
void tcewin_host_window_removed(void *pe, const struct tcewin_window_info *window);

/* ---- memory of the user; @mm is the cookie given to tcewin_container_create() ---- */

/*
 * Pins and accounts [@address, @address + @size), both multiples of the host's page; *@pin is the handle. *@to_file: whether what a
 * device writes there has to reach a file: then pages are to be dirty when the device has done with them; all others are so soon enough
 * before they are unpinned. Status: NO_MEMORY over the limit, and of more pages than the host cares to list, FAULT for a hole and for
 * a device's memory, OVERLAP with a region that another container of the same mm registered differently. Context: a system call of
 * that mm.
 */
int tcewin_host_pin(void *mm, tcewin_u64 address, tcewin_u64 size, void **pin, tcewin_u32 *to_file);
/*
 * Undoes it. Any task. Nothing of ours may still be able to reach the pages. Status: STILL_MAPPED when somebody else (KVM) maps them:
 * then they stay pinned, and the pin is as it was.
 */
int tcewin_host_unpin(void *mm, void *pin);
/*
 * The same for a pin that nobody will ask for again. If somebody else (KVM) maps the pages, the host keeps the pin, and undoes it when
 * they do not any more. Then the cookie @mm may be gone.
 */
void tcewin_host_unpin_late(void *mm, void *pin);
/* Physically contiguous memory, in whole pages of the host. */
struct tcewin_extent {
	tcewin_u64 real;
	tcewin_u64 bytes;
};
/*
 * The pieces behind [@address, @address + @size) of @pin, in order: as many as there is room for in @extents, the last one cut short at
 * the range's end. Returns their number; 0: the range does not begin or end in @pin. Any context.
 */
tcewin_u32 tcewin_host_pin_extents(void *pin, tcewin_u64 address, tcewin_u64 size, struct tcewin_extent *extents, tcewin_u32 room);
/*
 * The real addresses of @count consecutive IOMMU pages of @page_shift at user @address of @pin, each of its first byte. Returns @count; 0: the
 * range does not begin or end in @pin. Any context.
 */
tcewin_u32 tcewin_host_pin_reals(void *pin, tcewin_u64 address, tcewin_u32 page_shift, tcewin_u32 count, tcewin_u64 *reals);
/* From @offset on, and up to the next one's, something is contiguous memory from @real. */
struct tcewin_piece {
	tcewin_u64 offset;
	tcewin_u64 real;
};
/*
 * A device may have written [@first, @end) of pinned memory, of any alignment: its pages are dirty. It begins in the first of the @count
 * @pieces and ends in the last. Sleeps.
 */
void tcewin_host_dirty(const struct tcewin_piece *pieces, tcewin_u64 count, tcewin_u64 first, tcewin_u64 end);
/* The same of @bytes at @real, one IOMMU page that KVM had mapped. Does not sleep. */
void tcewin_host_dirty_now(tcewin_u64 real, tcewin_u64 bytes);
/* log2 of the host's page size. Any context. */
tcewin_u32 tcewin_host_page_shift(void);
/*
 * Pins the host page behind each of the @count (1 to 512) consecutive IOMMU pages of @page_shift, no larger than the host's, at user
 * @address, once each; @reals gets their real addresses. @writes: the device will write. All or none. Status: FAULT, NO_MEMORY,
 * INTERRUPTED. Context: a system call of that mm.
 */
int tcewin_host_pin_pages(void *mm, tcewin_u64 address, tcewin_u32 page_shift, tcewin_u64 count, tcewin_u32 writes,
			  tcewin_u64 *reals);
/* Undoes one of them. @dirty: a device may have written it. Any task. */
void tcewin_host_unpin_page(tcewin_u64 real, tcewin_u32 dirty);
/* Charges @bytes of bookkeeping to the user's locked memory / gives them back. Status: NO_MEMORY over the limit. */
int tcewin_host_charge(void *mm, tcewin_u64 bytes);
void tcewin_host_uncharge(void *mm, tcewin_u64 bytes);
/* The same as charge where nobody may sleep; NO_MEMORY also where somebody is about the account. / Whatever the limit is. */
int tcewin_host_charge_now(void *mm, tcewin_u64 bytes);
void tcewin_host_charge_anyway(void *mm, tcewin_u64 bytes);

/* ---- log ---- */

enum tcewin_event {
	TCEWIN_EVENT_FIRMWARE,		/* firmware refused: @what, @value is its status */
	TCEWIN_EVENT_STUCK,		/* a translation could not be taken back: pages stay pinned; @value is the hcall status */
	TCEWIN_EVENT_BUG,		/* an invariant of the engine does not hold */
	TCEWIN_EVENTS
};

/* One rate-limited line for the administrator. @pe may be NULL. @what is a static string. */
void tcewin_host_event(void *pe, enum tcewin_event event, const char *what, long value);

#ifdef __cplusplus
}
#endif
#endif
