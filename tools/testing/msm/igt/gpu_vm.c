// SPDX-License-Identifier: MIT
/*
 * A VM_BIND context that is ready for use, and binds that are waited for.
 *
 * Nothing runs on the GPU without a mapping, so opening a VM already binds the
 * scratch buffer that holds commands and results.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_job.h"
#include "gpu_vm.h"

#define VMS	"/sys/kernel/debug/dri/128/vm"

static int gpu_vm_setup(struct gpu_vm *vm)
{
	int ret;

	ret = gpu_dev_opt_in(&vm->dev);
	ret = ret ?: gpu_dev_va_range(&vm->dev, &vm->va_start, &vm->va_size);
	ret = ret ?: gpu_dev_queue_new(&vm->dev, MSM_SUBMITQUEUE_VM_BIND, 0,
				       &vm->bind_queue);
	ret = ret ?: gpu_bo_new(&vm->dev, GPU_JOB_SCRATCH_BYTES, &vm->scratch);
	ret = ret ?: gpu_vm_map(vm, vm->va_start, &vm->scratch, 0,
				vm->scratch.size);
	vm->area = (vm->va_start + 2 * GPU_VM_AREA_OFFSET - 1) &
		   ~(GPU_VM_AREA_OFFSET - 1);
	return ret;
}

/**
 * gpu_vm_open - open a context, opt in, make a bind queue, map the scratch
 *
 * Return: 0; -ENODEV without an msm render node; -EINVAL when the kernel or
 * the GPU has no VM_BIND; else what the failing ioctl said.
 */
int gpu_vm_open(struct gpu_vm *vm)
{
	int ret;

	*vm = (struct gpu_vm){ .dev.fd = -1 };
	ret = gpu_dev_open(&vm->dev);
	if (ret)
		return ret;
	ret = gpu_vm_setup(vm);
	if (ret)
		gpu_vm_close(vm);
	return ret;
}

/* The kernel drops all mappings with the file. */
void gpu_vm_close(struct gpu_vm *vm)
{
	gpu_bo_unmap_cpu(&vm->scratch);
	gpu_dev_close(&vm->dev);
}

/**
 * gpu_vm_bind - apply operations and wait until they are in the page table
 *
 * Return: 0, the ioctl's negative errno, or the error of the out fence.
 */
int gpu_vm_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		u32 count)
{
	int fence = GPU_NO_FENCE;
	int ret = gpu_bind_ops(&vm->dev, vm->bind_queue, ops, count,
			       GPU_NO_FENCE, &fence);

	return ret ?: gpu_fence_finish(fence);
}

int gpu_vm_map(struct gpu_vm *vm, u64 iova, const struct gpu_bo *bo,
	       u64 offset, u64 range)
{
	struct drm_msm_vm_bind_op op = gpu_bind_op_map(iova, bo, offset, range);

	return gpu_vm_bind(vm, &op, 1);
}

int gpu_vm_unmap(struct gpu_vm *vm, u64 iova, u64 range)
{
	struct drm_msm_vm_bind_op op = gpu_bind_op_unmap(iova, range);

	return gpu_vm_bind(vm, &op, 1);
}

/* A line "@key: N KiB" of what the kernel says about the open file */
int gpu_vm_fdinfo(const struct gpu_vm *vm, const char *key, u64 *kib)
{
	size_t len = strlen(key);
	char line[128];
	FILE *file;
	int ret = -ENOENT;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", vm->dev.fd);
	file = fopen(line, "r");
	if (!file)
		return -errno;
	while (ret && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && line[len] == ':' &&
		    sscanf(line + len, ": %llu KiB", kib) == 1)
			ret = 0;
	fclose(file);
	return ret;
}

/* Sums over all VMs of this process; it takes their locks. */
int gpu_vm_count(struct gpu_vm_counts *counts)
{
	FILE *file = fopen(VMS, "r");
	bool ours = false;
	char line[256];
	u64 value;
	int pid;

	if (!file)
		return -errno;
	*counts = (struct gpu_vm_counts){};
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VM of pid %d", &pid) == 1)
			ours = pid == getpid();
		else if (!ours)
			continue;
		else if (sscanf(line, " mappings: %llu", &value) == 1)
			counts->mappings += value;
		else if (sscanf(line, " page tables: %*u, pages set aside: %llu",
				&value) == 1)
			counts->set_aside += value;
		else if (sscanf(line, " binds: %*u, operations: %*u, edits: %llu",
				&value) == 1)
			counts->edits += value;
	}
	fclose(file);
	return 0;
}
