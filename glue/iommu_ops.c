// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iommu_ops of kernels that have none on POWER (6.1): without, vfio-pci binds to nothing, for
 * nobody says that the IOMMU keeps caches coherent, and nobody takes a PE from the kernel's DMA API
 * when a user claims its group.
 *
 * What the core would do for an IOMMU driver that is there from the start has happened without us:
 * groups exist, drivers are bound and do DMA. Neither is touched. Each device of a group gets what
 * the core asks for later, struct dev_iommu, and the link in sysfs. A group has no default domain,
 * that is: the platform's DMA ops, and goes from there to the blocked domain and back.
 *
 * There is no way out again. The core holds the module for each device, keeps the blocked domain in
 * each group that was ever claimed, and leaves the pointer to our operations in its buses. So
 * nothing fails after iommu_device_register(), and rmmod is refused from then on.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include "api.h"
#include "glue.h"

#if !TCEWIN_HAVE_PLATFORM_IOMMU_OPS

static struct iommu_device iommu;
static DEFINE_MUTEX(link_lock); /* a device is linked once */

/* The PE of a device, if it is ours. */
static struct tcewin_adopted *pe_of(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct tcewin_adopted *entry;

	if (!group)
		return NULL;
	entry = tcewin_adopted_get(iommu_group_get_iommudata(group));
	iommu_group_put(group);
	return entry;
}

/* ---- the blocked domain ---- */

/*
 * Of the blocked domain the core promises its callers that no DMA of the device gets through. VFIO
 * relies on that: it hands the group to a user next. Other drivers of such a domain have nothing to
 * do but to point the device at an empty table; here the tables are the platform's and are full of
 * what the kernel's drivers mapped, or the device bypasses them. So this is where the PE is taken:
 * when attach_dev() returns 0 for the first device of the group, every window of the PE is gone or
 * empty, the hypervisor or the PHB knows that, and the kernel's DMA API has no table to map with
 * any more. For the other devices, and those that are plugged in later, it is done already.
 *
 * Whatever fails on the way is undone by the engine: the claim fails, and the group is the kernel's
 * with all that its drivers had, or in quarantine when even that failed.
 *
 * The group's mutex is held: nothing in here may ask the core about the group.
 */
static int blocked_attach(struct iommu_domain *domain, struct device *dev)
{
	struct tcewin_adopted *entry = pe_of(dev);

	return entry ? tcewin_take(entry, dev) : -ENODEV;
}

/* The way back, as there is no default domain to go to. */
static void blocked_detach(struct iommu_domain *domain, struct device *dev)
{
	struct tcewin_adopted *entry = pe_of(dev);

	if (!WARN_ON_ONCE(!entry))
		tcewin_release(entry, dev);
}

/* With its group; there is but one, and it has nothing of the group's. */
static void blocked_free(struct iommu_domain *domain)
{
}

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = blocked_attach,
	.detach_dev = blocked_detach,
	.free = blocked_free,
};

static struct iommu_domain blocked = { .type = IOMMU_DOMAIN_BLOCKED, .ops = &blocked_ops };

/* Default domains are asked for, too: the core goes on without. */
static struct iommu_domain *domain_alloc(unsigned int type)
{
	return type == IOMMU_DOMAIN_BLOCKED ? &blocked : NULL;
}

/* ---- iommu_ops ---- */

/* TCEs have no bit for it: DMA is coherent. But a PE that is not ours cannot be blocked. */
static bool is_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY && pe_of(dev);
}

/* The core calls this too early, before the platform has made the PE: see link(). */
static struct iommu_device *probe_device(struct device *dev)
{
	return dev->iommu_group ? &iommu : ERR_PTR(-ENODEV);
}

static void release_device(struct device *dev)
{
}

static struct iommu_group *device_group(struct device *dev)
{
	return iommu_group_get(dev) ?: ERR_PTR(-ENODEV);
}

static const struct iommu_ops ops = {
	.owner = THIS_MODULE,
	.capable = is_capable,
	.domain_alloc = domain_alloc,
	.probe_device = probe_device,
	.release_device = release_device,
	.device_group = device_group,
	.default_domain_ops = &blocked_ops,
	.pgsize_bitmap = SZ_4K,
};

/* ---- devices ---- */

static struct dev_iommu *new_param(void)
{
	/* Without, the core ends in a NULL pointer where the device joins a user's group. */
	struct dev_iommu *param = kzalloc(sizeof(*param), GFP_KERNEL | __GFP_NOFAIL);

	mutex_init(&param->lock);
	return param;
}

/*
 * A device is ours as if the core had probed it, until the core lets it go: iommu_release_device()
 * undoes each of these steps.
 */
static void link(struct pci_dev *pdev)
{
	struct device *dev = &pdev->dev;

	mutex_lock(&link_lock);
	if (dev->iommu && dev->iommu->iommu_dev)
		goto unlock;
	if (!dev->iommu)
		dev->iommu = new_param();
	dev->iommu->iommu_dev = &iommu;
	__module_get(THIS_MODULE);
	if (iommu_device_link(&iommu, dev))
		pci_warn(pdev, "no link to its IOMMU in sysfs\n");
unlock:
	mutex_unlock(&link_lock);
}

static void link_if_grouped(struct pci_dev *pdev)
{
	if (pdev->dev.iommu_group)
		link(pdev);
}

/*
 * A device that is plugged in joins its group after ADD_DEVICE. If a user owns the group the core
 * attaches it to the blocked domain then, and looks into its dev_iommu for that.
 */
static int on_bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == BUS_NOTIFY_ADD_DEVICE)
		link(to_pci_dev(data));
	else if (action == BUS_NOTIFY_BIND_DRIVER)
		link_if_grouped(to_pci_dev(data));
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = { .notifier_call = on_bus_event };

/* ---- load ---- */

/* iommu_device_register() leaves the pointer behind when it fails half-way. */
static void forget_ops(void)
{
	if (platform_bus_type.iommu_ops == &ops)
		platform_bus_type.iommu_ops = NULL;
	if (pci_bus_type.iommu_ops == &ops)
		pci_bus_type.iommu_ops = NULL;
}

static int register_ops(void)
{
	int ret = iommu_device_sysfs_add(&iommu, NULL, NULL, "tcewin");

	if (ret)
		return ret;
	ret = iommu_device_register(&iommu, &ops, NULL);
	if (!ret)
		return 0;
	forget_ops();
	iommu_device_sysfs_remove(&iommu);
	return ret;
}

/**
 * tcewin_iommu_ops_init() - groups can be claimed, and devices bound to vfio-pci, from now on
 *
 * Return: 0, then the module stays for good and nothing else may fail; or a negative errno.
 */
int tcewin_iommu_ops_init(void)
{
	struct pci_dev *pdev = NULL;
	int ret;

	if (tcewin_keeps_platform_ops()) {
		pr_err("platform_ops: nobody else hands a PE over in this kernel\n");
		return -EINVAL;
	}
	/* No device is half-way through the core's own probe, or on its way out. */
	pci_lock_rescan_remove();
	ret = register_ops();
	if (ret) {
		pr_err("cannot be the IOMMU driver that this kernel lacks: %d\n", ret);
		goto unlock;
	}
	__module_get(THIS_MODULE);
	bus_register_notifier(&pci_bus_type, &bus_notifier);
	for_each_pci_dev(pdev)
		link_if_grouped(pdev);
unlock:
	pci_unlock_rescan_remove();
	return ret;
}

#endif
