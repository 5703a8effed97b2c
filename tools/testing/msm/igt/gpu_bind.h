/* SPDX-License-Identifier: MIT */
#ifndef __GPU_BIND_H__
#define __GPU_BIND_H__

#include <drm/msm_drm.h>

#include "gpu_bo.h"

/* No fence, as in_fence */
#define GPU_NO_FENCE	(-1)

struct drm_msm_vm_bind_op gpu_bind_op_map(u64 iova, const struct gpu_bo *bo,
					  u64 offset, u64 range);
struct drm_msm_vm_bind_op gpu_bind_op_null(u64 iova, u64 range);
struct drm_msm_vm_bind_op gpu_bind_op_unmap(u64 iova, u64 range);
void gpu_bind_request(struct drm_msm_vm_bind *req, u32 queue,
		      const struct drm_msm_vm_bind_op *ops, u32 count);
int gpu_bind_ioctl(struct gpu_dev *dev, struct drm_msm_vm_bind *req);
int gpu_bind_ops(struct gpu_dev *dev, u32 queue,
		 const struct drm_msm_vm_bind_op *ops, u32 count,
		 int in_fence, int *out_fence);

#endif /* __GPU_BIND_H__ */
