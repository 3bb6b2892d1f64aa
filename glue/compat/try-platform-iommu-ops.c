// SPDX-License-Identifier: GPL-2.0-only
/* The platform has iommu_ops of its own: each PHB is an iommu_device. */
#include <linux/pci.h>
#include <asm/pci-bridge.h>

struct iommu_device *of_phb(struct pci_controller *phb);
struct iommu_device *of_phb(struct pci_controller *phb)
{
	return &phb->iommu;
}
