/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_EXEC_H__
#define __MSM_VM_EXEC_H__

struct dma_fence;
struct drm_exec;
struct msm_vm;

int msm_vm_exec_lock(struct msm_vm *vm, struct drm_exec *exec);
void msm_vm_exec_add_fence(struct msm_vm *vm, struct drm_exec *exec,
			   struct dma_fence *fence);

#endif /* __MSM_VM_EXEC_H__ */
