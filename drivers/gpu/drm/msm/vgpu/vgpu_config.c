// SPDX-License-Identifier: GPL-2.0-only
/*
 * Defaults and limits of struct vgpu_config.
 *
 * The promise: a configuration that vgpu_config_check() lets pass can be given
 * to vgpu_hw_create() and vgpu_hw_configure() and cannot make the model
 * overrun a table, sleep without bound or divide by zero.
 */
#include <linux/export.h>

#include <kunit/visibility.h>

#include "vgpu_config.h"

/* The granule of translation */
#define VGPU_WATCH_PAGE	0x1000

/**
 * vgpu_config_init - fill in the behaviour of healthy hardware
 * @config: what to fill in
 */
void vgpu_config_init(struct vgpu_config *config)
{
	*config = (struct vgpu_config) {
		.seed = 1,
		.tlb_entries = 512,
		.ias = 48,
		.has_prr = true,
	};
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_config_init);

/**
 * vgpu_config_check - is this a configuration the model can run with?
 * @config: what to check
 *
 * Return: NULL if it is, else the reason in words.
 */
const char *vgpu_config_check(const struct vgpu_config *config)
{
	if (!config->tlb_entries)
		return "the TLB needs at least one entry";
	if (config->tlb_entries > VGPU_TLB_MAX)
		return "the TLB is limited to 4096 entries";
	if (config->ias < VGPU_IAS_MIN || config->ias > VGPU_IAS_MAX)
		return "the input address size is 33 to 48 bits";
	if ((config->watch_iova | config->watch_size) & (VGPU_WATCH_PAGE - 1))
		return "a watch is about whole pages";
	if (config->watch_size > VGPU_WATCH_MAX)
		return "a watch is about 64 pages at most";
	if (config->watch_iova >> VGPU_IAS_MAX)
		return "a watch is about addresses of a process";
	if (config->packet_ns > VGPU_PACKET_NS_MAX)
		return "a packet can be slowed down by 100 ms at most";

	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_config_check);
