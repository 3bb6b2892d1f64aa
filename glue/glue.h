/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of glue/ share: a VFIO container is a handle, a group in it is a PE with what
 * its firmware calls need. The engine sees them as the cookies "mm" (struct tcewin_mm) and
 * "pe" (struct tcewin_pe_host) of tcewin/host.h.
 */
#ifndef TCEWIN_GLUE_H
#define TCEWIN_GLUE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <asm/iommu.h>
#include <tcewin/engine.h>

struct device;
struct device_node;
struct iommu_group;
struct iommu_table;
struct iommu_table_group;
struct iommu_table_group_ops;
struct mm_struct;
struct pci_dev;
struct tcewin_kernel_ddw;

/**
 * struct tcewin_mm - the memory that a container belongs to, see mm.c
 * @lock: protects the rest
 * @mm: whose it is, with a reference (mmgrab); NULL while nobody's
 * @callers: calls that bound it or found it bound and have not ended yet
 * @owner: @mm once one of them succeeded, so that it stays bound; NULL before
 * @charged: bytes of bookkeeping charged so far, accounted in whole pages
 */
struct tcewin_mm {
	struct mutex lock; /* protects the rest */
	struct mm_struct *mm;
	unsigned int callers;
	struct mm_struct *owner;
	u64 charged;
};

/**
 * struct tcewin_pe_host - what firmware and the device tree call a PE, see pseries.c
 * @node: where its windows' properties are, with a reference; pSeries, as the next but one
 * @name: of its first device, for the log
 * @buid: of its PHB
 * @config_address: of its first device, as RTAS wants it
 * @query: token of ibm,query-pe-dma-windows
 * @create: token of ibm,create-pe-dma-window
 * @remove: token of ibm,remove-pe-dma-window
 * @reset: token of ibm,reset-pe-dma-windows
 * @query_words: 5 or 6, the words that @query returns, its status included
 * @has_ddw: windows can be made: the four tokens are there, or it is bare metal
 */
struct tcewin_pe_host {
	struct device_node *node;
	char name[32];
	u64 buid;
	u32 config_address;
	u32 query;
	u32 create;
	u32 remove;
	u32 reset;
	unsigned int query_words;
	bool has_ddw;
};

/**
 * struct tcewin_handle - a container as long as anything uses it, see handle.c
 * @id: what the VFIO core has instead of a pointer
 * @link: among those that can be found
 * @users: one for the open container, one for each call inside
 * @rcu: it is freed a grace period after the last
 * @mm: whose container it is
 * @kind: v1 or v2
 * @container: the engine's part
 * @groups_lock: protects @groups; the VFIO core keeps attach, detach and release apart, but not
 *	the ioctls
 * @groups: struct tcewin_group
 * @stuck: a group left translations behind: @mm is never given back
 * @retired: tcewin_handles_retire() has been here
 */
struct tcewin_handle {
	unsigned long id;
	struct hlist_node link;
	refcount_t users;
	struct rcu_head rcu;
	struct tcewin_mm mm;
	enum tcewin_container_kind kind;
	struct tcewin_container *container;
	struct mutex groups_lock; /* protects the next */
	struct list_head groups;
	bool stuck;
	bool retired;
};

/**
 * struct tcewin_aside - a table of the kernel's, put aside while a user has its window, see aside.c
 * @table: the table, NULL when there is none
 * @map: what the kernel's allocator had given out of it
 */
struct tcewin_aside {
	struct iommu_table *table;
	unsigned long *map;
};

/**
 * struct tcewin_left - what drivers left mapped in the kernel's default window, see left.c
 * @map: a bit for each entry, NULL when there is nothing
 * @start: of the window, in its pages
 * @size: of the window, in its pages
 * @page_shift: of the window
 */
struct tcewin_left {
	unsigned long *map;
	unsigned long start;
	unsigned long size;
	unsigned long page_shift;
};

/**
 * struct tcewin_adopted - a PE that is ours, see adopt.c
 * @next: in the list of them
 * @table_group: of the PE
 * @platform: the operations that were there before ours
 * @dev: the device of the hand-over that is under way
 * @host: the engine's cookie of it
 * @pe: the engine's part
 * @holds_module: a user owns it, so the module stays
 * @again: keeps it from everybody, and gives it to the kernel as soon as that can be, see again.c
 * @tries: how often that was in vain
 * @claimer: the task that claims its group for that, or lets it go; it alone compares
 * @blocked: the group is claimed for that; under the group's mutex
 * @told: the log has it that the PE is in quarantine
 * @vacated: all its devices have gone since it was kept from everybody
 * @no_ddw: it is served by borrow.c
 * @aside: the kernel's tables of both places, where nobody else keeps them
 * @left: what drivers left mapped, where the platform frees the kernel's table
 * @ddw: the kernel's 64-bit window while a user has the PE, see lpar_ddw.c
 * @tce_kill: of the platform's tables (PowerNV)
 * @behind: the platform's table of each place that has one of the engine's (platform_windows.c)
 * @tables_lock: keeps the calls of foreign.c apart
 */
struct tcewin_adopted {
	struct list_head next;
	struct iommu_table_group *table_group;
	struct iommu_table_group_ops *platform;
	struct device *dev;
	struct tcewin_pe_host host;
	struct tcewin_pe *pe;
	bool holds_module;
	struct delayed_work again;
	unsigned int tries;
	struct task_struct *claimer;
	bool blocked;
	bool told;
	bool vacated;
	bool no_ddw;
	struct tcewin_aside aside[2];
	struct tcewin_left left;
	struct tcewin_kernel_ddw *ddw;
	void (*tce_kill)(struct iommu_table *tbl, unsigned long index, unsigned long pages);
	struct iommu_table *behind[IOMMU_TABLE_GROUP_MAX_TABLES];
	struct mutex tables_lock; /* keeps the calls of foreign.c apart */
};

/* ownership.c */
int tcewin_ownership_init(void);
void tcewin_ownership_exit(void);
int tcewin_take(struct tcewin_adopted *entry, struct device *dev);
void tcewin_release(struct tcewin_adopted *entry, struct device *dev);
struct iommu_table_group_ops *
tcewin_table_group_ops(const struct iommu_table_group_ops *platform);
void tcewin_set_table_bases(struct iommu_table_group *table_group);
void tcewin_drop_table_base(struct iommu_table_group *table_group, const struct iommu_table *tbl);

/* kernel_side.c */
int tcewin_kernel_lets_go(struct tcewin_adopted *entry);
int tcewin_kernel_has_table(struct tcewin_adopted *entry);
int tcewin_memory_at_hand(void);
int tcewin_take_from_kernel(struct tcewin_adopted *entry);
int tcewin_give_to_kernel(struct tcewin_adopted *entry);
void tcewin_devices_forget(const struct iommu_table_group *table_group, u64 offset);

/* again.c */
int tcewin_again_start(void);
void tcewin_again_stop(void);
void tcewin_again_init(struct tcewin_adopted *entry);
void tcewin_again(struct tcewin_adopted *entry, struct device *dev);
bool tcewin_is_kept(const struct tcewin_adopted *entry);
void tcewin_again_device_goes(struct tcewin_adopted *entry, struct iommu_group *group,
			      const struct pci_dev *going);
void tcewin_again_device_comes(struct tcewin_adopted *entry, struct iommu_group *group);
void tcewin_again_end(struct tcewin_adopted *entry);

/* no_dma.c */
void tcewin_devices_disable(const struct iommu_table_group *table_group, struct device *dev);
void tcewin_device_disable(struct device *dev);
void tcewin_devices_enable(const struct iommu_table_group *table_group, struct device *dev);

/* adopt.c */
struct tcewin_adopted *tcewin_adopted_get(const struct iommu_table_group *table_group);
struct tcewin_adopted *tcewin_adopted(struct iommu_table_group *table_group);
void tcewin_adopted_leave(struct tcewin_adopted *entry);
void tcewin_adopt(struct pci_dev *pdev, struct iommu_table_group *table_group);
void tcewin_device_goes(struct pci_dev *pdev, struct iommu_group *group);
void tcewin_forget_empty(void);
void tcewin_forget_node(const struct device_node *node);
void tcewin_forget_all(void);

/* bus.c */
int tcewin_bus_init(void);
void tcewin_bus_exit(void);

/* aside.c */
int tcewin_put_aside(struct tcewin_aside *aside, struct iommu_table **place);
void tcewin_give_back(struct tcewin_aside *aside, struct iommu_table **place);

/* left.c */
int tcewin_left_note(struct tcewin_left *left, const struct iommu_table *tbl);
void tcewin_left_keep(struct tcewin_left *left, struct iommu_table *tbl);
void tcewin_left_forget(struct tcewin_left *left);

/* borrow.c */
bool tcewin_borrow_wanted(const struct iommu_table_group *table_group);
int tcewin_borrow(struct tcewin_adopted *entry, struct tcewin_pe_info *info);
void tcewin_give_back_borrowed(struct tcewin_adopted *entry);

/* foreign_table.c */
struct iommu_table *tcewin_foreign_table_new(const struct tcewin_window_info *window);
bool tcewin_table_is_foreign(const struct iommu_table *tbl);
void tcewin_foreign_table_kill(struct iommu_table *tbl);

/* foreign.c */
unsigned long tcewin_get_table_size(u32 page_shift, u64 window_size, u32 levels);
long tcewin_create_table(struct iommu_table_group *table_group, int num, u32 page_shift,
			 u64 window_size, u32 levels, struct iommu_table **ptbl);
long tcewin_set_window(struct iommu_table_group *table_group, int num, struct iommu_table *tbl);
long tcewin_unset_window(struct iommu_table_group *table_group, int num);

/* platform_windows.c */
bool tcewin_keeps_platform_ops(void);
int tcewin_platform_create(struct tcewin_adopted *entry, u32 page_shift, u32 window_shift,
			   struct tcewin_ddw_window *window);
int tcewin_platform_remove(struct tcewin_adopted *entry, u32 liobn);
int tcewin_platform_reset(struct tcewin_adopted *entry);

/* firmware.c */

/**
 * tcewin_until_done() - an RTAS call, until firmware is not busy
 * @call: an expression, evaluated again after each wait that firmware asks for
 *
 * Return: the RTAS status that it ended with. Context: may sleep.
 */
#define tcewin_until_done(call)					\
({								\
	int __status;						\
								\
	do {							\
		__status = (call);				\
	} while (tcewin_host_rtas_wait(__status));		\
	__status;						\
})

int tcewin_rtas_remove(const struct tcewin_pe_host *host, u32 liobn);
int tcewin_rtas_reset(const struct tcewin_pe_host *host);

/* handle.c */
void *tcewin_handle_open(enum tcewin_container_kind kind);
void tcewin_handle_close(void *data);
struct tcewin_handle *tcewin_handle_get(const void *data);
void tcewin_handle_destroy(struct tcewin_handle *handle);

/**
 * tcewin_handle_put() - gives a reference back, the last one destroys the container
 * @handle: of tcewin_handle_get()
 */
static inline void tcewin_handle_put(struct tcewin_handle *handle)
{
	if (refcount_dec_and_test(&handle->users))
		tcewin_handle_destroy(handle);
}
void tcewin_handles_retire(void);
void tcewin_handles_wait(void);

/* group.c */
int tcewin_group_attach(struct tcewin_handle *handle, struct iommu_group *group);
void tcewin_group_detach(struct tcewin_handle *handle, struct iommu_group *group);

int tcewin_group_each(struct tcewin_handle *handle,
		      int (*visit)(struct iommu_group *group, void *data), void *data);

/* eeh.c */
int tcewin_eeh_pe_op(struct tcewin_handle *handle, const void __user *arg);

/* ioctl.c */
long tcewin_ioctl(void *data, unsigned int cmd, unsigned long arg);

/* mm.c */
void tcewin_mm_init(struct tcewin_mm *mm);
void tcewin_mm_drop(struct tcewin_mm *mm);
int tcewin_mm_bind(struct tcewin_mm *mm);
void tcewin_mm_settle(struct tcewin_mm *mm, bool keep);

/**
 * tcewin_mm_is_other() - the container belongs to somebody else than the caller
 * @mm: the cookie
 *
 * Without the lock, here and below: every MAP asks. It may have become somebody's, or nobody's
 * again, when this returns.
 *
 * Return: false as well while it is nobody's.
 */
static inline bool tcewin_mm_is_other(const struct tcewin_mm *mm)
{
	const struct mm_struct *whose = READ_ONCE(mm->mm);

	return whose && whose != current->mm;
}

/**
 * tcewin_mm_is_mine() - the container belongs to the caller, for good
 * @mm: the cookie
 *
 * What holds is held from here on: one that somebody owns is never another's. So a call asks when
 * it has read its argument, which may take as long as somebody likes.
 *
 * Return: false as well for the length of the call that makes it the caller's.
 */
static inline bool tcewin_mm_is_mine(const struct tcewin_mm *mm)
{
	const struct mm_struct *owner = READ_ONCE(mm->owner);

	return owner && owner == current->mm;
}

/* memory.c */
void tcewin_memory_settle(void);
void tcewin_memory_uncounted(void);
void tcewin_memory_exit(void);

/* host.c */
void tcewin_host_init(void);
void tcewin_host_exit(void);

/* pseries.c */
bool tcewin_is_member(struct pci_dev *pdev, const struct iommu_table_group *table_group);
struct pci_dev *tcewin_any_member(const struct iommu_table_group *table_group,
				  const struct pci_dev *but);
/* As for_each_pci_dev(): @pdev is NULL before, and whoever leaves the loop has a reference on it. */
#define tcewin_for_each_member(pdev, table_group)		\
	for_each_pci_dev(pdev)					\
		if (!tcewin_is_member(pdev, table_group)) {	\
		} else
int tcewin_pe_find(struct iommu_table_group *table_group, struct tcewin_pe_host *pe);
int tcewin_pe_query(struct tcewin_pe_host *pe, struct tcewin_ddw_query *query);
int tcewin_pe_read(struct tcewin_pe_host *pe, struct iommu_table_group *table_group,
		   struct tcewin_pe_info *info);
void tcewin_read_hypercalls(struct tcewin_pe_info *info);
bool tcewin_pe_has_default_window(const struct tcewin_pe_host *pe);
void tcewin_pe_forget(struct tcewin_pe_host *pe);

/* powernv.c */
bool tcewin_on_powernv(void);
int tcewin_powernv_read(struct tcewin_adopted *entry, struct tcewin_pe_info *info);
int tcewin_powernv_take(struct tcewin_adopted *entry, struct tcewin_pe_info *info);
int tcewin_powernv_release(struct tcewin_adopted *entry);
void tcewin_powernv_leave(struct tcewin_adopted *entry);
int tcewin_powernv_set_window(struct tcewin_adopted *entry, u32 number,
			      struct tcewin_host_table *table);
int tcewin_powernv_unset_window(struct tcewin_adopted *entry, u32 number);

/* properties.c */
bool tcewin_describes_ddw(const struct device_node *node);
void tcewin_properties_remove(const struct tcewin_pe_host *host);
void tcewin_properties_exit(void);

/* refuse.c */
void tcewin_refuse(struct iommu_group *group, enum tcewin_container_kind kind);
u32 tcewin_windows_supported(const struct iommu_table_group *table_group);
int tcewin_refuse_init(void);
void tcewin_refuse_exit(void);

/* status.c */
int tcewin_refusal(int status);

/**
 * tcewin_errno() - the errno that userspace sees for a status
 * @status: enum tcewin_status
 *
 * Return: 0 or a negative errno, never a positive number. Any context.
 */
static inline int tcewin_errno(int status)
{
	return status == TCEWIN_OK ? 0 : tcewin_refusal(status);
}

/* vfio.c */
int tcewin_vfio_init(void);
void tcewin_vfio_exit(void);

#endif
