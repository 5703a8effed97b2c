/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_PT_OPS_H__
#define __MSM_PT_OPS_H__

#include <linux/list.h>
#include <linux/types.h>

struct page;

/**
 * enum msm_pt_kind - what an edit does
 * @MSM_PT_UNMAP: clear the entries
 * @MSM_PT_MAP: point them to backing pages
 * @MSM_PT_MAP_NULL: point them all to the page that reads zero
 */
enum msm_pt_kind {
	MSM_PT_UNMAP,
	MSM_PT_MAP,
	MSM_PT_MAP_NULL,
};

/**
 * struct msm_pt_op - one edit of a page table, as a value
 * @node: in &msm_pt_ops.list; the memory belongs to whoever staged it
 * @iova: first address, page aligned
 * @range: bytes, page aligned
 * @kind: what happens to the range
 * @pages: its backing pages, for a map
 * @prot: IOMMU_* permissions, for a map
 */
struct msm_pt_op {
	struct list_head node;
	u64 iova;
	u64 range;
	enum msm_pt_kind kind;
	struct page **pages;
	int prot;
};

/**
 * struct msm_pt_ops - edits in the order in which they must happen
 * @list: of &struct msm_pt_op
 * @first: while they are staged, the last of those that come before all others
 * @flushes: how many TLB flushes msm_pt_ops_apply() asked for
 */
struct msm_pt_ops {
	struct list_head list;
	struct list_head *first;
	u32 flushes;
};

/**
 * struct msm_pt_target - what edits are applied to
 * @map: make entries where none are; may fail half way
 * @map_null: the same, without backing pages
 * @unmap: clear a range that is mapped as a whole
 * @unmap_sparse: clear what is mapped in a range
 * @flush: make the GPU forget what was cleared
 *
 * None may allocate, none takes a lock that can be held across reclaim.
 */
struct msm_pt_target {
	int (*map)(void *cookie, u64 iova, struct page **pages, u64 size, int prot);
	int (*map_null)(void *cookie, u64 iova, u64 size);
	void (*unmap)(void *cookie, u64 iova, u64 size);
	void (*unmap_sparse)(void *cookie, u64 iova, u64 size);
	void (*flush)(void *cookie);
};

void msm_pt_ops_init(struct msm_pt_ops *ops);
void msm_pt_ops_stage(struct msm_pt_ops *ops, struct msm_pt_op *op);
void msm_pt_ops_stage_first(struct msm_pt_ops *ops, struct msm_pt_op *op);
int msm_pt_ops_apply(struct msm_pt_ops *ops, const struct msm_pt_target *target,
		     void *cookie, int err);

#endif /* __MSM_PT_OPS_H__ */
