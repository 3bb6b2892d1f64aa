// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that are there, come and go: which of their PEs are adopted, and when. Called by module.c
 * and, at hotplug, by the PCI bus.
 */
#include <linux/iommu.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <asm/iommu.h>
#include "api.h"
#include "glue.h"

/* Without the platform's operations a PE of an LPAR can, where there never are any. */
static bool can_be_ours(const struct iommu_table_group *table_group)
{
	if (tcewin_keeps_platform_ops())
		return false;
	if (!table_group->ops)
		return TCEWIN_LPAR_HAS_NO_OPS && !tcewin_on_powernv();
	return table_group->ops->take_ownership;
}

static void on_device(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	struct iommu_table_group *table_group;

	if (!group)
		return;
	table_group = iommu_group_get_iommudata(group);
	if (table_group && can_be_ours(table_group))
		tcewin_adopt(pdev, table_group);
	iommu_group_put(group);
}

static void on_going_device(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);

	if (group)
		tcewin_device_goes(pdev, group);
	iommu_group_put(group);
}

static int on_bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	switch (action) {
	case BUS_NOTIFY_BIND_DRIVER:	/* the first event at which a group surely exists */
		on_device(to_pci_dev(data));
		break;
	case BUS_NOTIFY_REMOVED_DEVICE:
		tcewin_forget_empty();
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = { .notifier_call = on_bus_event };

static int on_going(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == BUS_NOTIFY_DEL_DEVICE)
		on_going_device(to_pci_dev(data));
	return NOTIFY_DONE;
}

/* Before the platform of 6.1, whose own notifier takes the device out of its group. */
static struct notifier_block going_notifier = { .notifier_call = on_going, .priority = 1 };

static int on_node_event(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct of_reconfig_data *change = data;

	if (action == OF_RECONFIG_DETACH_NODE)
		tcewin_forget_node(change->dn);
	return NOTIFY_DONE;
}

/* Before the platform, which frees the node's table group. */
static struct notifier_block node_notifier = { .notifier_call = on_node_event, .priority = 1 };

/**
 * tcewin_bus_init() - adopts every PE there is and follows those to come
 *
 * Return: 0 or a negative errno.
 */
int tcewin_bus_init(void)
{
	struct pci_dev *pdev = NULL;
	int ret = 0;

	/* Without it a node never goes. */
	if (IS_ENABLED(CONFIG_OF_DYNAMIC))
		ret = of_reconfig_notifier_register(&node_notifier);
	if (ret)
		return ret;
	ret = bus_register_notifier(&pci_bus_type, &going_notifier);
	if (ret)
		goto node;
	/* The last: from here on PEs are adopted. */
	ret = bus_register_notifier(&pci_bus_type, &bus_notifier);
	if (ret)
		goto going;
	/* No device goes between its look-up and the adoption of its PE. */
	pci_lock_rescan_remove();
	for_each_pci_dev(pdev)
		on_device(pdev);
	pci_unlock_rescan_remove();
	return 0;

going:
	bus_unregister_notifier(&pci_bus_type, &going_notifier);
node:
	of_reconfig_notifier_unregister(&node_notifier);
	return ret;
}

/**
 * tcewin_bus_exit() - gives every PE back to the platform
 *
 * Context: as tcewin_forget_all().
 */
void tcewin_bus_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
	bus_unregister_notifier(&pci_bus_type, &going_notifier);
	of_reconfig_notifier_unregister(&node_notifier);
	tcewin_forget_all();
}
