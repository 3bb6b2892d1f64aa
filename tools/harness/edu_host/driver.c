// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of QEMU's edu device that moves data by the kernel's DMA API: what a PE is for before
 * and after its user. Loaded by the harness (lib/edu_host.cc), which asks it by sysfs.
 */
#define pr_fmt(fmt) "edu_host: " fmt
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/iommu.h>
#include "kept.h"

#define EDU_ID		0x010000ed
#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_START	1
#define EDU_TO_RAM	2
#define EDU_BUFFER	0x40000
#define MOVED		2048

static uint dma_bits = 64;
module_param(dma_bits, uint, 0644);
MODULE_PARM_DESC(dma_bits, "width of the DMA mask from the next probe on; 0: none is set");

struct edu {
	void __iomem *bar;
	bool big_endian;	/* its registers */
	char *out;
	char *in;
	struct mutex lock;	/* one transfer at a time */
};

/* The target's native order, which QEMU has as big on an LPAR and as little on bare metal. */
static bool find_order(struct edu *edu)
{
	edu->big_endian = in_be32(edu->bar) == EDU_ID;
	return edu->big_endian || in_le32(edu->bar) == EDU_ID;
}

static void set(struct edu *edu, int reg, u64 value)
{
	if (edu->big_endian)
		out_be64(edu->bar + reg, value);
	else
		out_le64(edu->bar + reg, value);
}

static u64 get(struct edu *edu, int reg)
{
	return edu->big_endian ? in_be64(edu->bar + reg) : in_le64(edu->bar + reg);
}

static int run(struct edu *edu, u64 source, u64 target, u64 command)
{
	int tries;

	set(edu, EDU_SOURCE, source);
	set(edu, EDU_TARGET, target);
	set(edu, EDU_COUNT, MOVED);
	set(edu, EDU_COMMAND, command | EDU_START);
	for (tries = 0; tries < 4000; tries++) {
		if (!(get(edu, EDU_COMMAND) & EDU_START))
			return 0;
		usleep_range(4000, 6000);
	}
	return -ETIMEDOUT;
}

static int load(struct device *dev, struct edu *edu)
{
	dma_addr_t bus = dma_map_single(dev, edu->out, MOVED, DMA_TO_DEVICE);
	int ret;

	if (dma_mapping_error(dev, bus))
		return -ENOMEM;
	ret = run(edu, bus, EDU_BUFFER, 0);
	dma_unmap_single(dev, bus, MOVED, DMA_TO_DEVICE);
	return ret;
}

static int unload(struct device *dev, struct edu *edu)
{
	dma_addr_t bus = dma_map_single(dev, edu->in, MOVED, DMA_FROM_DEVICE);
	int ret;

	if (dma_mapping_error(dev, bus))
		return -ENOMEM;
	ret = run(edu, EDU_BUFFER, bus, EDU_TO_RAM);
	dma_unmap_single(dev, bus, MOVED, DMA_FROM_DEVICE);
	return ret;
}

/* ---- of a device ---- */

/* New bytes to the device and back: "ok", or what came of it. */
static ssize_t round_trip_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct edu *edu = dev_get_drvdata(dev);
	int ret;

	mutex_lock(&edu->lock);
	get_random_bytes(edu->out, MOVED);
	memset(edu->in, 0, MOVED);
	ret = load(dev, edu);
	if (!ret)
		ret = unload(dev, edu);
	if (!ret && memcmp(edu->in, edu->out, MOVED))
		ret = -EIO;
	mutex_unlock(&edu->lock);
	return ret ? sysfs_emit(text, "%d\n", ret) : sysfs_emit(text, "ok\n");
}
static DEVICE_ATTR_RO(round_trip);

/* What is in the device's buffer, as it is. */
static ssize_t buffer_show(struct device *dev, struct device_attribute *attr, char *bytes)
{
	struct edu *edu = dev_get_drvdata(dev);
	int ret;

	mutex_lock(&edu->lock);
	ret = unload(dev, edu);
	memcpy(bytes, edu->in, MOVED);
	mutex_unlock(&edu->lock);
	return ret ?: MOVED;
}
static DEVICE_ATTR_RO(buffer);

/* The last driver's mapping ends: "0x8000000", where it was, or "0". */
static ssize_t unmap_left_show(struct device *dev, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%#llx\n", (u64)kept_unmap_left(dev));
}
static DEVICE_ATTR_RO(unmap_left);

static struct attribute *device_attrs[] = {
	&dev_attr_round_trip.attr,
	&dev_attr_buffer.attr,
	&dev_attr_unmap_left.attr,
	NULL,
};
ATTRIBUTE_GROUPS(device);

/* ---- of the driver: also when it has no device ---- */

/* One that is a user's has no map of what is given out: nothing can be allocated from it. */
static bool has_table(struct pci_dev *pdev)
{
	const struct iommu_table *tbl = get_iommu_table_base(&pdev->dev);

	return tbl && tbl->it_map;
}

/* "0000:00:00.0 none": whether the kernel's DMA API has a table for the device. */
static ssize_t tables_show(struct device_driver *driver, char *text)
{
	struct pci_dev *pdev = NULL;
	ssize_t length = 0;

	for_each_pci_dev(pdev)
		length += sysfs_emit_at(text, length, "%s %s\n", pci_name(pdev),
					has_table(pdev) ? "table" : "none");
	return length;
}
static DRIVER_ATTR_RO(tables);

static struct attribute *driver_attrs[] = {
	&driver_attr_kept.attr,
	&driver_attr_tables.attr,
	NULL,
};
ATTRIBUTE_GROUPS(driver);

/* ---- the driver ---- */

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct edu *edu = devm_kzalloc(dev, sizeof(*edu), GFP_KERNEL);
	int ret;

	if (!edu)
		return -ENOMEM;
	mutex_init(&edu->lock);
	edu->out = devm_kmalloc(dev, MOVED, GFP_KERNEL);
	edu->in = devm_kmalloc(dev, MOVED, GFP_KERNEL);
	if (!edu->out || !edu->in)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (!ret)
		ret = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (ret)
		return ret;
	edu->bar = pcim_iomap_table(pdev)[0];
	if (!find_order(edu))
		return -ENODEV;
	pci_set_master(pdev);
	ret = dma_bits ? dma_set_mask_and_coherent(dev, DMA_BIT_MASK(dma_bits)) : 0;
	if (!ret)
		ret = kept_map(dev);
	pci_set_drvdata(pdev, edu);
	return ret;
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};

static struct pci_driver driver = {
	.name = KBUILD_MODNAME,
	.id_table = ids,
	.probe = probe,
	.dev_groups = device_groups,
	.groups = driver_groups,
};

static int __init edu_host_init(void)
{
	return pci_register_driver(&driver);
}

static void __exit edu_host_exit(void)
{
	pci_unregister_driver(&driver);
	kept_exit();
}

module_init(edu_host_init);
module_exit(edu_host_exit);
MODULE_DESCRIPTION("edu by the kernel's DMA API, for tcewin's tests");
MODULE_LICENSE("GPL");
