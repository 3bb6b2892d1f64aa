// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VFIO IOMMU driver: callbacks of the VFIO core, and the place in its list of drivers. The
 * core asks the newest driver first, so when the in-tree one comes after us another copy of our
 * operations goes in front of it.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include "glue.h"
#include "vfio_layout.h"

static bool v2_without_ddw;
module_param(v2_without_ddw, bool, 0644);
MODULE_PARM_DESC(v2_without_ddw, "accept a v2 container on a PE without DDW (N)");

static bool vfio = true;
module_param(vfio, bool, 0444);
MODULE_PARM_DESC(vfio, "serve VFIO containers; N leaves them to another driver, over our PEs (Y)");

static void *tcewin_vfio_open(unsigned long type)
{
	if (type == VFIO_SPAPR_TCE_IOMMU)
		return tcewin_handle_open(TCEWIN_CONTAINER_V1);
	return tcewin_handle_open(v2_without_ddw ? TCEWIN_CONTAINER_V2_ANY_PE
						 : TCEWIN_CONTAINER_V2);
}

static int tcewin_vfio_attach_group(void *data, struct iommu_group *group,
				    enum vfio_group_type type)
{
	struct tcewin_handle *handle;
	int ret = -ENOMEM;	/* of open() */

	handle = tcewin_handle_get(data);
	if (type != VFIO_IOMMU) {
		ret = -EINVAL;
	} else {
		if (handle)
			ret = tcewin_group_attach(handle, group);
		if (ret)
			tcewin_refuse(group, handle ? handle->kind : TCEWIN_CONTAINER_V2);
	}
	if (handle)
		tcewin_handle_put(handle);
	return ret;
}

static void tcewin_vfio_detach_group(void *data, struct iommu_group *group)
{
	struct tcewin_handle *handle;

	handle = tcewin_handle_get(data);
	if (!WARN_ON_ONCE(!handle)) {
		tcewin_group_detach(handle, group);
		tcewin_handle_put(handle);
	}
}

/* The core has detached every group before. */
static void tcewin_vfio_release(void *data)
{
	tcewin_handle_close(data);
}

static const struct vfio_iommu_driver_ops tcewin_vfio_ops = {
	.name = "tcewin",
	.owner = THIS_MODULE,
	.open = tcewin_vfio_open,
	.release = tcewin_vfio_release,
	.ioctl = tcewin_ioctl,
	.attach_group = tcewin_vfio_attach_group,
	.detach_group = tcewin_vfio_detach_group,
};

/* ---- the place in the list ---- */

/*
 * The core wants a different address for each registration, and open containers point to what was
 * registered: nothing of it goes before the module does.
 */
struct copy {
	struct list_head next;
	struct vfio_iommu_driver_ops ops;
};

static LIST_HEAD(copies);
static DEFINE_MUTEX(copies_lock);

static int register_copy(void)
{
	struct copy *copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	int ret;

	if (!copy)
		return -ENOMEM;
	copy->ops = tcewin_vfio_ops;
	mutex_lock(&copies_lock);
	ret = vfio_register_iommu_driver(&copy->ops);
	if (ret)
		kfree(copy);
	else
		list_add(&copy->next, &copies);
	mutex_unlock(&copies_lock);
	return ret;
}

static void unregister_copies(void)
{
	struct copy *copy, *tmp;

	list_for_each_entry_safe(copy, tmp, &copies, next) {
		vfio_unregister_iommu_driver(&copy->ops);
		list_del(&copy->next);
		kfree(copy);
	}
}

static int on_module(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *module = data;

	if (state == MODULE_STATE_LIVE && !strcmp(module->name, "vfio_iommu_spapr_tce") &&
	    register_copy())
		pr_warn("no memory: %s is asked before us\n", module->name);
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = { .notifier_call = on_module };

/**
 * tcewin_vfio_init() - containers can be opened from now on, unless the administrator says no
 *
 * Return: 0 or a negative errno.
 */
int tcewin_vfio_init(void)
{
	int ret;

	if (!vfio)
		return 0;
	ret = register_module_notifier(&module_notifier);
	if (ret)
		return ret;
	ret = register_copy();
	if (ret) {
		unregister_module_notifier(&module_notifier);
		unregister_copies();
	}
	return ret;
}

/**
 * tcewin_vfio_exit() - undoes it
 *
 * Context: the module's exit. Open containers hold references on the module, so there are none.
 */
void tcewin_vfio_exit(void)
{
	if (!vfio)
		return;
	unregister_module_notifier(&module_notifier);
	tcewin_handles_wait();
	unregister_copies();
}
