// SPDX-License-Identifier: MIT
/*
 * Many operations of a page each in one ioctl, in the order of their addresses
 * and in none.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"

#define MOST	10000

/* @count MAPs of a page each in one ioctl, and their UNMAP in one op */
static int ops_rounds(struct gpu_vm *vm, const struct gpu_bo *bo, u32 count,
		      bool shuffled, struct bench_cost *cost)
{
	struct drm_msm_vm_bind_op *ops = calloc(count, sizeof(*ops));
	int ret = 0;
	u32 i;

	if (!ops)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		ops[i] = gpu_bind_op_map(vm->area + i * GPU_PAGE, bo,
					 i * GPU_PAGE, GPU_PAGE);
	if (shuffled)
		bench_shuffle(ops, count);
	for (i = 0; i < ROUNDS && !ret; i++) {
		ret = bench_bind(vm, ops, count, cost);
		ret = ret ?: gpu_vm_unmap(vm, vm->area, count * GPU_PAGE);
		bench_settle();
	}
	free(ops);
	return ret;
}

static int ops_figure(struct gpu_vm *vm, const struct gpu_bo *bo, u32 count,
		      bool shuffled)
{
	const char *order = shuffled ? "shuffled" : "sorted";
	struct bench_cost cost = { 0 };
	int ret = ops_rounds(vm, bo, count, shuffled, &cost);

	if (ret)
		return ret;
	bench_figure((double)cost.ioctl / count, "ops_%s_%u_ioctl_per_op", order,
		     count);
	bench_figure((double)cost.run / count, "ops_%s_%u_run_per_op", order,
		     count);
	return 0;
}

/* A job with nothing but its fences */
static int ops_none(struct gpu_vm *vm)
{
	struct bench_cost cost = { 0 };
	int i, ret = 0;

	for (i = 0; i < ROUNDS && !ret; i++)
		ret = bench_bind(vm, NULL, 0, &cost);
	if (ret)
		return ret;
	bench_figure(cost.ioctl, "ops_none_ioctl");
	bench_figure(cost.run, "ops_none_run");
	return 0;
}

int bench_ops(void)
{
	static const u32 counts[] = { 1, 64, 1024, MOST };
	struct gpu_vm vm;
	struct gpu_bo bo;
	size_t i;
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = gpu_bo_new(&vm.dev, MOST * GPU_PAGE, &bo);
	/* The first use of the buffer gets its pages. */
	ret = ret ?: gpu_vm_map(&vm, vm.area, &bo, 0, bo.size);
	ret = ret ?: gpu_vm_unmap(&vm, vm.area, bo.size);
	ret = ret ?: ops_none(&vm);
	for (i = 0; i < 2 * ARRAY_SIZE(counts) && !ret; i++)
		ret = ops_figure(&vm, &bo, counts[i / 2], i & 1);
	gpu_bo_free(&bo);
	gpu_vm_close(&vm);
	return ret;
}
