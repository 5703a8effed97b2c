/* SPDX-License-Identifier: GPL-2.0-only */
/* What of drm/msm lies above the VM, as far as the code under test sees it. */
#ifndef __FUZZ_SHIM_MSM_H__
#define __FUZZ_SHIM_MSM_H__

#include "shim.h"

#include <drm/drm_gem.h>

struct page;
struct drm_file {
	void *driver_priv;
};

struct msm_drm_private {
	void *gpu;
};

struct msm_file_private {
	void *vm;
};

struct msm_gpu_submitqueue {
	struct msm_vm_queue *vm_queue;
};

struct msm_syncobjs { int unused; };

struct page **msm_gem_pin_pages_locked(struct drm_gem_object *obj);
void msm_gem_unpin_pages_locked(struct drm_gem_object *obj);
int msm_gem_iommu_prot(struct drm_gem_object *obj);

struct msm_gpu_submitqueue *msm_submitqueue_get(struct msm_file_private *ctx, u32 id);
void msm_submitqueue_put(struct msm_gpu_submitqueue *queue);

#endif /* __FUZZ_SHIM_MSM_H__ */
