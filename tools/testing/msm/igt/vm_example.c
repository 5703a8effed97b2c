// SPDX-License-Identifier: MIT
/*
 * The examples of Documentation/gpu/msm-vm-bind.rst, which has these functions
 * word for word; a test of the lab compares.  msm_vm_example.c runs them.
 *
 * On purpose nothing but ioctls, so that a reader needs no helper's meaning.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include <drm/drm.h>
#include <drm/msm_drm.h>

#include "vm_example.h"

/* Take the address space over: before anything else is done with the file. */
int vm_example_open(int fd, __u32 *queue, __u64 *va_start, __u64 *va_size)
{
	struct drm_msm_param param = {
		.pipe = MSM_PIPE_3D0, .param = MSM_PARAM_EN_VM_BIND, .value = 1,
	};
	struct drm_msm_submitqueue req = { .flags = MSM_SUBMITQUEUE_VM_BIND };

	if (ioctl(fd, DRM_IOCTL_MSM_SET_PARAM, &param))
		return -errno;	/* EINVAL: no VM_BIND here, use the old way */

	param = (struct drm_msm_param){
		.pipe = MSM_PIPE_3D0, .param = MSM_PARAM_VA_START,
	};
	if (ioctl(fd, DRM_IOCTL_MSM_GET_PARAM, &param))
		return -errno;
	*va_start = param.value;
	param.param = MSM_PARAM_VA_SIZE;
	if (ioctl(fd, DRM_IOCTL_MSM_GET_PARAM, &param))
		return -errno;
	*va_size = param.value;

	if (ioctl(fd, DRM_IOCTL_MSM_SUBMITQUEUE_NEW, &req))
		return -errno;
	*queue = req.id;
	return 0;
}

/* A private buffer at an address; *fence signals when the GPU may use it. */
int vm_example_alloc(int fd, __u32 queue, __u64 size, __u64 iova,
		     __u32 *handle, int *fence)
{
	struct drm_msm_gem_new bo = {
		.size = size, .flags = MSM_BO_WC | MSM_BO_NO_SHARE,
	};
	struct drm_msm_vm_bind bind = {
		.flags = MSM_VM_BIND_FENCE_FD_OUT,
		.nr_ops = 1,
		.queue_id = queue,
	};

	if (ioctl(fd, DRM_IOCTL_MSM_GEM_NEW, &bo))
		return -errno;

	bind.op = (struct drm_msm_vm_bind_op){
		.op = MSM_VM_BIND_OP_MAP, .handle = bo.handle,
		.iova = iova, .range = size,
	};
	if (ioctl(fd, DRM_IOCTL_MSM_VM_BIND, &bind)) {
		int err = errno;
		struct drm_gem_close gem_close = { .handle = bo.handle };

		ioctl(fd, DRM_IOCTL_GEM_CLOSE, &gem_close);
		return -err;
	}
	*handle = bo.handle;
	*fence = bind.fence_fd;
	return 0;
}

/* No need to wait: the handle may go and the address be used again at once. */
int vm_example_free(int fd, __u32 queue, __u64 size, __u64 iova, __u32 handle)
{
	struct drm_gem_close gem_close = { .handle = handle };
	struct drm_msm_vm_bind bind = {
		.nr_ops = 1,
		.queue_id = queue,
		.op = {
			.op = MSM_VM_BIND_OP_UNMAP, .iova = iova, .range = size,
		},
	};

	if (ioctl(fd, DRM_IOCTL_MSM_VM_BIND, &bind))
		return -errno;
	return ioctl(fd, DRM_IOCTL_GEM_CLOSE, &gem_close) ? -errno : 0;
}

/* Run commands at an address, once what *fence stands for is done. */
int vm_example_submit(int fd, __u64 iova, __u32 bytes, int *fence)
{
	struct drm_msm_gem_submit_cmd cmd = {
		.type = MSM_SUBMIT_CMD_BUF, .size = bytes, .iova = iova,
	};
	struct drm_msm_gem_submit submit = {
		.flags = MSM_PIPE_3D0 | MSM_SUBMIT_FENCE_FD_IN |
			 MSM_SUBMIT_FENCE_FD_OUT | MSM_SUBMIT_NO_IMPLICIT,
		.nr_cmds = 1,
		.cmds = (unsigned long)&cmd,
		.fence_fd = *fence,
	};

	if (ioctl(fd, DRM_IOCTL_MSM_GEM_SUBMIT, &submit))
		return -errno;
	*fence = submit.fence_fd;	/* the old one is still open */
	return 0;
}

/* A sparse resource without memory: it reads zero and drops writes. */
int vm_example_sparse(int fd, __u32 queue, __u64 iova, __u64 size)
{
	struct drm_msm_param prr = {
		.pipe = MSM_PIPE_3D0, .param = MSM_PARAM_HAS_PRR,
	};
	struct drm_msm_vm_bind bind = {
		.nr_ops = 1,
		.queue_id = queue,
		.op = {
			.op = MSM_VM_BIND_OP_MAP_NULL, .iova = iova, .range = size,
		},
	};

	if (ioctl(fd, DRM_IOCTL_MSM_GET_PARAM, &prr) || !prr.value)
		return -EOPNOTSUPP;	/* no residency, only binding */
	return ioctl(fd, DRM_IOCTL_MSM_VM_BIND, &bind) ? -errno : 0;
}

/* All of the ops or none, after point wait of a timeline; then point signal */
int vm_example_sparse_bind(int fd, __u32 queue, __u32 timeline,
			   const struct drm_msm_vm_bind_op *ops, __u32 nr_ops,
			   __u64 wait, __u64 signal)
{
	struct drm_msm_syncobj in = { .handle = timeline, .point = wait };
	struct drm_msm_syncobj out = { .handle = timeline, .point = signal };
	struct drm_msm_vm_bind bind = {
		.nr_ops = nr_ops,
		.queue_id = queue,
		.in_syncobjs = (unsigned long)&in,
		.out_syncobjs = (unsigned long)&out,
		.nr_in_syncobjs = 1,
		.nr_out_syncobjs = 1,
		.syncobj_stride = sizeof(struct drm_msm_syncobj),
		.op_stride = sizeof(struct drm_msm_vm_bind_op),
	};

	if (nr_ops == 1)	/* a single op travels in the request */
		bind.op = ops[0];
	else
		bind.ops = (unsigned long)ops;
	return ioctl(fd, DRM_IOCTL_MSM_VM_BIND, &bind) ? -errno : 0;
}
