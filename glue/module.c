// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcewin: VFIO with dynamic DMA windows for POWER. Load and unload, and the machines on which it
 * does not load.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/cc_platform.h>
#include <linux/crash_dump.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <asm/firmware.h>
#include "api.h"
#include "glue.h"

/* Why it cannot work here, or NULL. */
static const char *obstacle(void)
{
	if (!firmware_has_feature(FW_FEATURE_LPAR) && !tcewin_on_powernv())
		return "neither an LPAR (pSeries) nor bare metal (PowerNV)";
	if (is_kdump_kernel())
		return "this kernel saves a crash dump; devices stay with it";
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return "a secure guest cannot give its memory to a device";
	if (tcewin_keeps_platform_ops() && !TCEWIN_HAVE_PLATFORM_IOMMU_OPS)
		return "platform_ops=Y: this kernel takes no PE from its drivers by itself";
	return NULL;
}

/* Bare metal has no hypercalls to save. */
static bool has_multitce(void)
{
	return tcewin_on_powernv() || (firmware_has_feature(FW_FEATURE_PUT_TCE_IND) &&
				       firmware_has_feature(FW_FEATURE_STUFF_TCE));
}

/*
 * Whoever starts next, by kexec too, finds default windows, and no device that writes to memory
 * which is somebody else's then.
 */
static int on_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	tcewin_handles_retire();
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = { .notifier_call = on_reboot };

static int __init tcewin_init(void)
{
	const char *why = obstacle();
	int ret;

	if (why) {
		pr_err("%s\n", why);
		return -ENODEV;
	}
	ret = tcewin_refuse_init();
	if (ret)
		return ret;
	ret = tcewin_ownership_init();
	if (ret)
		goto refuse_exit;
	tcewin_host_init();
	ret = tcewin_bus_init();
	if (ret)
		goto ownership_exit;
	ret = register_reboot_notifier(&reboot_notifier);
	if (ret)
		goto bus_exit;
	ret = tcewin_vfio_init();
	if (ret)
		goto reboot_exit;
	ret = tcewin_iommu_ops_init();
	if (ret)
		goto vfio_exit;
	pr_info("serves VFIO containers of types 2 and 7 (sPAPR TCE)%s\n",
		has_multitce() ? "" :
		", one translation a hypercall: firmware has no multi-TCE option");
	return 0;

vfio_exit:
	tcewin_vfio_exit();
reboot_exit:
	unregister_reboot_notifier(&reboot_notifier);
bus_exit:
	tcewin_bus_exit();
ownership_exit:
	tcewin_properties_exit();
	tcewin_memory_exit();
	tcewin_ownership_exit();
	tcewin_host_exit();
refuse_exit:
	tcewin_refuse_exit();
	return ret;
}

static void __exit tcewin_exit(void)
{
	tcewin_vfio_exit();
	unregister_reboot_notifier(&reboot_notifier);
	tcewin_bus_exit();
	tcewin_refuse_exit();
	tcewin_properties_exit();
	tcewin_memory_exit();
	tcewin_ownership_exit();
	tcewin_host_exit();
}

module_init(tcewin_init);
module_exit(tcewin_exit);

MODULE_AUTHOR("tcewin maintainers");
MODULE_DESCRIPTION("VFIO with dynamic DMA windows for POWER");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
