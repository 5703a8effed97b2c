// SPDX-License-Identifier: MIT
/*
 * VM_BIND requests: operations as values, and the ioctl.
 *
 * One operation travels inside the request, several as an array that the
 * request points to; gpu_bind_request() chooses as the uAPI demands.
 */
#include "gpu_bind.h"

struct drm_msm_vm_bind_op gpu_bind_op_map(u64 iova, const struct gpu_bo *bo,
					  u64 offset, u64 range)
{
	return (struct drm_msm_vm_bind_op){
		.op = MSM_VM_BIND_OP_MAP, .handle = bo->handle,
		.obj_offset = offset, .iova = iova, .range = range,
	};
}

struct drm_msm_vm_bind_op gpu_bind_op_null(u64 iova, u64 range)
{
	return (struct drm_msm_vm_bind_op){
		.op = MSM_VM_BIND_OP_MAP_NULL, .iova = iova, .range = range,
	};
}

struct drm_msm_vm_bind_op gpu_bind_op_unmap(u64 iova, u64 range)
{
	return (struct drm_msm_vm_bind_op){
		.op = MSM_VM_BIND_OP_UNMAP, .iova = iova, .range = range,
	};
}

/* A request without fences; @ops must live as long as @req when count > 1. */
void gpu_bind_request(struct drm_msm_vm_bind *req, u32 queue,
		      const struct drm_msm_vm_bind_op *ops, u32 count)
{
	*req = (struct drm_msm_vm_bind){
		.nr_ops = count,
		.fence_fd = GPU_NO_FENCE,
		.queue_id = queue,
		.op_stride = sizeof(*ops),
	};
	if (count == 1)
		req->op = ops[0];
	else if (count)
		req->ops = (unsigned long)ops;
}

int gpu_bind_ioctl(struct gpu_dev *dev, struct drm_msm_vm_bind *req)
{
	return gpu_ioctl(dev->fd, DRM_IOCTL_MSM_VM_BIND, req);
}

/**
 * gpu_bind_ops - queue operations
 * @in_fence: sync_file to wait for first, or GPU_NO_FENCE; stays the caller's
 * @out_fence: NULL, or where the sync_file of their completion goes
 *
 * Return: 0, or the ioctl's negative errno.
 */
int gpu_bind_ops(struct gpu_dev *dev, u32 queue,
		 const struct drm_msm_vm_bind_op *ops, u32 count,
		 int in_fence, int *out_fence)
{
	struct drm_msm_vm_bind req;
	int ret;

	gpu_bind_request(&req, queue, ops, count);
	if (in_fence != GPU_NO_FENCE) {
		req.flags |= MSM_VM_BIND_FENCE_FD_IN;
		req.fence_fd = in_fence;
	}
	if (out_fence)
		req.flags |= MSM_VM_BIND_FENCE_FD_OUT;

	ret = gpu_bind_ioctl(dev, &req);
	if (!ret && out_fence)
		*out_fence = req.fence_fd;
	return ret;
}
