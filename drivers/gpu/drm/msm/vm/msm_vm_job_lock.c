// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock phase of a bind job, the last one that may fail.
 *
 * Promises: with everything locked that the job touches, and the backing pages
 * of what it maps pinned, commit needs neither memory nor another lock.  What
 * was pinned is let go of with the job, also when the rest failed.
 *
 * Trap: a BO that an unmap or a replaced mapping removes is touched, too; it is
 * found by address, under the lock of the VM.
 */

#include <linux/export.h>
#include <linux/sched/signal.h>
#include <kunit/visibility.h>

#include "../msm_gem.h"
#include "msm_vm.h"
#include "msm_vm_job.h"
#include "msm_vm_refuse.h"
#include "msm_vm_trace.h"

/* Between two steps of many: BOs that are locked already do not look at signals. */
static int may_go_on(void)
{
	cond_resched();

	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* The BOs to map, and those that are mapped where something changes. */
static int lock_all(struct msm_vm_job *job)
{
	struct drm_gpuvm *vm = &job->vm->base;
	const struct msm_vm_range *range;
	int ret;
	u32 i;

	ret = drm_gpuvm_prepare_vm(vm, &job->exec, 1);
	for (i = 0; i < job->nr_ops && !ret; i++) {
		ret = may_go_on();
		if (!ret && job->ops[i].obj)
			ret = drm_exec_prepare_obj(&job->exec, job->ops[i].obj, 1);
	}
	if (ret)
		return ret;

	list_for_each_entry(range, &job->turn.ranges, node) {
		ret = may_go_on();
		if (!ret)
			ret = drm_gpuvm_prepare_range(vm, &job->exec, range->first,
						      range->last - range->first + 1, 1);
		if (ret)
			return ret;
	}

	return 0;
}

/* With the locks held: what may still fail, so that commit cannot. */
static int prepare_map(struct msm_vm_job *job, struct msm_vm_op *op)
{
	struct page **pages;
	struct drm_gpuvm_bo *vm_bo;

	drm_gpuvm_resv_assert_held(&job->vm->base);

	pages = msm_gem_pin_pages_locked(op->obj);
	if (IS_ERR(pages))
		return msm_vm_refuse(job->vm, PTR_ERR(pages),
				     "no pages for BO %u", op->req.handle);
	op->pinned = true;

	vm_bo = drm_gpuvm_bo_obtain(&job->vm->base, op->obj);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	op->vm_bo = vm_bo;
	drm_gpuvm_bo_extobj_add(vm_bo);

	op->map = (struct msm_pt_op) {
		.iova = op->req.iova,
		.range = op->req.range,
		.kind = MSM_PT_MAP,
		.pages = pages + (op->req.offset >> PAGE_SHIFT),
		.prot = msm_gem_iommu_prot(op->obj),
	};

	return 0;
}

static void prepare_null(struct msm_vm_op *op)
{
	op->map = (struct msm_pt_op) {
		.iova = op->req.iova,
		.range = op->req.range,
		.kind = MSM_PT_MAP_NULL,
	};
}

/**
 * msm_vm_job_lock - lock all that the job touches and get the backing pages
 * @job: the job, reserved
 *
 * Return: 0, -EINTR if a signal came, -ENOMEM, or -EBUSY for a BO that
 * userspace has marked as not needed.
 */
int msm_vm_job_lock(struct msm_vm_job *job)
{
	int ret = 0;
	u32 i;

	drm_exec_init(&job->exec, DRM_EXEC_INTERRUPTIBLE_WAIT |
		      DRM_EXEC_IGNORE_DUPLICATES, 0);
	job->locked = true;

	drm_exec_until_all_locked(&job->exec) {
		ret = lock_all(job);
		drm_exec_retry_on_contention(&job->exec);
		if (ret)
			break;
	}

	for (i = 0; i < job->nr_ops && !ret; i++) {
		ret = may_go_on();
		if (!ret && job->ops[i].obj)
			ret = prepare_map(job, &job->ops[i]);
		else if (!ret && job->ops[i].req.null)
			prepare_null(&job->ops[i]);
	}

	if (!ret)
		trace_msm_vm_lock(job->vm, job->number, job->exec.num_objects);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_job_lock);

/**
 * msm_vm_job_unlock - drop the locks
 * @job: the job, in any phase; nothing happens if it holds none
 */
void msm_vm_job_unlock(struct msm_vm_job *job)
{
	u32 i;

	if (!job->locked)
		return;

	/* The last reference to a vm_bo must go with the BO's lock held. */
	for (i = 0; i < job->nr_ops; i++) {
		drm_gpuvm_bo_put(job->ops[i].vm_bo);
		job->ops[i].vm_bo = NULL;
	}

	drm_exec_fini(&job->exec);
	job->locked = false;
}
