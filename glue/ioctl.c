// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a container: what userspace passes is copied in and its sizes and flags are
 * checked; the rest is the engine's. A call that fails has changed nothing.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <asm/eeh.h>
#include "glue.h"

/* How every structure of the interface begins. */
struct request_head {
	__u32 argsz;
	__u32 flags;
};

#define FLAGS_ARE_OUTPUT U32_MAX

/* Inline: a size that the compiler knows is not looked at again when it is copied. */
static __always_inline int read_request(void *request, size_t size, u32 flags,
					const void __user *arg)
{
	const struct request_head *head = request;

	if (copy_from_user(request, arg, size))
		return -EFAULT;
	if (head->argsz < size || (head->flags & ~flags))
		return -EINVAL;
	return 0;
}

static int get_info(struct tcewin_handle *handle, void __user *arg)
{
	size_t size = offsetofend(struct vfio_iommu_spapr_tce_info, dma32_window_size);
	struct vfio_iommu_spapr_tce_info info = {};
	struct tcewin_container_info facts;
	int ret;

	ret = tcewin_errno(tcewin_container_get_info(handle->container, &facts));
	if (ret)
		return ret;
	ret = read_request(&info, size, FLAGS_ARE_OUTPUT, arg);
	if (ret)
		return ret;

	info.flags = 0;
	info.dma32_window_start = facts.default_start;
	info.dma32_window_size = facts.default_size;
	if (facts.max_windows && handle->kind != TCEWIN_CONTAINER_V1) {
		info.flags |= VFIO_IOMMU_SPAPR_INFO_DDW;
		info.ddw.pgsizes = facts.page_sizes;
		info.ddw.max_dynamic_windows_supported = facts.max_windows;
		info.ddw.levels = facts.max_levels;
	}
	/* Programs built before there were dynamic windows have the short structure. */
	if (info.argsz >= offsetofend(struct vfio_iommu_spapr_tce_info, ddw))
		size = offsetofend(struct vfio_iommu_spapr_tce_info, ddw);
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static int map_dma(struct tcewin_handle *handle, void __user *arg)
{
	struct vfio_iommu_type1_dma_map map;
	int ret;

	static_assert(VFIO_DMA_MAP_FLAG_READ == TCEWIN_READ);
	static_assert(VFIO_DMA_MAP_FLAG_WRITE == TCEWIN_WRITE);
	ret = read_request(&map, offsetofend(struct vfio_iommu_type1_dma_map, size),
			   VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, arg);
	if (!tcewin_mm_is_mine(&handle->mm))
		return -EPERM;	/* nobody's has nothing registered */
	if (ret)
		return ret;
	return tcewin_errno(tcewin_map(handle->container, map.iova, map.vaddr, map.size,
				       map.flags));
}

static int unmap_dma(struct tcewin_handle *handle, void __user *arg)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	int ret;

	ret = read_request(&unmap, offsetofend(struct vfio_iommu_type1_dma_unmap, size), 0, arg);
	if (!tcewin_mm_is_mine(&handle->mm))
		return -EPERM;
	if (ret)
		return ret;
	return tcewin_errno(tcewin_unmap(handle->container, unmap.iova, unmap.size));
}

/*
 * The calls that make the container the caller's. Each has read its argument before it comes here:
 * that may take as long as the user likes, for a page of his may be served by himself. Meanwhile
 * the container may become another's, so only then is it asked whose it is, and it is the caller's
 * until the call ends. The engine checks what is wanted after that: a stranger learns nothing of
 * the container.
 */
static int owning(struct tcewin_handle *handle,
		  int (*act)(struct tcewin_handle *handle, void *request), void *request)
{
	int ret = tcewin_mm_bind(&handle->mm);

	if (ret)
		return ret;
	ret = act(handle, request);
	tcewin_mm_settle(&handle->mm, !ret);
	return ret;
}

static int do_register(struct tcewin_handle *handle, void *request)
{
	const struct vfio_iommu_spapr_register_memory *memory = request;

	return tcewin_errno(tcewin_register_memory(handle->container, memory->vaddr,
						   memory->size));
}

static int register_memory(struct tcewin_handle *handle, void __user *arg)
{
	struct vfio_iommu_spapr_register_memory memory;
	int ret = read_request(&memory, sizeof(memory), 0, arg);

	return ret ?: owning(handle, do_register, &memory);
}

static int do_create(struct tcewin_handle *handle, void *request)
{
	struct vfio_iommu_spapr_tce_create *create = request;
	u64 start;
	int ret;

	ret = tcewin_errno(tcewin_create_window(handle->container, create->page_shift,
						create->window_size, create->levels, &start));
	if (!ret)
		create->start_addr = start;
	return ret;
}

static int create_window(struct tcewin_handle *handle, void __user *arg)
{
	struct vfio_iommu_spapr_tce_create create;
	int ret = read_request(&create, sizeof(create), 0, arg);

	if (ret)
		return ret;
	/* Whoever cannot be told where the window is gets none. */
	if (copy_to_user(arg, &create, sizeof(create)))
		return -EFAULT;
	ret = owning(handle, do_create, &create);
	if (ret)
		return ret;
	if (!copy_to_user(arg, &create, sizeof(create)))
		return 0;
	/* The page has gone meanwhile: nobody knows where the window is. */
	tcewin_remove_window(handle->container, create.start_addr);
	return -EFAULT;
}

static int do_remove(struct tcewin_handle *handle, void *request)
{
	const struct vfio_iommu_spapr_tce_remove *remove = request;

	return tcewin_errno(tcewin_remove_window(handle->container, remove->start_addr));
}

static int remove_window(struct tcewin_handle *handle, void __user *arg)
{
	struct vfio_iommu_spapr_tce_remove remove;
	int ret = read_request(&remove, sizeof(remove), 0, arg);

	return ret ?: owning(handle, do_remove, &remove);
}

static int do_enable(struct tcewin_handle *handle, void *unused)
{
	return tcewin_errno(tcewin_enable(handle->container));
}

static int enable(struct tcewin_handle *handle)
{
	return owning(handle, do_enable, NULL);
}

/* And those that only its owner has a use for. */

static int unregister_memory(struct tcewin_handle *handle, void __user *arg)
{
	struct vfio_iommu_spapr_register_memory memory;
	int ret;

	ret = read_request(&memory, sizeof(memory), 0, arg);
	if (ret)
		return ret;
	if (!tcewin_mm_is_mine(&handle->mm))
		return tcewin_mm_is_other(&handle->mm) ? -EPERM : -ENOENT;
	return tcewin_errno(tcewin_unregister_memory(handle->container, memory.vaddr,
						     memory.size));
}

/* Nobody's is not enabled. */
static int disable(struct tcewin_handle *handle)
{
	if (!tcewin_mm_is_mine(&handle->mm))
		return tcewin_mm_is_other(&handle->mm) ? -EPERM : 0;
	return tcewin_errno(tcewin_disable(handle->container));
}

static long ioctl_v1(struct tcewin_handle *handle, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case VFIO_IOMMU_ENABLE:
		return enable(handle);
	case VFIO_IOMMU_DISABLE:
		return disable(handle);
	default:
		return -ENOTTY;
	}
}

static long ioctl_v2(struct tcewin_handle *handle, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case VFIO_IOMMU_SPAPR_REGISTER_MEMORY:
		return register_memory(handle, arg);
	case VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY:
		return unregister_memory(handle, arg);
	case VFIO_IOMMU_SPAPR_TCE_CREATE:
		return create_window(handle, arg);
	case VFIO_IOMMU_SPAPR_TCE_REMOVE:
		return remove_window(handle, arg);
	default:
		return -ENOTTY;
	}
}

static long container_ioctl(struct tcewin_handle *handle, unsigned int cmd, void __user *arg)
{
	/* The calls that there are many of; they look at the mm themselves. */
	if (cmd == VFIO_IOMMU_MAP_DMA)
		return map_dma(handle, arg);
	if (cmd == VFIO_IOMMU_UNMAP_DMA)
		return unmap_dma(handle, arg);

	if (tcewin_mm_is_other(&handle->mm))
		return -EPERM;

	switch (cmd) {
	case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
		return get_info(handle, arg);
	case VFIO_EEH_PE_OP:
		return tcewin_eeh_pe_op(handle, arg);
	default:
		return handle->kind == TCEWIN_CONTAINER_V1 ? ioctl_v1(handle, cmd, arg)
							   : ioctl_v2(handle, cmd, arg);
	}
}

/* Asked with and without a container. */
static long check_extension(unsigned long which)
{
	if (which == VFIO_EEH)
		return eeh_enabled();
	return which == VFIO_SPAPR_TCE_IOMMU || which == VFIO_SPAPR_TCE_v2_IOMMU;
}

/**
 * tcewin_ioctl() - any ioctl of a container, as the VFIO core calls it
 * @data: of tcewin_handle_open(), or whatever the core read
 * @cmd: the ioctl
 * @arg: the user's address of its structure; of CHECK_EXTENSION the number asked for
 *
 * Return: 0 or a negative errno, EEH's GET_STATE and CHECK_EXTENSION excepted; -ENOTTY for what a
 * container of this kind does not have, -ENODEV when there is none (any more).
 */
long tcewin_ioctl(void *data, unsigned int cmd, unsigned long arg)
{
	struct tcewin_handle *handle;
	long ret;

	if (cmd == VFIO_CHECK_EXTENSION)
		return check_extension(arg);
	handle = tcewin_handle_get(data);
	if (!handle)
		return -ENODEV;
	ret = container_ioctl(handle, cmd, (void __user *)arg);
	tcewin_handle_put(handle);
	return ret;
}
