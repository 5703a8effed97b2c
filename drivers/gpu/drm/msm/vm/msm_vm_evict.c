// SPDX-License-Identifier: GPL-2.0-only
/*
 * BOs that lose their pages while they are mapped, and get them back.
 *
 * Reclaim takes the entries of an idle BO out of all VMs before it takes the
 * pages; its VMAs stay, marked as invalidated.  The next GPU job of such a VM
 * makes the entries again.  Between the two an invalidated VMA can be split and
 * removed like any other, only that there is no entry to clear.
 *
 * Promises: evict cannot fail and allocates nothing; the pages that it is
 * called for are in no page table and no TLB when it returns.
 *
 * What reclaim may count on, so that the lock of the BO is all it needs:
 * entries of a BO come and go with its lock held, or in a bind job, and a bind
 * job has what it maps and what it unmaps pinned until it is done.  An idle BO
 * without a pin has exactly the entries of its VMAs that are not invalidated; in a
 * dead or closed VM, these at most.
 *
 * Trap: entries are made again without a reserve of table pages.  None is
 * needed: the bind job that first made them has run, and a page table keeps its
 * tables until it is destroyed.  In a dead or closed VM the job may have run without
 * its maps, so nothing is made there any more.
 */

#include <linux/dma-resv.h>
#include <linux/err.h>

#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "../msm_gem.h"
#include "../msm_pgtable.h"
#include "msm_vm.h"
#include "msm_vm_evict.h"
#include "msm_vm_log.h"
#include "msm_vm_run.h"

/* Into the log, as nobody's doing. */
static void note(struct msm_vm *vm, const struct drm_gpuva *va,
		 enum msm_pt_kind kind)
{
	const struct msm_pt_op op = {
		.kind = kind,
		.iova = va->va.addr,
		.range = va->va.range,
	};

	msm_vm_log_add(&vm->log, &op, 0);
}

static void clear(struct msm_vm *vm, struct drm_gpuva *va)
{
	u64 iova = va->va.addr, last = iova + va->va.range - 1;

	lockdep_assert_held(&vm->pt_lock);

	note(vm, va, MSM_PT_UNMAP);

	/* Else a job may have skipped its maps, and VMAs have no entries. */
	if (!READ_ONCE(vm->closed) && msm_vm_usable(vm)) {
		msm_pgtable_unmap(vm->pt, iova, va->va.range);
		return;
	}
	while (iova <= last) {
		iova = msm_vm_run_clear(vm, iova, last);
		cond_resched();
	}
}

static void evict_from(struct msm_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	bool cleared = false;
	struct drm_gpuva *va;

	mutex_lock(&vm->pt_lock);
	drm_gpuvm_bo_for_each_va(va, vm_bo) {
		if (drm_gpuva_invalidated(va))
			continue;

		clear(vm, va);
		drm_gpuva_invalidate(va, true);
		cleared = true;
		/* A BO can be mapped any number of times. */
		cond_resched();
	}
	/* A VM without live entries may have no page table any more. */
	if (cleared)
		msm_pgtable_flush(vm->pt);
	mutex_unlock(&vm->pt_lock);

	drm_gpuvm_bo_evict(vm_bo, true);
}

/**
 * msm_vm_evict - no GPU will see the pages of a BO any more
 * @obj: the BO, locked, idle and not pinned
 *
 * For reclaim, which may have come from anywhere: takes &msm_vm.pt_lock of one
 * VM at a time and nothing else.
 */
void msm_vm_evict(struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_assert_held(obj->resv);

	drm_gem_for_each_gpuvm_bo(vm_bo, obj)
		evict_from(to_msm_vm(vm_bo->vm), vm_bo);
}

static int make(struct msm_vm *vm, struct drm_gpuva *va, struct page **pages)
{
	int ret;

	lockdep_assert_held(&vm->pt_lock);

	note(vm, va, MSM_PT_MAP);
	ret = msm_pgtable_map(vm->pt, va->va.addr,
			      pages + (va->gem.offset >> PAGE_SHIFT),
			      va->va.range, msm_gem_iommu_prot(va->gem.obj));
	if (!ret)
		return 0;

	/* A bug, or an SMMU that cannot reach the memory. */
	msm_pgtable_unmap_sparse(vm->pt, va->va.addr, va->va.range);
	msm_pgtable_flush(vm->pt);
	msm_vm_kill(vm, ret, "an evicted BO did not come back");

	return ret;
}

static int restore(struct msm_vm *vm, struct drm_gpuvm_bo *vm_bo,
		   struct page **pages)
{
	struct drm_gpuva *va;
	int ret = 0;

	mutex_lock(&vm->pt_lock);
	drm_gpuvm_bo_for_each_va(va, vm_bo) {
		if (!msm_vm_usable(vm)) {
			ret = -EPIPE;
			break;
		}
		if (!drm_gpuva_invalidated(va))
			continue;

		ret = make(vm, va, pages);
		if (ret)
			break;

		drm_gpuva_invalidate(va, false);
		cond_resched();
	}
	mutex_unlock(&vm->pt_lock);

	return ret;
}

/**
 * msm_vm_validate - &drm_gpuvm_ops.vm_bo_validate
 * @vm_bo: an evicted BO in one VM, both locked
 * @exec: the locks
 *
 * Return: 0; -EBUSY if userspace does not need the BO's contents, so that there
 * may be none; -EPIPE if the VM died meanwhile; -ENOMEM.  After an error the BO
 * is evicted as before, unless the VM is dead.
 */
int msm_vm_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct msm_vm *vm = to_msm_vm(vm_bo->vm);
	struct drm_gem_object *obj = vm_bo->obj;
	struct page **pages;
	int ret;

	pages = msm_gem_pin_pages_locked(obj);
	if (IS_ERR(pages)) {
		drm_dbg_driver(obj->dev, "SUBMIT refused: no pages for a mapped BO (%ld)\n",
			       PTR_ERR(pages));
		return PTR_ERR(pages);
	}

	ret = restore(vm, vm_bo, pages);
	msm_gem_unpin_pages_locked(obj);
	if (!ret)
		drm_gpuvm_bo_evict(vm_bo, false);

	return ret;
}
