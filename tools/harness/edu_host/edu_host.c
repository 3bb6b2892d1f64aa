// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of QEMU's edu device that moves data by the kernel's DMA API: what a PE is for before
 * and after its user. Loaded by the harness (lib/edu_host.cc), which asks it by sysfs. Each device has
 * a page that stays mapped when the driver has left it, so that there is a translation of the
 * kernel's to look for in every kind of window.
 */
#define pr_fmt(fmt) "edu_host: " fmt
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/iommu.h>

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
MODULE_PARM_DESC(dma_bits, "width of the DMA mask from the next probe on");

/* Outlives the device and the driver's hold on it; ends with the module. */
struct kept {
	struct list_head next;
	char name[16];
	dma_addr_t bus;
	char *page;
};

struct edu {
	void __iomem *bar;
	bool big_endian;	/* its registers */
	char *out;
	char *in;
	struct mutex lock;	/* one transfer at a time */
};

static LIST_HEAD(all_kept);
static DEFINE_MUTEX(kept_lock);
static const char mark[16] = "THE KERNEL'S OWN";

static void fill(struct kept *kept)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE; i += sizeof(mark))
		memcpy(kept->page + i, mark, sizeof(mark));
}

static bool intact(const struct kept *kept)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE; i += sizeof(mark))
		if (memcmp(kept->page + i, mark, sizeof(mark)))
			return false;
	return true;
}

static struct kept *get_kept(const char *name)
{
	struct kept *kept;

	lockdep_assert_held(&kept_lock);
	list_for_each_entry(kept, &all_kept, next)
		if (!strcmp(kept->name, name))
			return kept;
	kept = kzalloc(sizeof(*kept), GFP_KERNEL);
	if (!kept)
		return NULL;
	kept->page = (char *)__get_free_page(GFP_KERNEL);
	if (!kept->page) {
		kfree(kept);
		return NULL;
	}
	strscpy(kept->name, name, sizeof(kept->name));
	list_add_tail(&kept->next, &all_kept);
	return kept;
}

static int keep_one_mapped(struct device *dev)
{
	struct kept *kept;
	int ret = -ENOMEM;

	mutex_lock(&kept_lock);
	kept = get_kept(dev_name(dev));
	if (kept) {
		fill(kept);
		kept->bus = dma_map_single(dev, kept->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
		ret = dma_mapping_error(dev, kept->bus);
	}
	mutex_unlock(&kept_lock);
	return ret;
}

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

static struct attribute *device_attrs[] = {
	&dev_attr_round_trip.attr,
	&dev_attr_buffer.attr,
	NULL,
};
ATTRIBUTE_GROUPS(device);

/* ---- of the driver: also when it has no device ---- */

/* "0000:00:00.0 0x800000000123000 intact": a line for each page. */
static ssize_t kept_show(struct device_driver *driver, char *text)
{
	struct kept *kept;
	ssize_t length = 0;

	mutex_lock(&kept_lock);
	list_for_each_entry(kept, &all_kept, next)
		length += sysfs_emit_at(text, length, "%s %#llx %s\n", kept->name,
					(u64)kept->bus, intact(kept) ? "intact" : "changed");
	mutex_unlock(&kept_lock);
	return length;
}

static ssize_t kept_store(struct device_driver *driver, const char *text, size_t length)
{
	struct kept *kept;

	mutex_lock(&kept_lock);
	list_for_each_entry(kept, &all_kept, next)
		fill(kept);
	mutex_unlock(&kept_lock);
	return length;
}
static DRIVER_ATTR_RW(kept);

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
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(dma_bits));
	if (!ret)
		ret = keep_one_mapped(dev);
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
	struct kept *kept, *tmp;

	pci_unregister_driver(&driver);
	list_for_each_entry_safe(kept, tmp, &all_kept, next) {
		free_page((unsigned long)kept->page);
		kfree(kept);
	}
}

module_init(edu_host_init);
module_exit(edu_host_exit);
MODULE_DESCRIPTION("edu by the kernel's DMA API, for tcewin's tests");
MODULE_LICENSE("GPL");
