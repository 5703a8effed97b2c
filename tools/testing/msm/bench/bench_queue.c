// SPDX-License-Identifier: MIT
/*
 * Many binds of one page that wait behind each other: what each costs from the
 * moment that the first may run.
 */
#include "bench.h"

#define MOST	10000

/* UNMAPs where nothing is mapped, so that the waiting is all there is to do */
static int queue_binds(struct gpu_vm *vm, u32 count, int gate, int *last)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_unmap(vm->area, GPU_PAGE);
	int ret;
	u32 i;

	ret = gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1, gate, NULL);
	for (i = 2; i < count && !ret; i++)
		ret = gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1,
				   GPU_NO_FENCE, NULL);
	return ret ?: gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1,
				   GPU_NO_FENCE, last);
}

static int queue_figure(struct gpu_vm *vm, u32 count)
{
	struct gpu_gate gate;
	int last, ret;
	u64 start;

	ret = gpu_gate_new(&gate);
	if (ret)
		return ret;
	ret = queue_binds(vm, count, gate.fence, &last);
	start = bench_now();
	if (!ret) {
		ret = gpu_gate_open(&gate);
		ret = gpu_fence_finish(last) ?: ret;
		bench_figure((double)(bench_now() - start) / count,
			     "queue_%u_per_bind", count);
	}
	gpu_gate_free(&gate);
	bench_settle();
	return ret;
}

int bench_queue(void)
{
	static const u32 counts[] = { 100, 1000, MOST };
	struct gpu_vm vm;
	size_t i;
	int ret;

	ret = gpu_vm_open(&vm);
	for (i = 0; i < ARRAY_SIZE(counts) && !ret; i++)
		ret = queue_figure(&vm, counts[i]);
	gpu_vm_close(&vm);
	return ret;
}
