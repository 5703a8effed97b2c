// SPDX-License-Identifier: MIT
/*
 * What VM_BIND costs, in nanoseconds of the guest's clock.
 *
 * `make bench` runs this where one guest nanosecond is one instruction: a
 * single emulated CPU that counts instructions.  Elsewhere the figures are
 * plain times, and only ratios of one run mean something.
 *
 * Each part prints lines "BENCH name value": the smallest of a few rounds, as
 * whatever makes a round longer is no part of its cost.  A part that this
 * kernel cannot do prints "BENCH-ABSENT name reason".  Part names as arguments
 * choose; without any, all parts run.
 *
 * A bind waits for a gate, a fence that the CPU signals: so the ioctl and the
 * job, which share the one CPU, are measured one after the other.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

u64 bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Let the kernel's workers finish what the last round has left to them. */
void bench_settle(void)
{
	usleep(50000);
}

void bench_figure(double value, const char *format, ...)
{
	va_list args;

	printf("BENCH ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" %.2f\n", value);
	fflush(stdout);
}

void bench_absent(const char *name, const char *reason)
{
	printf("BENCH-ABSENT %s %s\n", name, reason);
}

static void keep_least(struct bench_cost *least, const struct bench_cost *cost)
{
	if (!least->ioctl || cost->ioctl < least->ioctl)
		least->ioctl = cost->ioctl;
	if (!least->run || cost->run < least->run)
		least->run = cost->run;
}

/**
 * bench_bind - bind and take the time
 * @least: the smallest figures so far, or all zero
 *
 * Return: 0, the ioctl's negative errno, or the error of the out fence.
 */
int bench_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
	       u32 count, struct bench_cost *least)
{
	struct bench_cost cost;
	struct gpu_gate gate;
	int fence = GPU_NO_FENCE, ret;
	u64 start;

	ret = gpu_gate_new(&gate);
	if (ret)
		return ret;
	start = bench_now();
	ret = gpu_bind_ops(&vm->dev, vm->bind_queue, ops, count, gate.fence,
			   &fence);
	cost.ioctl = bench_now() - start;
	if (!ret) {
		start = bench_now();
		ret = gpu_gate_open(&gate);
		ret = gpu_fence_finish(fence) ?: ret;
		cost.run = bench_now() - start;
	}
	gpu_gate_free(&gate);
	bench_settle();
	if (!ret)
		keep_least(least, &cost);
	return ret;
}

/* New BOs of a page each, which @ops map side by side */
int bench_page_bos(struct gpu_vm *vm, struct drm_msm_vm_bind_op *ops, u32 count,
		   u32 flags)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < count && !ret; i++) {
		struct drm_msm_gem_new req = {
			.size = GPU_PAGE, .flags = MSM_BO_WC | flags,
		};
		struct gpu_bo bo;

		ret = gpu_ioctl(vm->dev.fd, DRM_IOCTL_MSM_GEM_NEW, &req);
		bo.handle = req.handle;
		ops[i] = gpu_bind_op_map(vm->area + i * GPU_PAGE, &bo, 0,
					 GPU_PAGE);
	}
	return ret;
}

/* The same order in each run */
void bench_shuffle(struct drm_msm_vm_bind_op *ops, u32 count)
{
	struct drm_msm_vm_bind_op swap;
	u32 i, j, seed = 1;

	for (i = count - 1; i; i--) {
		seed = seed * 1664525 + 1013904223;
		j = (u64)seed * (i + 1) >> 32;
		swap = ops[i];
		ops[i] = ops[j];
		ops[j] = swap;
	}
}

/* Has the SMMU a page that reads as zero? */
int bench_null(struct gpu_vm *vm, bool *have)
{
	u64 value = 0;
	int ret = gpu_dev_get_param(&vm->dev, MSM_PARAM_HAS_PRR, &value);

	*have = value;
	return ret;
}

static const struct part {
	const char *name;
	int (*run)(void);
} parts[] = {
	{ "map", bench_map },
	{ "ops", bench_ops },
	{ "queue", bench_queue },
	{ "tables", bench_tables },
	{ "submit", bench_submit },
	{ "hole", bench_hole },
	{ "flushes", bench_flushes },
	{ "memory", bench_memory },
};

static bool chosen(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc <= 1;
}

int main(int argc, char **argv)
{
	const struct sched_param first = { .sched_priority = 1 };
	int failed = 0;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		printf("usage: %s [PART...]\nparts:", argv[0]);
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			printf(" %s", parts[i].name);
		printf("\n");
		return 0;
	}
	/* What a thread does that an ioctl wakes is not the ioctl's cost. */
	if (sched_setscheduler(0, SCHED_FIFO, &first)) {
		perror("sched_setscheduler");
		return 1;
	}
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		int ret;

		if (!chosen(parts[i].name, argc, argv))
			continue;
		printf("BENCH-PART %s\n", parts[i].name);
		fflush(stdout);
		ret = parts[i].run();
		if (!ret)
			continue;
		printf("BENCH-FAIL %s %s\n", parts[i].name, strerror(-ret));
		failed = 1;
	}
	return failed;
}
