// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware as the engine calls it (tcewin/host.h): hypercalls for translations, RTAS for windows.
 * Statuses go back as they come; what to do about them is the engine's.
 *
 * A kernel with fault injection can make each of these calls fail (CONFIG_FAIL_FUNCTION): it never
 * gets to firmware then. "tcewin-harness firmware" does so.
 */
#include <linux/error-injection.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <asm/hvcall.h>
#include <asm/plpar_wrappers.h>
#include <asm/rtas.h>
#include "glue.h"

/* ---- hypercalls, LoPAR 14.5.4.2 ---- */

long tcewin_host_put_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce)
{
	return plpar_tce_put(liobn, ioba, tce);
}
ALLOW_ERROR_INJECTION(tcewin_host_put_tce, ERRNO);

long tcewin_host_put_tce_indirect(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tces,
				  tcewin_u64 count)
{
	return plpar_tce_put_indirect(liobn, ioba, tces, count);
}
ALLOW_ERROR_INJECTION(tcewin_host_put_tce_indirect, ERRNO);

long tcewin_host_stuff_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce, tcewin_u64 count)
{
	return plpar_tce_stuff(liobn, ioba, tce, count);
}
ALLOW_ERROR_INJECTION(tcewin_host_stuff_tce, ERRNO);

/* ---- RTAS, LoPAR 7.3 (Dynamic DMA Windows option) ---- */

/* "IO Page Sizes" of ibm,query-pe-dma-windows: bit n, counted from the lowest, is sizes[n]. */
static u64 page_size_mask(u32 bits)
{
	static const u64 sizes[] = {
		SZ_4K, SZ_64K, SZ_16M, SZ_32M, SZ_64M, SZ_128M, SZ_256M, SZ_16G, SZ_2M,
	};
	u64 mask = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (bits & BIT(i))
			mask |= sizes[i];
	return mask;
}

int tcewin_host_ddw_query(void *pe, struct tcewin_ddw_query *query)
{
	const struct tcewin_pe_host *host = pe;
	u32 out[5] = {};
	int status;

	status = rtas_call(host->query, 3, host->query_words, (int *)out, host->config_address,
			   upper_32_bits(host->buid), lower_32_bits(host->buid));
	query->windows_available = out[0];
	if (host->query_words == 6) {
		query->largest_block = (u64)out[1] << 32 | out[2];
		query->page_sizes = page_size_mask(out[3]);
	} else {
		query->largest_block = out[1];
		query->page_sizes = page_size_mask(out[2]);
	}
	return status;
}
ALLOW_ERROR_INJECTION(tcewin_host_ddw_query, ERRNO);

/* The PE whose windows come and go by the platform's operations, or NULL. */
static struct tcewin_adopted *by_platform(void *pe)
{
	return tcewin_keeps_platform_ops() ? container_of(pe, struct tcewin_adopted, host) : NULL;
}

int tcewin_host_ddw_create(void *pe, tcewin_u32 page_shift, tcewin_u32 window_shift,
			   struct tcewin_ddw_window *window)
{
	const struct tcewin_pe_host *host = pe;
	u32 out[3] = {};
	int status;

	if (by_platform(pe))
		return tcewin_platform_create(by_platform(pe), page_shift, window_shift, window);
	status = rtas_call(host->create, 5, 4, (int *)out, host->config_address,
			   upper_32_bits(host->buid), lower_32_bits(host->buid), page_shift,
			   window_shift);
	window->liobn = out[0];
	window->start = (u64)out[1] << 32 | out[2];
	return status;
}
ALLOW_ERROR_INJECTION(tcewin_host_ddw_create, ERRNO);

/**
 * tcewin_rtas_remove() - ibm,remove-pe-dma-window
 * @host: the PE
 * @liobn: of the window
 *
 * Return: the RTAS status.
 */
int tcewin_rtas_remove(const struct tcewin_pe_host *host, u32 liobn)
{
	return rtas_call(host->remove, 1, 1, NULL, liobn);
}

int tcewin_host_ddw_remove(void *pe, tcewin_u32 liobn)
{
	if (by_platform(pe))
		return tcewin_platform_remove(by_platform(pe), liobn);
	return tcewin_rtas_remove(pe, liobn);
}
ALLOW_ERROR_INJECTION(tcewin_host_ddw_remove, ERRNO);

/**
 * tcewin_rtas_reset() - ibm,reset-pe-dma-windows
 * @host: the PE
 *
 * Return: the RTAS status.
 */
int tcewin_rtas_reset(const struct tcewin_pe_host *host)
{
	/* Three arguments: a fourth would ask for limited addressing, this form ends it. */
	return rtas_call(host->reset, 3, 1, NULL, host->config_address,
			 upper_32_bits(host->buid), lower_32_bits(host->buid));
}

int tcewin_host_ddw_reset(void *pe)
{
	return by_platform(pe) ? tcewin_platform_reset(by_platform(pe)) : tcewin_rtas_reset(pe);
}
ALLOW_ERROR_INJECTION(tcewin_host_ddw_reset, ERRNO);

int tcewin_host_rtas_wait(int status)
{
	return rtas_busy_delay(status);
}
