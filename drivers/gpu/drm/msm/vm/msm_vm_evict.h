/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_EVICT_H__
#define __MSM_VM_EVICT_H__

struct drm_exec;
struct drm_gem_object;
struct drm_gpuvm_bo;

void msm_vm_evict(struct drm_gem_object *obj);
int msm_vm_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec);

#endif /* __MSM_VM_EVICT_H__ */
