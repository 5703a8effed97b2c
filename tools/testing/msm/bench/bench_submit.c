// SPDX-License-Identifier: MIT
/*
 * SUBMIT, which has to see to it that every buffer which is mapped stays in
 * memory: private buffers all at once, others one by one.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"

#define SUBMITS	32

/* Map @count buffers of a page each, one behind the other. */
static int map_residents(struct gpu_vm *vm, u32 count, u32 flags)
{
	struct drm_msm_vm_bind_op *ops = calloc(count, sizeof(*ops));
	int ret = ops ? bench_page_bos(vm, ops, count, flags) : -ENOMEM;

	ret = ret ?: gpu_vm_bind(vm, ops, count);
	free(ops);
	return ret;
}

static int timed_submit(struct gpu_vm *vm, u64 *least)
{
	struct gpu_job job;
	u64 start, took;
	int ret;

	gpu_job_begin(&job, vm, 0);
	gpu_cmd_nop(&job.cmd, 0);
	start = bench_now();
	ret = gpu_job_submit(&job, GPU_NO_FENCE);
	took = bench_now() - start;
	if (!*least || took < *least)
		*least = took;
	return ret ?: gpu_job_finish(&job);
}

static int submit_round(u32 count, u32 flags, u64 *least)
{
	struct gpu_vm vm;
	int i, ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = map_residents(&vm, count, flags);
	bench_settle();
	for (i = 0; i < SUBMITS && !ret; i++)
		ret = timed_submit(&vm, least);
	gpu_vm_close(&vm);
	bench_settle();
	return ret;
}

static int submit_figures(const char *name, u32 flags, u32 most)
{
	static const u32 counts[] = { 10, 100, 1000, 10000 };
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts) && !ret; i++) {
		u64 least = 0;

		if (counts[i] > most)
			break;
		ret = submit_round(counts[i], flags, &least);
		if (!ret)
			bench_figure(least, "submit_%s_%u", name, counts[i]);
	}
	return ret;
}

/* The GPU stays awake: waking it is no part of the cost of a buffer. */
int bench_submit(void)
{
	struct gpu_vm vm;
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = gpu_knob_keep_awake(true);
	ret = ret ?: submit_figures("shared", 0, 1000);
	ret = ret ?: submit_figures("private", MSM_BO_NO_SHARE, 10000);
	gpu_knob_keep_awake(false);
	gpu_vm_close(&vm);
	return ret;
}
