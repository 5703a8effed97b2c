/* SPDX-License-Identifier: MIT */
#ifndef __VM_SYNC_H__
#define __VM_SYNC_H__

#include "gpu_syncobj.h"
#include "vm_test.h"

/* A binary syncobj (point 0), or a point of a timeline */
#define VM_SYNC_AT(h, p) \
	((struct drm_msm_syncobj){ .handle = (h), .point = (p) })
#define VM_SYNC_RESET(h) \
	((struct drm_msm_syncobj){ .handle = (h), .flags = MSM_SYNCOBJ_RESET })

u32 vm_sync_new(struct gpu_vm *vm);
struct gpu_gate vm_sync_gate(struct gpu_vm *vm, u32 handle, u64 point);
void vm_sync_open(struct gpu_gate *gate);
int vm_sync_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		 u32 count, const struct gpu_syncs *syncs);
int vm_sync_submit(struct gpu_job *job, const struct gpu_syncs *syncs);
void vm_sync_busy(struct gpu_vm *vm, u32 handle, u64 point);
void vm_sync_done(struct gpu_vm *vm, u32 handle, u64 point);
void vm_sync_none(struct gpu_vm *vm, u32 handle, u64 point);
void vm_sync_reached(struct gpu_vm *vm, u32 handle, u64 want);

/* Parts of msm_vm_sync: arrays, and what must fail and change nothing */
extern const struct msm_igt_subtest vm_sync_array_tests[];
extern const size_t vm_sync_array_count;
extern const struct msm_igt_subtest vm_sync_refuse_tests[];
extern const size_t vm_sync_refuse_count;

#endif /* __VM_SYNC_H__ */
