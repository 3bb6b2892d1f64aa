// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells references that the kernel counts and shows nobody, and has some itself. Loaded by the
 * harness (lib/kernel_refs.cc), which asks it by its parameters.
 */
#define pr_fmt(fmt) "kernel_refs: " fmt
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <asm/mmu_context.h>

/* Where no memory is: nobody asks for what is there. */
#define SOME_DEVICE 0x6000000000000ULL

/* ---- a range of a process's addresses that is a device's memory, as KVM or a driver lists it ---- */

static DEFINE_MUTEX(range_lock);
static struct mm_iommu_table_group_mem_t *listed;
static struct mm_struct *owner;
static unsigned long range_start, range_pages;

static int list_range(unsigned long start, unsigned long pages)
{
	long ret;

	if (listed)
		return -EBUSY;
	ret = mm_iommu_newdev(current->mm, start, pages, SOME_DEVICE, &listed);
	if (ret)
		return ret;
	owner = current->mm;
	range_start = start;
	range_pages = pages;
	return 0;
}

static int drop_range(void)
{
	long ret;

	if (!listed || current->mm != owner)
		return -EINVAL;
	ret = mm_iommu_put(owner, listed);
	if (!ret)
		listed = NULL;
	return ret;
}

/* "START PAGES": the caller's range is a device's; "drop": the module's reference goes. */
static int set_range(const char *text, const struct kernel_param *parameter)
{
	unsigned long start, pages;
	int ret = -EINVAL;

	mutex_lock(&range_lock);
	if (sysfs_streq(text, "drop"))
		ret = drop_range();
	else if (sscanf(text, "%lu %lu", &start, &pages) == 2)
		ret = list_range(start, pages);
	mutex_unlock(&range_lock);
	return ret;
}

/* Whether the list of the caller's has the last range. */
static int get_range(char *text, const struct kernel_param *parameter)
{
	struct mm_iommu_table_group_mem_t *mem;

	mutex_lock(&range_lock);
	mem = mm_iommu_get(current->mm, range_start, range_pages);
	if (mem)
		mm_iommu_put(current->mm, mem);
	mutex_unlock(&range_lock);
	return sysfs_emit(text, "%s\n", mem ? "listed" : "gone");
}

static const struct kernel_param_ops range_ops = { .set = set_range, .get = get_range };

module_param_cb(range, &range_ops, NULL, 0600);
MODULE_PARM_DESC(range, "device memory of the calling process");

/* ---- device tree nodes ---- */

/* "0000:00:00.0 17": the references of the node that each device has, and those above it. */
static int get_nodes(char *text, const struct kernel_param *parameter)
{
	struct pci_dev *pdev = NULL;
	struct device_node *node;
	int length = 0;

	for_each_pci_dev(pdev) {
		length += sysfs_emit_at(text, length, "%s", pci_name(pdev));
		for (node = pci_device_to_OF_node(pdev); node; node = node->parent)
			length += sysfs_emit_at(text, length, " %u", kref_read(&node->kobj.kref));
		length += sysfs_emit_at(text, length, "\n");
	}
	return length;
}

static const struct kernel_param_ops nodes_ops = { .get = get_nodes };

module_param_cb(nodes, &nodes_ops, NULL, 0400);
MODULE_PARM_DESC(nodes, "references of the nodes of PCI devices");

static int __init kernel_refs_init(void)
{
	return 0;
}

static void __exit kernel_refs_exit(void)
{
}

module_init(kernel_refs_init);
module_exit(kernel_refs_exit);
MODULE_DESCRIPTION("references that the kernel counts, for tcewin's tests");
MODULE_LICENSE("GPL");
