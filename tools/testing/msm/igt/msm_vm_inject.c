// SPDX-License-Identifier: MIT
/*
 * A bind job that cannot be applied: nothing that a client does brings that
 * about, so debugfs lets a map fail in the middle of a job.
 *
 * By then the ioctl has succeeded.  The fence must say so, the VM is dead, and
 * nobody else's is.
 */
#include <errno.h>
#include <unistd.h>

#include "gpu_account.h"
#include "gpu_knob.h"
#include "gpu_mem.h"
#include "vm_train.h"

/* Where the job of a subtest changes something, in pages behind the train's */
#define SPOT	64
#define PAGES	4

/* What a job maps before it looks whether somebody else wants the CPU */
#define STEP	(64ull << 20)

static void setup(void)
{
	vm_test_fixture();
	msm_igt_require(gpu_knob_fail_map(false, 0) != -ENOENT,
			"this kernel cannot let a map fail\n");
}

static void restore(void)
{
	msm_igt_assert_ok(gpu_knob_fail_map(false, 0));
	vm_test_restore();
}

static u64 spot(struct vm_train *train, u32 page)
{
	return train->vm.area + (SPOT + page) * GPU_PAGE;
}

/* Two pages at the spot are mapped; the job replaces one and adds two. */
static void mixed_ops(struct vm_train *train, struct drm_msm_vm_bind_op ops[PAGES])
{
	struct gpu_bo *old = vm_test_bo(&train->vm, 'A', 2);
	struct gpu_bo *new = vm_test_bo(&train->vm, 'B', 3);

	vm_test_map(&train->vm, spot(train, 0), old);
	ops[0] = gpu_bind_op_map(spot(train, 2), new, 0, GPU_PAGE);
	ops[1] = gpu_bind_op_unmap(spot(train, 1), GPU_PAGE);
	ops[2] = gpu_bind_op_map(spot(train, 0), new, GPU_PAGE, GPU_PAGE);
	ops[3] = gpu_bind_op_map(spot(train, 3), new, 2 * GPU_PAGE, GPU_PAGE);
}

/* The job is queued behind @gate, so that nothing else is mapped in between. */
static int queue_job(struct vm_train *train, u32 queue,
		     const struct drm_msm_vm_bind_op *ops, u32 count, int gate)
{
	int fence;

	msm_igt_assert_ok(gpu_bind_ops(&train->vm.dev, queue, ops, count, gate,
				       &fence));
	return fence;
}

/* The @nth map of a job fails: that job's fence and that VM, and nothing more. */
static void fail_nth(u32 nth)
{
	struct gpu_gate gate = vm_test_gate();
	struct drm_msm_vm_bind_op ops[PAGES];
	struct vm_train victim, other;
	int fence;

	vm_train_open(&victim);
	vm_train_open(&other);
	mixed_ops(&victim, ops);
	fence = queue_job(&victim, victim.vm.bind_queue, ops, PAGES, gate.fence);
	msm_igt_assert_ok(gpu_knob_fail_map(true, nth * GPU_PAGE));
	msm_igt_assert_ok(gpu_gate_open(&gate));

	msm_igt_assert_ret(gpu_fence_finish(fence), -EIO);
	vm_train_assert_dead(&victim);
	vm_train_assert_alive(&other, 0);
	vm_train_close(&other);
	vm_train_close(&victim);
	gpu_gate_free(&gate);
}

/* VMs go in a worker, after an RCU grace period; nothing of them stays. */
static void expect_gone(u64 refs, u64 bos)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	u64 now;

	for (;; ms -= 10) {
		msm_igt_assert_ok(gpu_account_refs(&now));
		if (now <= refs || ms <= 0)
			break;
		usleep(10000);
	}
	msm_igt_assert(now <= refs, "%llu references instead of %llu\n", now,
		       refs);
	vm_test_expect_bo_count(bos);
}

static void map_fails(const void *arg)
{
	u64 bos = vm_test_bo_count(), refs;
	u32 nth;

	msm_igt_assert_ok(gpu_account_refs(&refs));
	for (nth = 0; nth < 3; nth++)
		fail_nth(nth);
	expect_gone(refs, bos);
}

/* The first step of @op that maps something after @before bytes fails. */
static void fail_alone(struct vm_train *train,
		       const struct drm_msm_vm_bind_op *op, u64 before)
{
	struct gpu_gate gate = vm_test_gate();
	int fence;

	fence = queue_job(train, train->vm.bind_queue, op, 1, gate.fence);
	msm_igt_assert_ok(gpu_knob_fail_map(true, before));
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ret(gpu_fence_finish(fence), -EIO);
	vm_train_assert_dead(train);
	gpu_gate_free(&gate);
}

static void null_fails(const void *arg)
{
	u64 bos = vm_test_bo_count();
	struct drm_msm_vm_bind_op op;
	struct vm_train train;

	vm_train_open(&train);
	op = gpu_bind_op_null(spot(&train, 0), PAGES * GPU_PAGE);
	fail_alone(&train, &op, 0);
	vm_train_close(&train);
	vm_test_expect_bo_count(bos);
}

/* Binds behind it carry the error as well, on its queue and on others. */
static void behind_fails(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct drm_msm_vm_bind_op ops[PAGES];
	u64 bos = vm_test_bo_count();
	struct vm_train train;
	int fences[3];
	u32 queue;

	vm_train_open(&train);
	mixed_ops(&train, ops);
	msm_igt_assert_ok(gpu_dev_queue_new(&train.vm.dev,
					    MSM_SUBMITQUEUE_VM_BIND, 0, &queue));
	fences[0] = queue_job(&train, train.vm.bind_queue, ops, PAGES,
			      gate.fence);
	fences[1] = queue_job(&train, train.vm.bind_queue, NULL, 0,
			      GPU_NO_FENCE);
	fences[2] = queue_job(&train, queue, &ops[1], 1, GPU_NO_FENCE);
	msm_igt_assert_ok(gpu_knob_fail_map(true, GPU_PAGE));
	msm_igt_assert_ok(gpu_gate_open(&gate));
	for (u32 i = 0; i < 3; i++)
		msm_igt_assert_ret(gpu_fence_finish(fences[i]), -EIO);
	vm_train_close(&train);
	gpu_gate_free(&gate);
	vm_test_expect_bo_count(bos);
}

/* A GPU job that waits for the bind must not run without what it maps. */
static void job_waits(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct drm_msm_vm_bind_op ops[PAGES];
	u64 bos = vm_test_bo_count();
	struct vm_train train;
	int fence;

	vm_train_open(&train);
	mixed_ops(&train, ops);
	fence = queue_job(&train, train.vm.bind_queue, ops, PAGES, gate.fence);
	vm_train_mark(&train, 0);
	msm_igt_assert_ok(vm_train_try(&train, 0, fence));
	msm_igt_assert_ok(gpu_knob_fail_map(true, 0));
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ret(gpu_fence_finish(fence), -EIO);
	msm_igt_assert_ret(vm_train_finish(&train, 0), -ECANCELED);
	msm_igt_assert(!vm_train_marked(&train, 0), "it ran\n");
	vm_train_close(&train);
	gpu_gate_free(&gate);
	vm_test_expect_bo_count(bos);
}

/* The table has the first half of a mapping; the VM goes with it. */
static void half_null_fails(const void *arg)
{
	u64 bos = vm_test_bo_count(), refs;
	struct drm_msm_vm_bind_op op;
	struct vm_train train;

	msm_igt_assert_ok(gpu_account_refs(&refs));
	vm_train_open(&train);
	op = gpu_bind_op_null(train.vm.area + GPU_VM_AREA_OFFSET, 2 * STEP);
	fail_alone(&train, &op, STEP);
	vm_train_close(&train);
	expect_gone(refs, bos);
}

/* A job so long that it is made in parts: none is made after one has failed. */
static void long_fails(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct drm_msm_vm_bind_op ops[3];
	u64 bos = vm_test_bo_count();
	struct vm_train train;
	int fence;

	vm_train_open(&train);
	for (u32 i = 0; i < 3; i++)
		ops[i] = gpu_bind_op_null(train.vm.area + GPU_VM_AREA_OFFSET +
					  i * 16 * STEP, 16 * STEP);
	fence = queue_job(&train, train.vm.bind_queue, ops, 3, gate.fence);
	msm_igt_assert_ok(gpu_knob_fail_map(true, 17 * STEP));
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ret(gpu_fence_finish(fence), -EIO);
	vm_train_assert_dead(&train);
	vm_train_close(&train);
	gpu_gate_free(&gate);
	vm_test_expect_bo_count(bos);
}

/* A BO that a worker has locked is not counted, and loses no pages. */
static void expect_resident(u64 least, u64 most, bool shrink)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	u64 now;

	for (;; ms -= 10) {
		if (shrink)
			msm_igt_assert_ok(gpu_mem_shrink());
		msm_igt_assert_ok(gpu_mem_resident(&now));
		if ((now >= least && now <= most) || ms <= 0)
			break;
		usleep(10000);
	}
	msm_igt_assert(now >= least && now <= most,
		       "%llu bytes have pages, expected %llu to %llu\n", now,
		       least, most);
}

/*
 * The same with a buffer: reclaim gets its pages all the same, though half of the
 * entries that it takes out are not there.  Takes seconds, for 32768 pages that
 * are cleared, mapped, and looked at one by one.
 */
static void half_fails(const void *arg)
{
	u64 bos = vm_test_bo_count(), refs, resident;
	struct drm_msm_vm_bind_op op;
	struct vm_train train;
	struct gpu_bo bo;
	bool retained;

	msm_igt_assert_ok(gpu_account_refs(&refs));
	vm_train_open(&train);
	msm_igt_assert_ok(gpu_mem_resident(&resident));
	msm_igt_assert_ok(gpu_bo_new(&train.vm.dev, 2 * STEP, &bo));
	op = gpu_bind_op_map(train.vm.area + GPU_VM_AREA_OFFSET, &bo, 0,
			     bo.size);
	fail_alone(&train, &op, STEP);
	expect_resident(resident + bo.size, ~0ull, false);

	msm_igt_assert_ok(gpu_mem_madvise(&bo, MSM_MADV_DONTNEED, &retained));
	msm_igt_assert(retained, "the pages went before\n");
	expect_resident(0, resident, true);
	gpu_bo_free(&bo);
	vm_train_close(&train);
	expect_gone(refs, bos);
}

static const struct msm_igt_subtest tests[] = {
	{ "map", "each map of a job fails once: the fence has the error",
	  map_fails },
	{ "null", "so does MAP_NULL", null_fails },
	{ "half", "MAP of which the second half fails, and what reclaim does",
	  half_fails },
	{ "half-null", "MAP_NULL of which the second half fails",
	  half_null_fails },
	{ "long", "a job of several parts, in the second", long_fails },
	{ "behind", "binds behind it carry the error, too", behind_fails },
	{ "job", "a GPU job that waits for it does not run", job_waits },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(setup);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_fixture(restore);
	igt_exit();
}
