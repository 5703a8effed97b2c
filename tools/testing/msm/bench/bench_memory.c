// SPDX-License-Identifier: MIT
/*
 * Kernel memory of a mapping, of a mapped buffer and of a VM without any, as it
 * is charged to the memory cgroup of the process.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "gpu_account.h"

#define COUNT		10000
#define IDLE_VMS	128

static struct gpu_account_group group;

/* Bytes of kernel memory charged to us, which are added up every two seconds */
static int charged(u64 *bytes)
{
	usleep(2500000);
	return gpu_account_group_stat(&group, "kernel", bytes);
}

/* Bind @ops, unbind, bind: what the second time adds, as tables stay. */
static int second_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		       const char *name)
{
	u64 before, after;
	int ret;

	ret = gpu_vm_bind(vm, ops, COUNT);
	ret = ret ?: gpu_vm_unmap(vm, vm->area, COUNT * GPU_PAGE);
	ret = ret ?: charged(&before);
	ret = ret ?: gpu_vm_bind(vm, ops, COUNT);
	ret = ret ?: charged(&after);
	if (!ret)
		bench_figure((double)((s64)(after - before)) / COUNT, "%s", name);
	return ret;
}

static int vma_memory(struct gpu_vm *vm, struct drm_msm_vm_bind_op *ops)
{
	struct gpu_bo bo;
	u32 i;
	int ret = gpu_bo_new(&vm->dev, 2 * GPU_PAGE, &bo);

	if (ret)
		return ret;
	/* Neighbours never fit together, so each op is a VMA. */
	for (i = 0; i < COUNT; i++)
		ops[i] = gpu_bind_op_map(vm->area + i * GPU_PAGE, &bo, 0,
					 GPU_PAGE);
	ret = second_bind(vm, ops, "bytes_per_vma");
	gpu_bo_free(&bo);
	return ret ?: gpu_vm_unmap(vm, vm->area, COUNT * GPU_PAGE);
}

/* The same with a buffer for each: what connects it with the VM comes on top. */
static int bo_memory(struct gpu_vm *vm, struct drm_msm_vm_bind_op *ops)
{
	int ret = bench_page_bos(vm, ops, COUNT, MSM_BO_NO_SHARE);

	return ret ?: second_bind(vm, ops, "bytes_per_mapped_bo");
}

static int vm_memory(void)
{
	static struct gpu_dev devs[IDLE_VMS];
	u64 before, after;
	int i, ret = 0;

	for (i = 0; i < IDLE_VMS; i++)
		devs[i].fd = -1;
	for (i = 0; i < IDLE_VMS && !ret; i++)
		ret = gpu_dev_open(&devs[i]);
	ret = ret ?: charged(&before);
	for (i = 0; i < IDLE_VMS && !ret; i++)
		ret = gpu_dev_opt_in(&devs[i]);
	ret = ret ?: charged(&after);
	for (i = 0; i < IDLE_VMS; i++)
		gpu_dev_close(&devs[i]);
	if (!ret)
		bench_figure((double)((s64)(after - before)) / IDLE_VMS,
			     "bytes_per_idle_vm");
	return ret;
}

int bench_memory(void)
{
	struct drm_msm_vm_bind_op *ops;
	struct gpu_vm vm;
	int ret;

	ret = gpu_account_group_new(&group, "bench");
	ret = ret ?: gpu_account_group_enter(&group);
	ret = ret ?: gpu_vm_open(&vm);
	if (ret)
		return ret;
	ops = calloc(COUNT, sizeof(*ops));
	ret = ops ? vma_memory(&vm, ops) : -ENOMEM;
	ret = ret ?: bo_memory(&vm, ops);
	free(ops);
	gpu_vm_close(&vm);
	return ret ?: vm_memory();
}
