// SPDX-License-Identifier: MIT
/*
 * Page tables: how many pages a bind sets aside and how many it uses; what a
 * hole costs that has no tables; how often the TLB is flushed.
 *
 * The kernel tells the first two in fdinfo; the bind is held back in between.
 */
#include <unistd.h>

#include "bench.h"

#define COUNT		1000
#define SETTLE_US	100000
/* Each op has a last-level table of its own, a few share a higher one. */
#define APART		(37 * 1024 * 1024ull)
#define KIB_PER_PAGE	(GPU_PAGE / 1024)

/**
 * struct table_pages - of one bind
 * @reserved: set aside when the ioctl has returned
 * @used: made page tables when the job is done
 * @left: still set aside then
 */
struct table_pages {
	u64 reserved;
	u64 used;
	u64 left;
};

static int table_pages(const struct gpu_vm *vm, const char *key, u64 *pages)
{
	int ret = gpu_vm_fdinfo(vm, key, pages);

	*pages /= KIB_PER_PAGE;
	return ret;
}

static int held_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		     struct table_pages *pages)
{
	struct gpu_gate gate;
	u64 before = 0, after = 0;
	int fence = GPU_NO_FENCE, ret;

	ret = gpu_gate_new(&gate);
	if (ret)
		return ret;
	ret = table_pages(vm, "msm-vm-tables", &before);
	ret = ret ?: gpu_bind_ops(&vm->dev, vm->bind_queue, ops, COUNT,
				  gate.fence, &fence);
	ret = ret ?: table_pages(vm, "msm-vm-reserved", &pages->reserved);
	ret = gpu_gate_open(&gate) ?: ret;
	if (fence != GPU_NO_FENCE)
		ret = gpu_fence_finish(fence) ?: ret;
	gpu_gate_free(&gate);
	bench_settle();
	ret = ret ?: table_pages(vm, "msm-vm-tables", &after);
	ret = ret ?: table_pages(vm, "msm-vm-reserved", &pages->left);
	pages->used = after - before;
	return ret;
}

/* In a VM without any tables there: bind, unbind, bind again. */
static int tables_of(bool shuffled)
{
	const char *order = shuffled ? "shuffled" : "sorted";
	static struct drm_msm_vm_bind_op ops[COUNT];
	struct table_pages first = { 0 }, again = { 0 };
	struct gpu_vm vm;
	struct gpu_bo bo;
	u32 i;
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = gpu_bo_new(&vm.dev, GPU_PAGE, &bo);
	for (i = 0; i < COUNT; i++)
		ops[i] = gpu_bind_op_map(vm.area + i * APART, &bo, 0, GPU_PAGE);
	if (shuffled)
		bench_shuffle(ops, COUNT);
	ret = ret ?: held_bind(&vm, ops, &first);
	ret = ret ?: gpu_vm_unmap(&vm, vm.area, COUNT * APART);
	ret = ret ?: held_bind(&vm, ops, &again);
	gpu_bo_free(&bo);
	gpu_vm_close(&vm);
	if (ret)
		return ret;
	bench_figure(first.reserved, "tables_%s_reserved", order);
	bench_figure(first.used, "tables_%s_used", order);
	bench_figure(first.left, "tables_%s_left", order);
	bench_figure(again.reserved, "tables_%s_again", order);
	return 0;
}

int bench_tables(void)
{
	int ret = tables_of(false);

	return ret ?: tables_of(true);
}

int bench_hole(void)
{
	struct drm_msm_vm_bind_op unmap;
	struct bench_cost cost = { 0 };
	struct gpu_vm vm;
	int i, ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	unmap = gpu_bind_op_unmap(vm.area, 1024 * GIB);
	for (i = 0; i < ROUNDS && !ret; i++)
		ret = bench_bind(&vm, &unmap, 1, &cost);
	gpu_vm_close(&vm);
	if (!ret)
		bench_figure(cost.ioctl + cost.run, "unmap_1t_hole");
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

/* VMs of other parts go in a worker, and each flush counts. */
static int settled(u64 *sum)
{
	u64 before;
	int ret = invalidations(sum);

	do {
		before = *sum;
		usleep(SETTLE_US);
		ret = ret ?: invalidations(sum);
	} while (!ret && *sum != before);
	return ret;
}

static int flushes_of(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		      const char *what)
{
	u64 before = 0, after = 0;
	int ret = settled(&before);

	ret = ret ?: gpu_vm_bind(vm, ops, COUNT);
	ret = ret ?: invalidations(&after);
	if (!ret)
		bench_figure(after - before, "invalidations_per_1000_%s", what);
	return ret;
}

/* One job that unmaps a thousand pages here and there, one that replaces some */
int bench_flushes(void)
{
	static struct drm_msm_vm_bind_op unmaps[COUNT], maps[COUNT];
	struct drm_msm_vm_bind_op all;
	struct gpu_vm vm;
	struct gpu_bo bo;
	u64 iova;
	u32 i;
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = gpu_bo_new(&vm.dev, 3 * COUNT * GPU_PAGE, &bo);
	all = gpu_bind_op_map(vm.area, &bo, 0, bo.size);
	for (i = 0; i < COUNT; i++) {
		iova = vm.area + 3 * i * GPU_PAGE;
		unmaps[i] = gpu_bind_op_unmap(iova, GPU_PAGE);
		maps[i] = gpu_bind_op_map(iova + GPU_PAGE, &bo, 0, GPU_PAGE);
	}
	/* Only an awake GPU has a TLB to flush. */
	ret = ret ?: gpu_knob_keep_awake(true);
	ret = ret ?: gpu_vm_bind(&vm, &all, 1);
	ret = ret ?: flushes_of(&vm, unmaps, "unmaps");
	ret = ret ?: flushes_of(&vm, maps, "maps");
	gpu_knob_keep_awake(false);
	gpu_bo_free(&bo);
	gpu_vm_close(&vm);
	return ret;
}
