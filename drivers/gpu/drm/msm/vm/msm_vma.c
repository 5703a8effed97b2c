// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMA tree of a user-managed VM.
 *
 * A change is a function from (tree, request) to (tree, page-table edits).  It
 * happens under the VM's reservation lock and cannot fail: the VMAs it needs
 * were set aside, the locks of all BOs involved are held, and the request was
 * validated.  It allocates nothing and touches no page table.
 *
 * Terms: *spare* VMAs are set aside, *gone* ones left the tree in this update.
 * A VMA can have come in it, too, when a later request of the same job removes
 * what an earlier one made.
 *
 * Trap: a VMA that is gone has left the lists of its vm_bo, so it takes a
 * reference to the BO itself: the page-table entries still point to the BO's
 * pages until the job has run.  One that was invalidated has no entries: see
 * msm_vm_evict.c.
 */

#include <linux/export.h>

#include <drm/drm_gem.h>
#include <kunit/visibility.h>

#include "msm_vm_request.h"
#include "msm_vma.h"

/* What the steps of one request need to know. */
struct vma_step {
	struct drm_gpuvm *vm;
	struct msm_vma_update *update;
	const struct msm_vm_request *req;
	struct drm_gpuvm_bo *vm_bo;	/* NULL if there is no BO */
};

/**
 * msm_vma_update_init - an update with nothing in it
 * @update: the update
 * @number: another one than that of the updates before; an old one that comes
 *	back costs a flush, not more
 */
void msm_vma_update_init(struct msm_vma_update *update, u32 number)
{
	INIT_LIST_HEAD(&update->spare);
	INIT_LIST_HEAD(&update->gone);
	msm_pt_ops_init(&update->pt);
	update->number = number;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vma_update_init);

/* @from: what the new one is a piece of, or NULL */
static struct msm_vma *vma_take(struct msm_vma_update *update, u32 flags,
				struct msm_vma *from)
{
	struct msm_vma *vma;

	vma = list_first_entry(&update->spare, struct msm_vma, node);
	list_del_init(&vma->node);
	vma->flags = flags;
	vma->update = from ? from->update : update->number;
	drm_gpuva_invalidate(&vma->base,
			     from && drm_gpuva_invalidated(&from->base));

	return vma;
}

/*
 * The VMA has left the tree: drop its links, keep what its entries need.  Where
 * it lies this update has mapped nothing if it is older: then the unmap may come
 * first.
 */
static void vma_leave(struct msm_vma *vma, struct msm_vma_update *update,
		      u64 iova, u64 range)
{
	if (vma->base.gem.obj)
		drm_gem_object_get(vma->base.gem.obj);
	drm_gpuva_unlink(&vma->base);
	list_add_tail(&vma->node, &update->gone);
	/* One operation may remove millions. */
	cond_resched();

	if (drm_gpuva_invalidated(&vma->base))
		return;

	vma->unmap = (struct msm_pt_op) { .iova = iova, .range = range };
	if (vma->update == update->number)
		msm_pt_ops_stage(&update->pt, &vma->unmap);
	else
		msm_pt_ops_stage_first(&update->pt, &vma->unmap);
}

/**
 * msm_vma_step_map - &drm_gpuvm_ops.sm_step_map
 * @op: the mapping to make
 * @priv: what msm_vma_map() handed down
 *
 * Return: 0.
 */
int msm_vma_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct vma_step *step = priv;
	struct msm_vma *vma = vma_take(step->update, step->req->flags, NULL);

	drm_gpuva_map(step->vm, &vma->base, &op->map);
	drm_gpuva_link(&vma->base, step->vm_bo);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vma_step_map);

/**
 * msm_vma_step_remap - &drm_gpuvm_ops.sm_step_remap
 * @op: the mapping to cut, and what stays of it
 * @priv: what msm_vma_map() or msm_vma_unmap() handed down
 *
 * Entries of the pieces that stay are not touched: the GPU may be using them.
 *
 * Return: 0.
 */
int msm_vma_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct vma_step *step = priv;
	struct drm_gpuva_op_remap *remap = &op->remap;
	struct msm_vma *vma = to_msm_vma(remap->unmap->va);
	struct drm_gpuvm_bo *vm_bo = vma->base.vm_bo;
	struct msm_vma *prev = NULL, *next = NULL;
	u64 iova, range;

	drm_gpuva_op_remap_to_unmap_range(remap, &iova, &range);
	if (remap->prev)
		prev = vma_take(step->update, vma->flags, vma);
	if (remap->next)
		next = vma_take(step->update, vma->flags, vma);

	drm_gpuva_remap(prev ? &prev->base : NULL, next ? &next->base : NULL,
			remap);
	if (prev)
		drm_gpuva_link(&prev->base, vm_bo);
	if (next)
		drm_gpuva_link(&next->base, vm_bo);

	vma_leave(vma, step->update, iova, range);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vma_step_remap);

/**
 * msm_vma_step_unmap - &drm_gpuvm_ops.sm_step_unmap
 * @op: the mapping to remove
 * @priv: what msm_vma_map() or msm_vma_unmap() handed down
 *
 * Return: 0.
 */
int msm_vma_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct vma_step *step = priv;
	struct msm_vma *vma = to_msm_vma(op->unmap.va);

	drm_gpuva_unmap(&op->unmap);
	vma_leave(vma, step->update, vma->base.va.addr, vma->base.va.range);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vma_step_unmap);

/* The very mapping that is asked for, if it is already there. */
static struct msm_vma *find_same(struct drm_gpuvm *vm,
				 const struct msm_vm_request *req,
				 struct drm_gem_object *obj)
{
	struct drm_gpuva *va = drm_gpuva_find(vm, req->iova, req->range);

	if (!va || va->gem.obj != obj)
		return NULL;
	if (obj && va->gem.offset != req->offset)
		return NULL;

	return to_msm_vma(va);
}

/**
 * msm_vma_map - put a mapping into the tree
 * @vm: the VM
 * @req: the request, of a map
 * @vm_bo: connection of the VM and the BO, NULL for a request without BO
 * @map: the edit that makes the entries, for the caller to have filled in
 * @update: takes what comes of it
 *
 * What was in the range is replaced.  A mapping that is there already, with
 * the same BO or none at the same offset, only gets the new flags: userspace
 * does that while the GPU uses it, so no entry may blink.  One that was
 * invalidated stays so until the next GPU job.
 *
 * Called with the locks of the VM, of the BO, and of all BOs mapped in the
 * range.  Takes at most MSM_VMA_MAX_PER_MAP spare VMAs.
 */
void msm_vma_map(struct drm_gpuvm *vm, const struct msm_vm_request *req,
		 struct drm_gpuvm_bo *vm_bo, struct msm_pt_op *map,
		 struct msm_vma_update *update)
{
	struct vma_step step = {
		.vm = vm,
		.update = update,
		.req = req,
		.vm_bo = vm_bo,
	};
	struct drm_gem_object *obj = vm_bo ? vm_bo->obj : NULL;
	struct msm_vma *same = find_same(vm, req, obj);
	int ret;

	if (same) {
		same->flags = req->flags;
		return;
	}

	ret = drm_gpuvm_sm_map(vm, &step, req->iova, req->range, obj,
			       req->offset);
	WARN_ON_ONCE(ret);
	msm_pt_ops_stage(&update->pt, map);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vma_map);

/**
 * msm_vma_unmap - remove what is mapped in a range
 * @vm: the VM
 * @req: the request, of an unmap
 * @update: takes what comes of it
 *
 * Called with the locks of the VM and of all BOs mapped in the range.  Takes
 * at most MSM_VMA_MAX_PER_UNMAP spare VMAs.  An empty range is no error.
 */
void msm_vma_unmap(struct drm_gpuvm *vm, const struct msm_vm_request *req,
		   struct msm_vma_update *update)
{
	struct vma_step step = { .vm = vm, .update = update, .req = req };
	int ret;

	ret = drm_gpuvm_sm_unmap(vm, &step, req->iova, req->range);
	WARN_ON_ONCE(ret);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vma_unmap);
