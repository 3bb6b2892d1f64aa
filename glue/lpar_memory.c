// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that goes online or offline where the kernel has windows that all memory is mapped in:
 * what iommu_mem_notifier() of the platform does, for the windows that there are.
 *
 * That one goes by a list that only the platform can change, so a window which is a user's by now
 * would have to be in reach of it, or no memory could go online as long as he is there (a LIOBN
 * that firmware does not know, lpar_ddw.c). From the first hand-over on ours stands in its place,
 * and goes by the device tree: the values that the list points to are the properties' there. It
 * stays for good, as the module does.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/kallsyms.h>
#include <linux/memory.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/rcupdate.h>
#include "lpar.h"

/* Inside of the notifier chain's lock. A window that is being filled is no window yet. */
DEFINE_MUTEX(tcewin_memory_lock);

static int each_window(const struct memory_notify *range,
		       long (*change)(const struct tcewin_window_info *window, unsigned long pfn,
				      unsigned long pages))
{
	struct tcewin_window_info window;
	struct device_node *node;
	struct property *property;
	bool direct;
	long rc = 0;

	mutex_lock(&tcewin_memory_lock);
	for_each_node_with_property(node, TCEWIN_DIRECT64) {
		property = tcewin_kernel_ddw_property(node, &direct);
		if (!property || !direct)
			continue;
		tcewin_kernel_ddw_read(property, &window);
		rc |= change(&window, range->start_pfn, range->nr_pages);
	}
	mutex_unlock(&tcewin_memory_lock);
	return rc ? NOTIFY_BAD : NOTIFY_OK;
}

static int on_memory(struct notifier_block *nb, unsigned long action, void *range)
{
	switch (action) {
	case MEM_GOING_ONLINE:
		return each_window(range, tcewin_tces_map);
	case MEM_CANCEL_ONLINE:
	case MEM_OFFLINE:
		each_window(range, tcewin_tces_unmap);
		return NOTIFY_OK;
	default:
		return NOTIFY_DONE;
	}
}

/* First in the chain, so all others can be seen from it. */
static struct notifier_block ours = { .notifier_call = on_memory, .priority = INT_MAX };

/*
 * The platform's, known by the name of its function. None of the kernel's own blocks ever leaves
 * the chain; the name is that of a module's function only with the module's behind it.
 */
static struct notifier_block *find_platforms(void)
{
	struct notifier_block *nb;
	char name[KSYM_SYMBOL_LEN];

	rcu_read_lock();
	for (nb = rcu_dereference(ours.next); nb; nb = rcu_dereference(nb->next)) {
		snprintf(name, sizeof(name), "%ps", nb->notifier_call);
		if (!strcmp(name, "iommu_mem_notifier"))
			break;
	}
	rcu_read_unlock();
	return nb;
}

/**
 * tcewin_memory_watch() - memory that goes online is mapped in no window that has been parked
 *
 * Whoever had begun before has ended. Where the platform's notifier cannot be found it stays, and
 * refuses memory as long as a window is parked.
 */
void tcewin_memory_watch(void)
{
	static DEFINE_MUTEX(lock);
	static bool watching;
	struct notifier_block *platforms;

	mutex_lock(&lock);
	if (!watching) {
		register_memory_notifier(&ours);
		platforms = find_platforms();
		unregister_memory_notifier(platforms ?: &ours);
		watching = platforms;
		if (!platforms)
			pr_warn_once("no memory can go online while a user has a PE that had a 64-bit window\n");
	}
	mutex_unlock(&lock);
}
