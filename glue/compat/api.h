/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ, as functions that read alike: the answers of the probes (try-*.c, in the
 * generated kernel.h as 0 or 1) are looked at here and nowhere in a .c file of glue/.
 */
#ifndef TCEWIN_COMPAT_API_H
#define TCEWIN_COMPAT_API_H

#include <linux/device.h>
#include <asm/iommu.h>
#include "kernel.h"

#if !TCEWIN_HAVE_OWNERSHIP_PER_DEVICE
#error "take_ownership() of this kernel is not told the device: not supported yet"
#endif

#endif
