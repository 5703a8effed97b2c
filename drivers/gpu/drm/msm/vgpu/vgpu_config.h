/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How one virtual Adreno behaves: its size, its seed and the faults to inject.
 *
 * Inert data.  Nothing here knows a GPU, so that a test can check every rule
 * without creating one.
 */
#ifndef __VGPU_CONFIG_H__
#define __VGPU_CONFIG_H__

#include <linux/types.h>

/* Most entries a TLB can be given; the memory is set aside at creation. */
#define VGPU_TLB_MAX		4096

/* Input address sizes of a set of page tables, in bits. */
#define VGPU_IAS_MIN		33
#define VGPU_IAS_MAX		48

/* Most bytes that a watch can be about. */
#define VGPU_WATCH_MAX		0x40000

/* The longest a packet may be slowed down to: 100 ms. */
#define VGPU_PACKET_NS_MAX	100000000

/**
 * struct vgpu_config - behaviour of one virtual Adreno
 * @seed: start of the random sequence that picks TLB victims
 * @tlb_entries: translations and table pointers the TLB holds, 1 to
 *	%VGPU_TLB_MAX
 * @tlb_evict_one_in: also evict a random entry at one fill in so many, 0 never
 * @tlb_strict: walk the tables on each TLB hit as well and count a hit that
 *	the tables no longer back
 * @ias: input address size of per-process tables in bits, %VGPU_IAS_MIN to
 *	%VGPU_IAS_MAX; read by whoever builds the tables
 * @has_prr: the SMMU has a page for partially resident resources
 * @packet_ns: extra time per packet in nanoseconds, up to %VGPU_PACKET_NS_MAX
 * @fault_at_access: the so-manyth memory access of user command streams
 *	faults, counted from 1 since this configuration was set; 0 never
 * @hang_at_packet: the CP hangs at the so-manyth packet of user command
 *	streams, counted likewise; 0 never
 * @lose_irq_at: the so-manyth fence interrupt is lost, counted likewise;
 *	0 never
 * @watch_iova: start of a range of per-process addresses that must stay as it
 *	is while a job runs, page aligned; see vgpu_hw_watch.c
 * @watch_size: of the range in bytes, whole pages, up to %VGPU_WATCH_MAX; 0 for
 *	no watch.  The next user command stream arms it
 * @tiles_as_linear: 2D operations take tiled and compressed surfaces for linear
 *	ones of the same pitch instead of stopping the CP.  What is written and
 *	read back by the GPU alone is right then, but where a tile lies is not
 * @lose_hang_report: a hung or faulted CP stops without raising an interrupt
 * @false_starts: how many times the CP does not start though it is told to,
 *	counted likewise: power-ups, and resets after a hang
 */
struct vgpu_config {
	u64 seed;
	u32 tlb_entries;
	u32 tlb_evict_one_in;
	u32 ias;
	u32 packet_ns;
	u32 false_starts;
	u64 fault_at_access;
	u64 hang_at_packet;
	u64 lose_irq_at;
	u64 watch_iova;
	u64 watch_size;
	bool tlb_strict;
	bool has_prr;
	bool lose_hang_report;
	bool tiles_as_linear;
};

void vgpu_config_init(struct vgpu_config *config);
const char *vgpu_config_check(const struct vgpu_config *config);

#endif /* __VGPU_CONFIG_H__ */
