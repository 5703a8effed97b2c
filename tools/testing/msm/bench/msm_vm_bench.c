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
 * "ioctl" is the time until VM_BIND returns, "done" until its fence signals.
 * On one CPU the page-table job runs between the two.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_job.h"
#include "gpu_knob.h"

#define GIB	(1024 * 1024 * 1024ull)
#define ROUNDS	3

/* Of one VM_BIND, nanoseconds */
struct cost {
	u64 ioctl;
	u64 done;
};

static u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void figure(double value, const char *format, ...)
{
	va_list args;

	printf("BENCH ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" %.2f\n", value);
	fflush(stdout);
}

static int timed_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		      u32 count, struct cost *least)
{
	int fence = GPU_NO_FENCE, ret;
	u64 start = now(), ioctl, done;

	ret = gpu_bind_ops(&vm->dev, vm->bind_queue, ops, count, GPU_NO_FENCE,
			   &fence);
	ioctl = now() - start;
	ret = ret ?: gpu_fence_finish(fence);
	done = now() - start;

	if (!least->ioctl || ioctl < least->ioctl)
		least->ioctl = ioctl;
	if (!least->done || done < least->done)
		least->done = done;
	return ret;
}

/* A gigabyte in one MAP; its pages are there already. */
static int bench_map_1g(void)
{
	const double pages = GIB / GPU_PAGE;
	struct drm_msm_vm_bind_op map, unmap;
	struct cost up = { 0 }, down = { 0 }, first = { 0 };
	struct gpu_vm vm;
	struct gpu_bo bo;
	int i, ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = gpu_bo_new(&vm.dev, GIB, &bo);
	map = gpu_bind_op_map(vm.area, &bo, 0, GIB);
	unmap = gpu_bind_op_unmap(vm.area, GIB);
	ret = ret ?: timed_bind(&vm, &map, 1, &first);
	ret = ret ?: timed_bind(&vm, &unmap, 1, &first);
	for (i = 0; i < ROUNDS && !ret; i++) {
		ret = timed_bind(&vm, &map, 1, &up);
		ret = ret ?: timed_bind(&vm, &unmap, 1, &down);
	}
	gpu_bo_free(&bo);
	gpu_vm_close(&vm);
	if (ret)
		return ret;

	figure(up.ioctl / pages, "map_1g_ioctl_per_page");
	figure((up.done - up.ioctl) / pages, "map_1g_run_per_page");
	figure((down.done - down.ioctl) / pages, "unmap_1g_run_per_page");
	return 0;
}

static void shuffle(struct drm_msm_vm_bind_op *ops, u32 count)
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

/* @count MAPs of a page each in one ioctl, and their UNMAP in one op */
static int ops_round(struct gpu_vm *vm, struct gpu_bo *bo, u32 count,
		     bool shuffled, struct cost *cost)
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
		shuffle(ops, count);
	for (i = 0; i < ROUNDS && !ret; i++) {
		ret = timed_bind(vm, ops, count, cost);
		ret = ret ?: gpu_vm_unmap(vm, vm->area, count * GPU_PAGE);
	}
	free(ops);
	return ret;
}

static int bench_ops(void)
{
	static const u32 counts[] = { 1, 64, 1024, 10000 };
	struct gpu_vm vm;
	struct gpu_bo bo;
	size_t i;
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = gpu_bo_new(&vm.dev, 10000 * GPU_PAGE, &bo);
	/* The first use of the buffer gets its pages. */
	ret = ret ?: gpu_vm_map(&vm, vm.area, &bo, 0, bo.size);
	ret = ret ?: gpu_vm_unmap(&vm, vm.area, bo.size);
	for (i = 0; i < 2 * ARRAY_SIZE(counts) && !ret; i++) {
		struct cost cost = { 0 };
		u32 count = counts[i / 2];
		const char *order = i & 1 ? "shuffled" : "sorted";

		ret = ops_round(&vm, &bo, count, i & 1, &cost);
		figure((double)cost.ioctl / count, "ops_%s_%u_ioctl_per_op",
		       order, count);
		figure((double)cost.done / count, "ops_%s_%u_done_per_op",
		       order, count);
	}
	gpu_bo_free(&bo);
	gpu_vm_close(&vm);
	return ret;
}

/* Map @count buffers of a page each, one behind the other. */
static int map_residents(struct gpu_vm *vm, u32 count, u32 flags)
{
	struct drm_msm_vm_bind_op *ops = calloc(count, sizeof(*ops));
	int ret = ops ? 0 : -ENOMEM;
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
	start = now();
	ret = gpu_job_submit(&job, GPU_NO_FENCE);
	took = now() - start;
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
	for (i = 0; i < 32 && !ret; i++)
		ret = timed_submit(&vm, least);
	gpu_vm_close(&vm);
	return ret;
}

/* SUBMIT, which has to care for every buffer that is mapped */
static int bench_submit(void)
{
	static const u32 counts[] = { 10, 100, 1000, 10000 };
	static const struct {
		const char *name;
		u32 flags;
		u32 most;
	} kinds[] = {
		{ "shared", 0, 1000 }, { "private", MSM_BO_NO_SHARE, 10000 },
	};
	size_t kind, i;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		int ret = 0;

		for (i = 0; i < ARRAY_SIZE(counts) && !ret; i++) {
			u64 least = 0;

			if (counts[i] > kinds[kind].most)
				continue;
			ret = submit_round(counts[i], kinds[kind].flags,
					   &least);
			if (!ret)
				figure(least, "submit_%s_%u", kinds[kind].name,
				       counts[i]);
		}
		if (ret == -EINVAL && kinds[kind].flags)
			printf("BENCH-ABSENT submit_private no NO_SHARE\n");
		else if (ret)
			return ret;
	}
	return 0;
}

static int bench_hole(void)
{
	struct drm_msm_vm_bind_op unmap;
	struct cost cost = { 0 };
	struct gpu_vm vm;
	int i, ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	unmap = gpu_bind_op_unmap(vm.area, 1024 * GIB);
	for (i = 0; i < ROUNDS && !ret; i++)
		ret = timed_bind(&vm, &unmap, 1, &cost);
	gpu_vm_close(&vm);
	if (!ret)
		figure(cost.done, "unmap_1t_hole_done");
	return ret;
}

static int invalidations(u64 *sum)
{
	static const char * const names[] = { "inv_all", "inv_walk", "inv_page" };
	size_t i;
	int ret = 0;

	*sum = 0;
	for (i = 0; i < ARRAY_SIZE(names) && !ret; i++) {
		u64 value = 0;

		ret = gpu_knob_stat(names[i], &value);
		*sum += value;
	}
	return ret;
}

/* One job that unmaps a thousand pages here and there */
static int bench_flushes(void)
{
	struct drm_msm_vm_bind_op map, ops[1000];
	u64 before, after;
	struct gpu_vm vm;
	struct gpu_bo bo;
	u32 i;
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = gpu_bo_new(&vm.dev, 3 * ARRAY_SIZE(ops) * GPU_PAGE, &bo);
	map = gpu_bind_op_map(vm.area, &bo, 0, bo.size);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = gpu_bind_op_unmap(vm.area + 3 * i * GPU_PAGE,
					   GPU_PAGE);
	/* Only an awake GPU has a TLB to flush. */
	ret = ret ?: gpu_knob_keep_awake(true);
	ret = ret ?: gpu_vm_bind(&vm, &map, 1);
	ret = ret ?: invalidations(&before);
	ret = ret ?: gpu_vm_bind(&vm, ops, ARRAY_SIZE(ops));
	ret = ret ?: invalidations(&after);
	gpu_knob_keep_awake(false);
	gpu_bo_free(&bo);
	gpu_vm_close(&vm);
	if (!ret)
		figure(after - before, "invalidations_per_1000_unmaps");
	return ret;
}

#define CGROUPS		"/tmp/cgroup"
#define CGROUP		CGROUPS "/bench"

/* Move to a memory cgroup of our own, to see what is charged to us. */
static int enter_cgroup(void)
{
	FILE *file;
	int ret = 0;

	mkdir(CGROUPS, 0755);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		return -errno;
	file = fopen(CGROUPS "/cgroup.subtree_control", "w");
	if (!file)
		return -errno;
	fputs("+memory", file);
	ret = fclose(file) ? -errno : 0;
	mkdir(CGROUP, 0755);
	file = ret ? NULL : fopen(CGROUP "/cgroup.procs", "w");
	if (!file)
		return ret ?: -errno;
	fprintf(file, "%d", getpid());
	return fclose(file) ? -errno : 0;
}

/* Bytes of kernel memory that are charged to us */
static int charged(u64 *bytes)
{
	FILE *file = fopen(CGROUP "/memory.stat", "r");
	char name[64];
	u64 value;
	int ret = -ENOENT;

	if (!file)
		return -errno;
	while (ret && fscanf(file, "%63s %llu", name, &value) == 2) {
		if (strcmp(name, "kernel"))
			continue;
		*bytes = value;
		ret = 0;
	}
	fclose(file);
	return ret;
}

static int vma_memory(struct gpu_vm *vm)
{
	u64 before, after;
	u32 count = 10000;
	struct cost cost = { 0 };
	struct drm_msm_vm_bind_op *ops;
	struct gpu_bo bo;
	u32 i;
	int ret = gpu_bo_new(&vm->dev, 2 * GPU_PAGE, &bo);

	ops = calloc(count, sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	/* Neighbours never fit together, so each op is a VMA. */
	for (i = 0; i < count; i++)
		ops[i] = gpu_bind_op_map(vm->area + i * GPU_PAGE, &bo, 0,
					 GPU_PAGE);
	/* The first one pays for page tables, which stay. */
	ret = ret ?: gpu_vm_bind(vm, ops, count);
	ret = ret ?: gpu_vm_unmap(vm, vm->area, count * GPU_PAGE);
	ret = ret ?: charged(&before);
	ret = ret ?: timed_bind(vm, ops, count, &cost);
	ret = ret ?: charged(&after);
	free(ops);
	gpu_bo_free(&bo);
	if (!ret)
		figure((double)((s64)(after - before)) / count, "bytes_per_vma");
	return ret;
}

#define IDLE_VMS	128

static int bench_memory(void)
{
	static struct gpu_dev devs[IDLE_VMS];
	u64 before, after;
	struct gpu_vm vm;
	int i, ret;

	ret = enter_cgroup();
	if (ret)
		return ret;
	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = vma_memory(&vm);
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
	gpu_vm_close(&vm);
	if (!ret)
		figure((double)((s64)(after - before)) / IDLE_VMS,
		       "bytes_per_idle_vm");
	return ret;
}

static const struct part {
	const char *name;
	int (*run)(void);
} parts[] = {
	{ "map-1g", bench_map_1g },
	{ "ops", bench_ops },
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
	int failed = 0;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		printf("usage: %s [PART...]\nparts:", argv[0]);
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			printf(" %s", parts[i].name);
		printf("\n");
		return 0;
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
