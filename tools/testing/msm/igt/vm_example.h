/* SPDX-License-Identifier: MIT */
#ifndef __VM_EXAMPLE_H__
#define __VM_EXAMPLE_H__

#include <linux/types.h>

struct drm_msm_vm_bind_op;

int vm_example_open(int fd, __u32 *queue, __u64 *va_start, __u64 *va_size);
int vm_example_alloc(int fd, __u32 queue, __u64 size, __u64 iova,
		     __u32 *handle, int *fence);
int vm_example_free(int fd, __u32 queue, __u64 size, __u64 iova, __u32 handle);
int vm_example_submit(int fd, __u64 iova, __u32 bytes, int *fence);
int vm_example_sparse(int fd, __u32 queue, __u64 iova, __u64 size);
int vm_example_sparse_bind(int fd, __u32 queue, __u32 timeline,
			   const struct drm_msm_vm_bind_op *ops, __u32 nr_ops,
			   __u64 wait, __u64 signal);

#endif /* __VM_EXAMPLE_H__ */
