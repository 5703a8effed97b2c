/* SPDX-License-Identifier: MIT */
#ifndef __GPU_VM_H__
#define __GPU_VM_H__

#include "gpu_bind.h"

/* Start of the part of the VM that is a test's own, above the scratch buffer */
#define GPU_VM_AREA_OFFSET	(1024 * 1024 * 1024ull)

/**
 * struct gpu_vm - a VM_BIND context and the means to run jobs in it
 * @dev: the context
 * @bind_queue: a queue for VM_BIND
 * @va_start: first usable iova
 * @va_size: usable bytes
 * @scratch: commands and results of jobs, see gpu_job.c; mapped at @va_start
 * @area: a place 1 GiB aligned and away from @scratch
 */
struct gpu_vm {
	struct gpu_dev dev;
	u32 bind_queue;
	u64 va_start;
	u64 va_size;
	struct gpu_bo scratch;
	u64 area;
};

/**
 * struct gpu_vm_counts - what the kernel says of the VMs that a process has
 * @mappings: VMAs
 * @set_aside: pages for page tables that are not used yet
 * @edits: of page tables, ever
 */
struct gpu_vm_counts {
	u64 mappings;
	u64 set_aside;
	u64 edits;
};

int gpu_vm_open(struct gpu_vm *vm);
void gpu_vm_close(struct gpu_vm *vm);
int gpu_vm_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		u32 count);
int gpu_vm_map(struct gpu_vm *vm, u64 iova, const struct gpu_bo *bo,
	       u64 offset, u64 range);
int gpu_vm_unmap(struct gpu_vm *vm, u64 iova, u64 range);
int gpu_vm_fdinfo(const struct gpu_vm *vm, const char *key, u64 *kib);
int gpu_vm_count(struct gpu_vm_counts *counts);

#endif /* __GPU_VM_H__ */
