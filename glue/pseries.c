// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an LPAR's device tree and firmware say of a PE: where its windows are described, how RTAS
 * calls it and what it can have (LoPAR, "Dynamic DMA Windows").
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <asm/firmware.h>
#include <asm/iommu.h>
#include <asm/pci-bridge.h>
#include "glue.h"

/* ibm,ddw-extensions: the number of words that follow, then these. */
enum { EXT_COUNT, EXT_RESET, EXT_QUERY_SIZE };

/* The node of the PE's windows is the device's or one above it. */
static struct device_node *find_node(struct device_node *dn,
				     struct iommu_table_group *table_group)
{
	for (; dn && PCI_DN(dn); dn = dn->parent)
		if (PCI_DN(dn)->table_group == table_group)
			return of_node_get(dn);
	return NULL;
}

/**
 * tcewin_is_member() - a device belongs to a PE
 * @pdev: the device
 * @table_group: of the PE
 *
 * Return: whether that is so. Takes no lock of the group's.
 */
bool tcewin_is_member(struct pci_dev *pdev, const struct iommu_table_group *table_group)
{
	const struct iommu_group *group = READ_ONCE(pdev->dev.iommu_group);

	/* Nothing of it is read, and it may be about to go: a reference would keep it from that. */
	return group && group == table_group->group;
}

/**
 * tcewin_any_member() - a device of a PE
 * @table_group: of the PE
 * @but: not this one, which is about to go, or NULL
 *
 * Return: it, with a reference, or NULL.
 */
struct pci_dev *tcewin_any_member(const struct iommu_table_group *table_group,
				  const struct pci_dev *but)
{
	struct pci_dev *pdev = NULL;

	tcewin_for_each_member(pdev, table_group)
		if (pdev != but)
			return pdev;
	return NULL;
}

/* An LPAR's firmware knows a device by its node. On bare metal virtual functions have none. */
static bool is_known(struct pci_dev *pdev)
{
	struct device_node *dn = pci_device_to_OF_node(pdev);

	return tcewin_on_powernv() || (dn && PCI_DN(dn));
}

/* The first device of the PE that is known, with a reference. */
static struct pci_dev *find_device(const struct iommu_table_group *table_group)
{
	struct pci_dev *pdev = NULL;

	tcewin_for_each_member(pdev, table_group)
		if (is_known(pdev))
			return pdev;
	return NULL;
}

/*
 * The tokens of the RTAS calls. False without all of them: a PE whose windows cannot be reset
 * would not get its default window back.
 */
static bool read_tokens(struct tcewin_pe_host *pe)
{
	u32 tokens[3], count, words;

	if (of_property_read_u32_array(pe->node, "ibm,ddw-applicable", tokens, 3))
		return false;
	pe->query = tokens[0];
	pe->create = tokens[1];
	pe->remove = tokens[2];
	pe->query_words = 5;
	if (of_property_read_u32_index(pe->node, "ibm,ddw-extensions", EXT_COUNT, &count) ||
	    count < EXT_RESET ||
	    of_property_read_u32_index(pe->node, "ibm,ddw-extensions", EXT_RESET, &pe->reset))
		return false;
	if (count >= EXT_QUERY_SIZE &&
	    !of_property_read_u32_index(pe->node, "ibm,ddw-extensions", EXT_QUERY_SIZE, &words) &&
	    words == 1)
		pe->query_words = 6;
	return true;
}

static u32 read_cells(struct device_node *node, const char *name, u32 otherwise)
{
	u32 cells;

	return of_property_read_u32(node, name, &cells) ? otherwise : cells;
}

/* One that was removed is there as long as the node. */
static const void *get_dead_property(const struct device_node *node, const char *name, int *bytes)
{
	const struct property *property;

	for (property = node->deadprops; property; property = property->next) {
		if (!of_prop_cmp(property->name, name)) {
			*bytes = property->length;
			return property->value;
		}
	}
	return NULL;
}

/*
 * The platform parks it as "-saved". On 6.1 it removes it, where a host driver's 64-bit window has
 * taken the place of the default window.
 */
static const void *get_default_window(const struct device_node *node, int *bytes)
{
	const void *cells = of_get_property(node, "ibm,dma-window-saved", bytes);

	if (!cells)
		cells = of_get_property(node, "ibm,dma-window", bytes);
	return cells ?: get_dead_property(node, "ibm,dma-window", bytes);
}

/*
 * ibm,dma-window: one cell of LIOBN, then start and size. GET_INFO has 32 bits for either. Above
 * that, as a virtual function's may be, it is not told, and so may have any size.
 */
static int read_default_window(struct device_node *node, struct tcewin_pe_info *info)
{
	u32 start_cells = read_cells(node, "ibm,#dma-address-cells",
				     read_cells(node, "#address-cells", of_n_addr_cells(node)));
	u32 size_cells = read_cells(node, "ibm,#dma-size-cells", of_n_size_cells(node));
	const __be32 *cells;
	u64 size;
	int bytes;

	cells = get_default_window(node, &bytes);
	if (!cells || start_cells > 3 || size_cells > 2 ||
	    bytes < (1 + start_cells + size_cells) * sizeof(*cells)) {
		pr_warn_ratelimited("%pOF: stays with the kernel: no ibm,dma-window that can be read\n",
				    node);
		return -ENODEV;
	}
	info->default_liobn = of_read_number(cells, 1);
	info->default_start = of_read_number(cells + 1, start_cells);
	size = of_read_number(cells + 1 + start_cells, size_cells);
	if (size < SZ_4K) {
		pr_warn_ratelimited("%pOF: stays with the kernel: a default window of %llu bytes\n",
				    node, size);
		return -ENODEV;
	}
	if (info->default_start <= U32_MAX)
		size = min_t(u64, size, U32_MAX);
	info->default_size = rounddown_pow_of_two(size);
	return 0;
}

/**
 * tcewin_pe_query() - what firmware says of a PE's windows
 * @pe: the PE, which has DDW
 * @query: filled
 *
 * Return: 0; -EIO when firmware does not tell, which is in the log then.
 */
int tcewin_pe_query(struct tcewin_pe_host *pe, struct tcewin_ddw_query *query)
{
	const int status = tcewin_until_done(tcewin_host_ddw_query(pe, query));

	if (!status)
		return 0;
	tcewin_host_event(pe, TCEWIN_EVENT_FIRMWARE, "ibm,query-pe-dma-windows", status);
	return -EIO;
}

/* The page sizes that a window can have; the default window's is 4 KiB, whatever the others. */
static int read_page_sizes(struct tcewin_pe_host *pe, struct tcewin_pe_info *info)
{
	struct tcewin_ddw_query query;
	int ret = tcewin_pe_query(pe, &query);

	if (ret)
		return ret;
	info->page_sizes = SZ_4K | query.page_sizes;
	return 0;
}

/**
 * tcewin_pe_find() - how firmware calls a PE
 * @table_group: of the PE
 * @pe: filled; tcewin_pe_forget() ends it
 *
 * Return: 0; -ENODEV when the device tree does not tell.
 */
int tcewin_pe_find(struct iommu_table_group *table_group, struct tcewin_pe_host *pe)
{
	struct pci_dev *pdev = find_device(table_group);
	struct device_node *dn;

	memset(pe, 0, sizeof(*pe));
	if (!pdev) {
		pr_warn_ratelimited("group %d: stays with the platform: no node in the device tree\n",
				    iommu_group_id(table_group->group));
		return -ENODEV;
	}
	dn = pci_device_to_OF_node(pdev);
	strscpy(pe->name, pci_name(pdev), sizeof(pe->name));
	if (tcewin_on_powernv()) {
		pe->has_ddw = true;
		pci_dev_put(pdev);
		return 0;
	}
	pe->node = find_node(dn, table_group);
	pe->buid = PCI_DN(dn)->phb->buid;
	pe->config_address = PCI_DN(dn)->busno << 16 | PCI_DN(dn)->devfn << 8;
	pci_dev_put(pdev);
	if (!pe->node)
		return -ENODEV;
	pe->has_ddw = read_tokens(pe);
	return 0;
}

/**
 * tcewin_read_hypercalls() - which of the TCE hypercalls firmware has
 * @info: where that is filled in
 */
void tcewin_read_hypercalls(struct tcewin_pe_info *info)
{
	info->max_levels = 1;
	info->put_indirect = firmware_has_feature(FW_FEATURE_PUT_TCE_IND) ? 1 : 0;
	info->stuff = firmware_has_feature(FW_FEATURE_STUFF_TCE) ? 1 : 0;
}

/**
 * tcewin_pe_read() - what a PE can have
 * @pe: the PE
 * @table_group: of it
 * @info: filled
 *
 * Return: 0; -ENODEV when the device tree does not tell enough; -EIO when firmware does not.
 */
int tcewin_pe_read(struct tcewin_pe_host *pe, struct iommu_table_group *table_group,
		   struct tcewin_pe_info *info)
{
	int ret;

	memset(info, 0, sizeof(*info));
	tcewin_read_hypercalls(info);
	info->max_windows = tcewin_windows_supported(table_group);
	ret = read_default_window(pe->node, info);
	return ret ?: read_page_sizes(pe, info);
}

/**
 * tcewin_pe_has_default_window() - the device tree describes it, in use or put aside
 * @pe: the PE
 *
 * Return: whether that is so.
 */
bool tcewin_pe_has_default_window(const struct tcewin_pe_host *pe)
{
	return of_property_present(pe->node, "ibm,dma-window-saved") ||
	       of_property_present(pe->node, "ibm,dma-window");
}

/**
 * tcewin_pe_forget() - undoes tcewin_pe_find()
 * @pe: the PE
 */
void tcewin_pe_forget(struct tcewin_pe_host *pe)
{
	of_node_put(pe->node);
	pe->node = NULL;
}
