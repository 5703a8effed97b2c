// SPDX-License-Identifier: GPL-2.0-only
/*
 * A GPU job in a user-managed VM: everything that is mapped when it is queued
 * is in memory and stays there until the job is done.
 *
 * Two steps, around the point where the job can no longer fail: lock, which
 * also brings back what was evicted, and add_fence.  The cost is that of the
 * BOs which can be shared: all private ones have one lock with the VM.
 *
 * Trap: the fence is for whoever wants the memory, not for whoever wants to
 * read it: with VM_BIND there is no implicit synchronization.
 */

#include <linux/dma-resv.h>
#include <kunit/visibility.h>

#include <drm/drm_exec.h>

#include "msm_vm.h"
#include "msm_vm_exec.h"

static int lock_all(struct msm_vm *vm, struct drm_exec *exec)
{
	int ret = drm_gpuvm_prepare_vm(&vm->base, exec, 1);

	return ret ?: drm_gpuvm_prepare_objects(&vm->base, exec, 1);
}

/**
 * msm_vm_exec_lock - lock a VM and all that is mapped in it, for a GPU job
 * @vm: the VM
 * @exec: takes the locks, each with room for a fence; the caller ends it with
 *	drm_exec_fini(), also after an error
 *
 * Return: 0, -EINTR if a signal came, -ENOMEM, or -EBUSY if something is mapped
 * that userspace had marked as not needed and that is gone.
 */
int msm_vm_exec_lock(struct msm_vm *vm, struct drm_exec *exec)
{
	int ret = 0;

	drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT |
		      DRM_EXEC_IGNORE_DUPLICATES, 0);

	drm_exec_until_all_locked(exec) {
		ret = lock_all(vm, exec);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}

	return ret ?: drm_gpuvm_validate(&vm->base, exec);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_exec_lock);

/**
 * msm_vm_exec_add_fence - keep what is mapped until a GPU job is done
 * @vm: the VM
 * @exec: as msm_vm_exec_lock() left it
 * @fence: signals when the job is done; must be sure to
 */
void msm_vm_exec_add_fence(struct msm_vm *vm, struct drm_exec *exec,
			   struct dma_fence *fence)
{
	drm_gpuvm_resv_add_fence(&vm->base, exec, fence,
				 DMA_RESV_USAGE_BOOKKEEP,
				 DMA_RESV_USAGE_BOOKKEEP);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_exec_add_fence);
