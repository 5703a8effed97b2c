// SPDX-License-Identifier: MIT
/*
 * Every allocation on the path of a sequence fails once.
 *
 * A sequence runs with its first allocation failing, then its second, until a
 * run meets no failure any more.  After a run that reported an error all must
 * be as before, and the same sequence must succeed at once; a run that got
 * along without the memory must have done its work.
 *
 * Nothing here looks for leaks: removing the module does (its slab caches must
 * be empty), and kmemleak.  A new sequence is a line of the table below, with
 * "before" and "after" as gpu_pages.c draws them, from vm.area on.
 *
 * Needs a kernel with FAILSLAB and FAIL_PAGE_ALLOC; the flavour fault fails
 * copies from and to user space too.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_mem.h"
#include "gpu_nth.h"
#include "vm_dmabuf.h"
#include "vm_sweep.h"
#include "vm_test.h"

/* More than any sequence allocates; a sweep that gets here does not end. */
#define MOST		2000
#define MOST_PASSES	5

static int bind(struct sweep_state *s, const struct drm_msm_vm_bind_op *ops,
		u32 count, int in_fence)
{
	return gpu_bind_ops(&s->vm.dev, s->vm.bind_queue, ops, count, in_fence,
			    &s->job.fence);
}

static int act_map(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_map(s->vm.area + 8 * GPU_PAGE, s->b, 0,
				s->b->size);

	return bind(s, &op, 1, GPU_NO_FENCE);
}

static int act_rebind(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_map(s->vm.area + 2 * GPU_PAGE, s->b, 0,
				s->b->size);

	return bind(s, &op, 1, GPU_NO_FENCE);
}

static int act_unmap(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_unmap(s->vm.area + 3 * GPU_PAGE, GPU_PAGE);

	return bind(s, &op, 1, GPU_NO_FENCE);
}

/* Splits, replaces, and reaches page tables that are not there yet. */
static int act_array(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op ops[] = {
		gpu_bind_op_unmap(s->vm.area + GPU_PAGE, GPU_PAGE),
		gpu_bind_op_map(s->vm.area + 6 * GPU_PAGE, s->b, 0,
				s->b->size),
		gpu_bind_op_map(s->vm.area + GPU_VM_AREA_OFFSET, s->b, 0,
				s->b->size),
	};

	return bind(s, ops, ARRAY_SIZE(ops), GPU_NO_FENCE);
}

static int finish_bind(struct sweep_state *s)
{
	return gpu_job_finish(&s->job);
}

static int undo_bind(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op ops[] = {
		gpu_bind_op_unmap(s->vm.area, 2 * GPU_VM_AREA_OFFSET),
		gpu_bind_op_map(s->vm.area, s->a, 0, s->a->size),
	};

	return gpu_vm_bind(&s->vm, ops, ARRAY_SIZE(ops));
}

/* A bind behind another one's fence, which may still be to come */
static int prepare_behind(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_unmap(s->vm.area + 64 * GPU_PAGE, GPU_PAGE);

	return bind(s, &op, 1, GPU_NO_FENCE);
}

static int act_behind(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_map(s->vm.area + 8 * GPU_PAGE, s->b, 0,
				s->b->size);
	int before = s->job.fence;
	int ret = bind(s, &op, 1, before);

	if (!ret)
		close(before);
	return ret;
}

int vm_sweep_prepare_submit(struct sweep_state *s)
{
	gpu_job_begin(&s->job, &s->vm, 1);
	gpu_job_read(&s->job, 0, s->vm.area);
	return 0;
}

static int act_submit(struct sweep_state *s)
{
	return gpu_job_submit(&s->job, GPU_NO_FENCE);
}

int vm_sweep_finish_submit(struct sweep_state *s)
{
	int ret = gpu_job_finish(&s->job);
	u32 want = gpu_pages_stamp('A', 0, false);

	msm_igt_assert(ret || s->job.result[0] == want,
		       "GPU read %08x, not %08x\n", s->job.result[0], want);
	return ret;
}

/* Everything idle loses its pages, when there is memory to ask for that. */
static int act_evict(struct sweep_state *s)
{
	return gpu_mem_shrink();
}

/* Evicted to swap, so that new pages are needed to come back */
static int prepare_restore(struct sweep_state *s)
{
	int ret = gpu_mem_shrink();

	ret = ret ?: gpu_mem_swap_out(s->a->size / GPU_PAGE);
	return ret ?: vm_sweep_prepare_submit(s);
}

/* A VM keeps its tables, so each round goes where there are none yet. */
static int prepare_borders(struct sweep_state *s)
{
	s->border += 2 * GPU_VM_AREA_OFFSET;
	return 0;
}

/* One of the tables is promised already, by a bind that waits. */
static int prepare_shared(struct sweep_state *s)
{
	struct drm_msm_vm_bind_op op;
	int ret = gpu_gate_new(&s->gate);

	prepare_borders(s);
	op = gpu_bind_op_map(s->border - GPU_PAGE, s->b, 0, GPU_PAGE);
	return ret ?: gpu_bind_ops(&s->vm.dev, s->vm.bind_queue, &op, 1,
				   s->gate.fence, NULL);
}

/* Two tables of the last level, and two of the one above */
static int act_borders(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_map(s->border - 2 * GPU_PAGE, s->b, 0, s->b->size);

	return bind(s, &op, 1, GPU_NO_FENCE);
}

static int finish_borders(struct sweep_state *s)
{
	int ret = gpu_job_finish(&s->job);

	vm_test_expect(&s->vm, s->border - 3 * GPU_PAGE, ". B0-3 .");
	return ret;
}

static int finish_shared(struct sweep_state *s)
{
	msm_igt_assert_ok(gpu_gate_open(&s->gate));
	gpu_gate_free(&s->gate);
	return finish_borders(s);
}

static int undo_borders(struct sweep_state *s)
{
	return gpu_vm_unmap(&s->vm, s->border - 2 * GPU_PAGE, s->b->size);
}

static int prepare_null(struct sweep_state *s)
{
	u64 prr = 0;
	int ret = gpu_dev_get_param(&s->vm.dev, MSM_PARAM_HAS_PRR, &prr);

	msm_igt_require(ret || prr, "MSM_PARAM_HAS_PRR is 0: an SMMU without PRR\n");
	return ret;
}

static int act_null(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_null(s->vm.area + 8 * GPU_PAGE, 4 * GPU_PAGE);

	return bind(s, &op, 1, GPU_NO_FENCE);
}

static int new_private(struct sweep_state *s, u32 pages)
{
	int ret;

	s->vm.dev.bo_flags = MSM_BO_NO_SHARE;
	ret = gpu_bo_new(&s->vm.dev, pages * GPU_PAGE, &s->bo);
	s->vm.dev.bo_flags = 0;
	return ret;
}

/* Nobody has touched it: the bind is what allocates its pages. */
static int prepare_private(struct sweep_state *s)
{
	return new_private(s, 4);
}

static int act_private(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_map(s->vm.area + 8 * GPU_PAGE, &s->bo, 0,
				s->bo.size);

	return bind(s, &op, 1, GPU_NO_FENCE);
}

static int finish_private(struct sweep_state *s)
{
	gpu_pages_fill(&s->bo, 'P');
	return gpu_job_finish(&s->job);
}

static int undo_private(struct sweep_state *s)
{
	gpu_bo_free(&s->bo);
	return undo_bind(s);
}

/* A private buffer, whose lock is the VM's, and that has no metadata yet */
static int prepare_metadata(struct sweep_state *s)
{
	return new_private(s, 1);
}

static int act_metadata(struct sweep_state *s)
{
	static const char data[] = "sweep";
	struct drm_msm_gem_info req = {
		.handle = s->bo.handle, .info = MSM_INFO_SET_METADATA,
		.value = (uintptr_t)data, .len = sizeof(data),
	};

	return gpu_ioctl(s->vm.dev.fd, DRM_IOCTL_MSM_GEM_INFO, &req);
}

static int undo_metadata(struct sweep_state *s)
{
	gpu_bo_free(&s->bo);
	return 0;
}

static int act_import(struct sweep_state *s)
{
	struct drm_prime_handle req = { .fd = s->dmabuf };
	int ret = gpu_ioctl(s->vm.dev.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &req);

	s->bo = (struct gpu_bo){ .dev = &s->vm.dev, .handle = req.handle };
	return ret;
}

static int undo_import(struct sweep_state *s)
{
	return gpu_bo_close_handle(&s->bo);
}

static struct sweep_state state;

/* A BO that a worker has locked at the moment is not counted. */
static u64 count_bos(void)
{
	u64 before, now = vm_test_bo_count();

	do {
		before = now;
		now = vm_test_bo_count();
	} while (now != before);
	return now;
}

static void open_state(struct sweep_state *s)
{
	char link[32];
	ssize_t len;
	u32 *map;

	*s = (struct sweep_state){ .job.fence = GPU_NO_FENCE };
	s->extra.dev.fd = -1;
	vm_test_open(&s->vm);
	s->a = vm_test_bo(&s->vm, 'A', 8);
	s->b = vm_test_bo(&s->vm, 'B', 4);
	vm_test_map(&s->vm, s->vm.area, s->a);
	s->border = s->vm.area;
	s->dmabuf = vm_dmabuf_new(4, &map);
	/* The first submit of a context makes what the later ones use. */
	vm_test_expect(&s->vm, s->vm.area, "A0-7");
	s->bos = count_bos();

	snprintf(link, sizeof(link), "/proc/self/fd/%d", s->vm.dev.fd);
	len = readlink(link, s->node, sizeof(s->node) - 1);
	msm_igt_assert(len > 0, "no name for the node\n");
}

static void complete(struct sweep_state *s, const struct sweep *sweep)
{
	if (sweep->finish)
		msm_igt_assert_ok(sweep->finish(s));
	vm_test_expect(&s->vm, s->vm.area, sweep->after);
	if (sweep->undo)
		msm_igt_assert_ok(sweep->undo(s));
}

/**
 * struct counts - what a sequence that failed must not change
 * @fds: open files
 * @kib: page tables set aside, KiB
 * @bos: of all contexts
 * @vms: of the VMs of this process
 */
struct counts {
	int fds;
	u64 kib;
	u64 bos;
	struct gpu_vm_counts vms;
};

static struct counts count(struct sweep_state *s)
{
	struct counts now = { .fds = gpu_dev_count_fds(), .bos = count_bos() };

	msm_igt_assert_ok(gpu_vm_fdinfo(&s->vm, "msm-vm-reserved", &now.kib));
	msm_igt_assert_ok(gpu_vm_count(&now.vms));
	return now;
}

/* Nothing has changed. */
static void check_failed(struct sweep_state *s, const struct sweep *sweep,
			 u32 nth, const struct counts *before)
{
	struct counts now = count(s);

	msm_igt_assert_ret(now.fds, before->fds);
	msm_igt_assert(now.kib == before->kib,
		       "%u: %llu KiB set aside, %llu before\n", nth, now.kib,
		       before->kib);
	msm_igt_assert(now.vms.mappings == before->vms.mappings,
		       "%u: %llu mappings, %llu before\n", nth,
		       now.vms.mappings, before->vms.mappings);
	vm_test_expect_bo_count(before->bos);
	if (sweep->failed)
		sweep->failed(s);
	vm_test_expect(&s->vm, s->vm.area, sweep->before);
}

/* Return: did anything fail? */
static bool run_round(struct sweep_state *s, const struct sweep *sweep, u32 nth)
{
	struct counts before;
	bool failed = false;
	int ret;

	/* The VM lets go of what the last round mapped in a worker */
	vm_test_expect_bo_count(s->bos);
	if (sweep->prepare)
		msm_igt_assert_ok(sweep->prepare(s));
	before = count(s);
	msm_igt_assert_ok(gpu_nth_arm(nth));
	ret = sweep->act(s);
	msm_igt_assert_ok(gpu_nth_disarm(&failed));

	msm_igt_assert(failed || !ret, "%u: %d though nothing failed\n", nth,
		       ret);
	msm_igt_assert(!ret || ret == -ENOMEM || ret == -EFAULT,
		       "%u: failed with %d%s%s\n", nth, ret,
		       s->step ? " at " : "", s->step ?: "");
	if (ret) {
		check_failed(s, sweep, nth, &before);
		msm_igt_assert_ok(sweep->act(s));
	}
	complete(s, sweep);
	return failed;
}

/* Return: how many rounds had a failure. */
static u32 run_rounds(struct sweep_state *s, const struct sweep *sweep)
{
	u32 nth = 1;

	while (nth < MOST && run_round(s, sweep, nth))
		nth++;
	msm_igt_assert(nth < MOST, "no end after %u failures\n", nth);
	return nth - 1;
}

/*
 * What the kernel keeps from one round to the next can take or save an
 * allocation, and then one site fails twice and its neighbour never: only when
 * two passes agree has the second met each.
 */
static u32 run_passes(struct sweep_state *s, const struct sweep *sweep)
{
	u32 before, now = run_rounds(s, sweep);
	int passes = 1;

	do {
		before = now;
		now = run_rounds(s, sweep);
		passes++;
	} while (now != before && passes < MOST_PASSES);
	if (now != before)
		msm_igt_info("%u failures, %u the time before\n", now, before);
	return now;
}

static void run_sweep(const void *arg)
{
	const struct sweep *sweep = arg;
	u32 slabs, all;

	open_state(&state);
	/* Once without failures, which also fills caches */
	run_round(&state, sweep, 0);
	msm_igt_assert_ok(gpu_nth_count_pages(false));
	slabs = run_passes(&state, sweep);
	msm_igt_assert_ok(gpu_nth_count_pages(true));
	all = run_rounds(&state, sweep);
	msm_igt_info("%u failures, of slabs alone %u\n", all, slabs);
	msm_igt_assert(all || sweep->void_, "nothing could fail\n");
	close(state.dmabuf);
	vm_test_close(&state.vm);
}

static const struct sweep map = {
	.act = act_map, .finish = finish_bind, .undo = undo_bind,
	.before = "A0-7 .", .after = "A0-7 B0-3",
};

static const struct sweep behind = {
	.prepare = prepare_behind, .act = act_behind, .finish = finish_bind,
	.undo = undo_bind, .before = "A0-7 .", .after = "A0-7 B0-3",
};

static const struct sweep rebind = {
	.act = act_rebind, .finish = finish_bind, .undo = undo_bind,
	.before = "A0-7", .after = "A0-1 B0-3 A6-7",
};

static const struct sweep unmap = {
	.act = act_unmap, .finish = finish_bind, .undo = undo_bind,
	.before = "A0-7", .after = "A0-2 . A4-7",
};

static const struct sweep array = {
	.act = act_array, .finish = finish_bind, .undo = undo_bind,
	.before = "A0-7 .", .after = "A0 . A2-5 B0-3",
};

static const struct sweep submit = {
	.prepare = vm_sweep_prepare_submit, .act = act_submit, .finish = vm_sweep_finish_submit,
	.before = "A0-7", .after = "A0-7",
};

static const struct sweep borders = {
	.prepare = prepare_borders, .act = act_borders,
	.finish = finish_borders, .undo = undo_borders,
	.before = "A0-7", .after = "A0-7",
};

static const struct sweep shared = {
	.prepare = prepare_shared, .act = act_borders,
	.finish = finish_shared, .undo = undo_borders,
	.before = "A0-7", .after = "A0-7",
};

static const struct sweep evict = {
	.act = act_evict, .before = "A0-7", .after = "A0-7",
};

static const struct sweep restore = {
	.prepare = prepare_restore, .act = act_submit, .finish = vm_sweep_finish_submit,
	.before = "A0-7", .after = "A0-7",
};

static const struct sweep map_null = {
	.prepare = prepare_null, .act = act_null, .finish = finish_bind,
	.undo = undo_bind, .before = "A0-7 .", .after = "A0-7 z4",
};

static const struct sweep map_private = {
	.prepare = prepare_private, .act = act_private,
	.finish = finish_private, .undo = undo_private,
	.before = "A0-7 .", .after = "A0-7 P0-3",
};

static const struct sweep metadata = {
	.prepare = prepare_metadata, .act = act_metadata, .undo = undo_metadata,
	.before = "A0-7", .after = "A0-7",
};

static const struct sweep import = {
	.act = act_import, .undo = undo_import,
	.before = "A0-7", .after = "A0-7",
};

static const struct msm_igt_subtest tests[] = {
	{ "create", "open, opt in, first queue", run_sweep, &vm_sweep_create },
	{ "queue", "one more bind queue", run_sweep, &vm_sweep_queue },
	{ "map", "one MAP into a hole", run_sweep, &map },
	{ "map-null", "one MAP_NULL into a hole", run_sweep, &map_null },
	{ "map-private", "one MAP of a NO_SHARE buffer without pages", run_sweep,
	  &map_private },
	{ "map-borders", "one MAP across a table of each level", run_sweep,
	  &borders },
	{ "map-shared", "the same, with a table that another bind has promised",
	  run_sweep, &shared },
	{ "map-behind-fence", "MAP with an in-fence", run_sweep, &behind },
	{ "rebind", "MAP over the middle of a mapping", run_sweep, &rebind },
	{ "unmap", "UNMAP of the middle", run_sweep, &unmap },
	{ "array", "three operations, new page tables", run_sweep, &array },
	{ "submit", "SUBMIT by address", run_sweep, &submit },
	{ "sync-bind", "MAP with syncobjs, points among them", run_sweep,
	  &vm_sweep_sync_bind },
	{ "sync-submit", "SUBMIT with the same", run_sweep,
	  &vm_sweep_sync_submit },
	{ "evict", "reclaim of all that is idle", run_sweep, &evict },
	{ "restore", "SUBMIT after that, pages in swap", run_sweep, &restore },
	{ "metadata", "GEM_INFO, of a private buffer", run_sweep, &metadata },
	{ "import", "of somebody else's dma-buf", run_sweep, &import },
	{ "close", "buffer, queue and file with a bind queued", run_sweep,
	  &vm_sweep_close },
};

static void sweep_fixture(void)
{
	int ret;

	vm_test_fixture();
	ret = gpu_nth_setup();
	msm_igt_require(ret != -ENOENT, "this kernel cannot fail allocations\n");
	msm_igt_assert_ok(ret);
	ret = gpu_mem_setup();
	msm_igt_require(ret != -ENOSPC, "no swap, nothing can be evicted\n");
	msm_igt_assert_ok(ret);
}

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(sweep_fixture);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}
