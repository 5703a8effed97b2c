/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VMA_H__
#define __MSM_VMA_H__

#include <drm/drm_gpuvm.h>

#include "msm_pt_ops.h"

struct msm_vm_request;

/*
 * How many VMAs one request can need at most: a range cuts at most two
 * mappings in two, one at each end, and both ends may lie in the same one.
 * What it covers as a whole is only removed.
 */
#define MSM_VMA_MAX_PER_UNMAP	2
#define MSM_VMA_MAX_PER_MAP	(MSM_VMA_MAX_PER_UNMAP + 1)

/**
 * struct msm_vma - a mapping of a user-managed VM
 * @base: in the VM's tree; holds its vm_bo, which holds the BO; invalidated
 *	while the BO is evicted
 * @flags: MSM_VM_BIND_OP_* flags of the request that made it
 * @update: number of the update that made its entries
 * @node: in &msm_vma_update.spare or &msm_vma_update.gone
 * @unmap: the edit that clears its entries, once it is gone
 */
struct msm_vma {
	struct drm_gpuva base;
	u32 flags;
	u32 update;
	struct list_head node;
	struct msm_pt_op unmap;
};

#define to_msm_vma(va) container_of(va, struct msm_vma, base)

/**
 * msm_vma_has_pages - do entries of a VMA point to pages of a BO?
 * @vma: the VMA, its BO locked if it is in a tree
 *
 * Return: false if it has no BO or the BO is evicted.
 */
static inline bool msm_vma_has_pages(struct msm_vma *vma)
{
	return vma->base.gem.obj && !drm_gpuva_invalidated(&vma->base);
}

/**
 * struct msm_vma_update - a change of the VMA tree and what comes of it
 * @spare: VMAs set aside; must hold the worst case of all requests
 * @gone: VMAs that left it; each has taken a reference to its BO, if any
 * @pt: the page-table edits that the change needs, in order
 * @number: tells it from those before
 */
struct msm_vma_update {
	struct list_head spare;
	struct list_head gone;
	struct msm_pt_ops pt;
	u32 number;
};

void msm_vma_update_init(struct msm_vma_update *update, u32 number);
void msm_vma_map(struct drm_gpuvm *vm, const struct msm_vm_request *req,
		 struct drm_gpuvm_bo *vm_bo, struct msm_pt_op *map,
		 struct msm_vma_update *update);
void msm_vma_unmap(struct drm_gpuvm *vm, const struct msm_vm_request *req,
		   struct msm_vma_update *update);

int msm_vma_step_map(struct drm_gpuva_op *op, void *priv);
int msm_vma_step_remap(struct drm_gpuva_op *op, void *priv);
int msm_vma_step_unmap(struct drm_gpuva_op *op, void *priv);

#endif /* __MSM_VMA_H__ */
