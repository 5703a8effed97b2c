// SPDX-License-Identifier: MIT
/*
 * Binds, jobs and the fences between them.
 *
 * A gate holds work back until the test opens it, so each wait is seen to be a
 * wait before it is seen to end.
 */
#include <errno.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "gpu_fence.h"
#include "vm_fence.h"
#include "vm_test.h"

/* Queue one operation behind @in_fence; Return: its fence. */
static int queue_op(struct gpu_vm *vm, struct drm_msm_vm_bind_op op,
		    int in_fence)
{
	int fence = GPU_NO_FENCE;

	msm_igt_assert_ok(gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1,
				       in_fence, &fence));
	msm_igt_assert(fence >= 0 && fence != in_fence, "fence fd %d\n", fence);
	return fence;
}

static void assert_busy(int fence)
{
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "signalled although held back\n");
}

/* A job may start as soon as its bind is done, without the CPU in between. */
static void fence_out(const void *arg)
{
	struct gpu_job job;
	struct gpu_bo *a;
	struct gpu_vm vm;
	int fence, i;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	for (i = 0; i < 50; i++) {
		fence = queue_op(&vm, gpu_bind_op_map(vm.area, a, 0, a->size),
				 GPU_NO_FENCE);
		gpu_job_begin(&job, &vm, 0);
		gpu_job_read(&job, 0, vm.area + 3 * GPU_PAGE);
		msm_igt_assert_ok(gpu_job_submit(&job, fence));
		msm_igt_assert_ok(gpu_job_finish(&job));
		msm_igt_assert_ok(gpu_fence_finish(fence));
		msm_igt_assert(job.result[0] == gpu_pages_stamp('A', 3, false),
			       "GPU read %08x\n", job.result[0]);
		vm_test_unmap(&vm, vm.area, 4);
	}
	vm_test_expect(&vm, vm.area, ".4");
	vm_test_close(&vm);
}

/* A bind waits for its in-fence; what it will replace stays until then. */
static void fence_in_bind(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct gpu_bo *a, *b;
	struct gpu_vm vm;
	int map, unmap;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	b = vm_test_bo(&vm, 'B', 2);
	vm_test_map(&vm, vm.area, a);
	map = queue_op(&vm, gpu_bind_op_map(vm.area, b, 0, b->size),
		       gate.fence);
	unmap = queue_op(&vm, gpu_bind_op_unmap(vm.area + 3 * GPU_PAGE,
						GPU_PAGE), GPU_NO_FENCE);
	assert_busy(map);
	assert_busy(unmap);
	vm_test_expect(&vm, vm.area, "A0-3");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(map));
	msm_igt_assert_ok(gpu_fence_finish(unmap));
	vm_test_expect(&vm, vm.area, "B0-1 A2 .");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* A buffer is busy from the ioctl that maps it until the entries are there. */
static void fence_on_bo(const void *arg)
{
	struct drm_msm_gem_cpu_prep req = {
		.op = MSM_PREP_READ | MSM_PREP_NOSYNC,
	};
	struct gpu_gate gate = vm_test_gate();
	struct gpu_vm vm;
	struct gpu_bo *a;
	int map;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	req.handle = a->handle;
	msm_igt_assert_ok(gpu_ioctl(vm.dev.fd, DRM_IOCTL_MSM_GEM_CPU_PREP, &req));
	map = queue_op(&vm, gpu_bind_op_map(vm.area, a, 0, a->size), gate.fence);
	msm_igt_assert_ret(gpu_ioctl(vm.dev.fd, DRM_IOCTL_MSM_GEM_CPU_PREP, &req),
			   -EBUSY);

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(map));
	msm_igt_assert_ok(gpu_ioctl(vm.dev.fd, DRM_IOCTL_MSM_GEM_CPU_PREP, &req));
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* An unmap behind a job's fence: the job still reads the page. */
static void fence_in_job(const void *arg)
{
	u64 iova, flag;
	struct gpu_job job;
	struct gpu_vm vm;
	struct gpu_bo *a;
	int fence = GPU_NO_FENCE, ret;
	u32 period = 0;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	iova = vm.area + GPU_PAGE;

	gpu_devcore_clear();
	ret = gpu_dev_set_hangcheck_ms(20000, &period);
	msm_igt_require(!ret, "no hangcheck_period_ms in debugfs: %d\n", ret);
	gpu_job_begin(&job, &vm, 1);
	job.result[1] = 0;
	flag = job.result_iova + sizeof(u32);
	gpu_cmd_wait_mem_gte(&job.cmd, flag, 1);
	gpu_job_read(&job, 0, iova);
	ret = gpu_job_submit(&job, GPU_NO_FENCE);
	if (!ret) {
		fence = queue_op(&vm, gpu_bind_op_unmap(iova, GPU_PAGE),
				 job.fence);
		ret = gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS) ? 0 : -1;
	}
	job.result[1] = 1;
	gpu_dev_set_hangcheck_ms(period, NULL);
	msm_igt_assert_ok(ret);
	msm_igt_assert_ok(gpu_job_finish(&job));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	msm_igt_assert(job.result[0] == gpu_pages_stamp('A', 1, false),
		       "GPU read %08x\n", job.result[0]);
	vm_test_expect(&vm, vm.area, "A0 . A2-3");
	vm_test_close(&vm);
}

/* A job behind a bind's fence does not run before the bind. */
static void fence_in_submit(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct gpu_job job;
	struct gpu_vm vm;
	struct gpu_bo *a;
	int fence;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_expect(&vm, vm.area, ".");
	fence = queue_op(&vm, gpu_bind_op_map(vm.area, a, 0, a->size),
			 gate.fence);
	gpu_job_begin(&job, &vm, 1);
	gpu_job_read(&job, 0, vm.area);
	msm_igt_assert_ok(gpu_job_submit(&job, fence));
	assert_busy(job.fence);
	assert_busy(fence);

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_job_finish(&job));
	msm_igt_assert_ok(gpu_fence_wait(fence, 0));
	msm_igt_assert(job.result[0] == gpu_pages_stamp('A', 0, false),
		       "GPU read %08x\n", job.result[0]);
	vm_test_expect(&vm, vm.area, "A0-3");
	close(fence);
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

static int merge(int first, int second)
{
	struct sync_merge_data req = { .name = "both", .fd2 = second };

	msm_igt_assert_ok(gpu_ioctl(first, SYNC_IOC_MERGE, &req));
	return req.fence;
}

/* Of the fences of one queue a merged one keeps the latest only. */
static void fence_merge(const void *arg)
{
	struct gpu_gate gates[] = { vm_test_gate(), vm_test_gate() };
	struct gpu_vm vm;
	int fences[2], merged[2];
	u32 i;

	vm_test_open(&vm);
	for (i = 0; i < 2; i++)
		msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, NULL, 0,
					       gates[i].fence, &fences[i]));
	merged[0] = merge(fences[0], fences[1]);
	merged[1] = merge(fences[1], fences[0]);

	msm_igt_assert_ok(gpu_gate_open(&gates[0]));
	msm_igt_assert_ok(gpu_fence_finish(fences[0]));
	assert_busy(merged[0]);
	assert_busy(merged[1]);
	msm_igt_assert_ok(gpu_gate_open(&gates[1]));
	for (i = 0; i < 2; i++) {
		msm_igt_assert_ok(gpu_fence_finish(merged[i]));
		gpu_gate_free(&gates[i]);
	}
	close(fences[1]);
	vm_test_close(&vm);
}

/* No operations: a fence behind everything the queue was given before. */
static void fence_only(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct gpu_vm vm;
	struct gpu_bo *a;
	int map, fence = GPU_NO_FENCE;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, NULL, 0,
				       GPU_NO_FENCE, &fence));
	msm_igt_assert_ok(gpu_fence_finish(fence));

	map = queue_op(&vm, gpu_bind_op_map(vm.area, a, 0, a->size),
		       gate.fence);
	msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, NULL, 0,
				       GPU_NO_FENCE, &fence));
	assert_busy(fence);
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	msm_igt_assert_ok(gpu_fence_wait(map, 0));
	vm_test_expect(&vm, vm.area, "A0-3 .");
	close(map);
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* Pages of a buffer stay while its unmap is queued, though it was closed. */
static void unmap_then_close(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct gpu_vm vm;
	struct gpu_bo *a;
	int fence, i;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 8);
	vm_test_map(&vm, vm.area, a);
	fence = queue_op(&vm, gpu_bind_op_unmap(vm.area, a->size), gate.fence);
	gpu_bo_free(a);
	for (i = 0; i < 16; i++)
		vm_test_bo(&vm, 'Z', 8);
	assert_busy(fence);
	vm_test_expect(&vm, vm.area, "A0-7");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	vm_test_expect(&vm, vm.area, ".8");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* Many binds in flight, each undone or replaced by a later one */
static void pipelined(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	struct gpu_bo *a, *b;
	struct gpu_vm vm;
	u64 iova;
	int i;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 8);
	b = vm_test_bo(&vm, 'B', 8);
	for (i = 0; i < 300; i++) {
		iova = vm.area + i % 8 * GPU_PAGE;
		if (i % 3 == 2)
			op = gpu_bind_op_unmap(iova, GPU_PAGE);
		else
			op = gpu_bind_op_map(iova, i & 1 ? a : b,
					     i % 8 * GPU_PAGE, GPU_PAGE);
		msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1,
					       GPU_NO_FENCE, NULL));
	}
	/* Page n shows operation 296 + n, or 288 + n from page 4 on. */
	msm_igt_assert_ok(gpu_vm_bind(&vm, NULL, 0));
	vm_test_expect(&vm, vm.area, ". A1 B2 . B4 . B6 A7");
	vm_test_close(&vm);
}

/* The queue goes while a bind waits in it: the bind is still done. */
static void queue_close_blocked(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct gpu_vm vm;
	struct gpu_bo *a;
	int fence;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	fence = queue_op(&vm, gpu_bind_op_map(vm.area, a, 0, a->size),
			 gate.fence);
	msm_igt_assert_ok(gpu_dev_queue_close(&vm.dev, vm.bind_queue));
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	vm_test_expect(&vm, vm.area, "A0-3 .");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/*
 * The context goes while a bind waits for a fence.  Closing does not wait for
 * it; when the fence comes the bind runs, and who holds its fence sees that.
 */
static void close_blocked(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct sync_file_info info = { 0 };
	struct gpu_vm vm;
	struct gpu_bo *a;
	int fence;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	fence = queue_op(&vm, gpu_bind_op_map(vm.area, a, 0, a->size),
			 gate.fence);
	vm_test_close(&vm);
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "the fence signals before the bind may run\n");
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_wait(fence, GPU_FENCE_PATIENCE_MS));
	msm_igt_assert_ok(gpu_ioctl(fence, SYNC_IOC_FILE_INFO, &info));
	close(fence);
	gpu_gate_free(&gate);

	vm_test_open(&vm);
	vm_test_close(&vm);
}

const struct msm_igt_subtest vm_fence_tests[] = {
	{ "fence-out", "a job starts behind the fence of its bind", fence_out },
	{ "fence-in-bind", "a bind waits, and what it replaces stays",
	  fence_in_bind },
	{ "fence-on-bo", "a buffer is busy until it is mapped", fence_on_bo },
	{ "fence-merge", "merged fences of a queue wait for the last",
	  fence_merge },
	{ "fence-in-job", "an unmap waits for the job that uses the page",
	  fence_in_job },
	{ "fence-in-submit", "a job waits for its bind", fence_in_submit },
	{ "fence-only", "no operations, only a fence", fence_only },
	{ "unmap-then-close", "pages stay under a queued unmap",
	  unmap_then_close },
	{ "queue-close-blocked", "its binds are still done",
	  queue_close_blocked },
	{ "close-blocked", "closing waits for nothing; a bind runs when it may",
	  close_blocked },
	{ "pipelined", "many binds in flight apply in order", pipelined },
};

const size_t vm_fence_count = ARRAY_SIZE(vm_fence_tests);
