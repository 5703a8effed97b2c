// SPDX-License-Identifier: MIT
/*
 * Who does not wait for whom: a VM's jobs and binds on one side, and whoever
 * else reads and writes its buffers on the other, where no fence was named.
 *
 * A gate holds one side back while the other has to finish.  That there is
 * something to wait for is seen by who does wait: a context that did not opt in,
 * and CPU_PREP.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "gpu_legacy.h"
#include "vm_fence.h"
#include "vm_test.h"

#define MARK	0x600d0006
/* Where it goes in the buffer: neither the first nor the last dword of a page */
#define MARK_DWORD	2

/**
 * struct legacy - a context that did not opt in, with a job for a VM's buffer
 * @dev: the context
 * @cmds: the job's commands
 * @bo: the buffer, as this context has it
 * @cmd: writes @MARK, and is submitted as one that reads and writes
 */
struct legacy {
	struct gpu_dev dev;
	struct gpu_bo cmds;
	struct gpu_bo bo;
	struct gpu_cmd cmd;
};

static void legacy_open(struct legacy *legacy, const struct gpu_bo *bo)
{
	u64 iova;

	msm_igt_assert_ok(gpu_dev_open(&legacy->dev));
	msm_igt_assert_ok(gpu_bo_new(&legacy->dev, GPU_PAGE, &legacy->cmds));
	msm_igt_assert_ok(gpu_bo_share(bo, &legacy->dev, &legacy->bo));
	msm_igt_assert_ok(gpu_legacy_iova(&legacy->bo, &iova));
	gpu_legacy_cmd(&legacy->cmd, &legacy->cmds);
	gpu_cmd_mem_write(&legacy->cmd, iova + MARK_DWORD * sizeof(u32), MARK);
	gpu_cmd_drain(&legacy->cmd);
}

static void legacy_close(struct legacy *legacy)
{
	gpu_bo_free(&legacy->bo);
	gpu_bo_free(&legacy->cmds);
	gpu_dev_close(&legacy->dev);
}

/* Return: the job's fence. */
static int legacy_submit(struct legacy *legacy)
{
	struct gpu_bo *const bos[] = { &legacy->cmds, &legacy->bo };
	int fence = -1;

	msm_igt_assert_ok(gpu_legacy_submit(&legacy->dev, &legacy->cmd, bos,
					    ARRAY_SIZE(bos), &fence));
	return fence;
}

static void legacy_finish(struct legacy *legacy, int fence)
{
	u32 seen;

	msm_igt_assert_ok(gpu_fence_finish(fence));
	seen = legacy->bo.map[MARK_DWORD];
	msm_igt_assert(seen == MARK, "the job left %08x\n", seen);
}

/* Return: -EBUSY where the CPU would have to wait before it does @op. */
static int cpu_prep(const struct gpu_bo *bo, u32 op)
{
	struct drm_msm_gem_cpu_prep req = {
		.handle = bo->handle, .op = op | MSM_PREP_NOSYNC,
	};

	return gpu_ioctl(bo->dev->fd, DRM_IOCTL_MSM_GEM_CPU_PREP, &req);
}

static void assert_idle(const struct gpu_bo *bo)
{
	msm_igt_assert_ok(cpu_prep(bo, MSM_PREP_READ));
	msm_igt_assert_ok(cpu_prep(bo, MSM_PREP_WRITE));
}

/* Does poll() say at once that the dma-buf may be read, or written? */
static bool may(int dmabuf, short event)
{
	struct pollfd pfd = { .fd = dmabuf, .events = event };

	return poll(&pfd, 1, 0) == 1 && pfd.revents == event;
}

/* A job of the VM is on its way, and nobody waits for it. */
static void implicit_out(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct gpu_bo *a, *private;
	struct legacy legacy;
	struct gpu_job job;
	struct gpu_vm vm;
	int dmabuf;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 2);
	vm_test_map(&vm, vm.area, a);
	vm.dev.bo_flags = MSM_BO_NO_SHARE;
	private = vm_test_bo(&vm, 'P', 2);
	vm_test_map(&vm, vm.area + 2 * GPU_PAGE, private);
	msm_igt_assert_ok(gpu_bo_export(a, &dmabuf));
	legacy_open(&legacy, a);
	gpu_job_begin(&job, &vm, 1);
	gpu_job_read(&job, 0, vm.area);
	msm_igt_assert_ok(gpu_job_submit(&job, gate.fence));

	assert_idle(a);
	assert_idle(private);
	msm_igt_assert(may(dmabuf, POLLIN), "poll() for reading waits\n");
	msm_igt_assert(may(dmabuf, POLLOUT), "poll() for writing waits\n");
	legacy_finish(&legacy, legacy_submit(&legacy));
	msm_igt_assert(gpu_fence_busy_after(job.fence, 0),
		       "the job did not wait: nothing was tested\n");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_job_finish(&job));
	vm_test_expect(&vm, vm.area, "A0-1 P0-1");
	legacy_close(&legacy);
	close(dmabuf);
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* A writer elsewhere is not done, and neither a bind nor a job waits for it. */
static void implicit_in(const void *arg)
{
	struct dma_buf_import_sync_file writer = { .flags = DMA_BUF_SYNC_WRITE };
	struct gpu_gate gate = vm_test_gate();
	struct legacy legacy;
	struct gpu_vm vm;
	struct gpu_bo *a;
	int dmabuf, fence;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	msm_igt_assert_ok(gpu_bo_export(a, &dmabuf));
	legacy_open(&legacy, a);
	writer.fd = gate.fence;
	msm_igt_assert_ok(gpu_ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
				    &writer));
	fence = legacy_submit(&legacy);

	vm_test_map(&vm, vm.area, a);
	vm_test_expect(&vm, vm.area, "A0-3");
	vm_test_unmap(&vm, vm.area + GPU_PAGE, 1);
	vm_test_expect(&vm, vm.area, "A0 . A2-3");
	msm_igt_assert_ret(cpu_prep(a, MSM_PREP_READ), -EBUSY);
	msm_igt_assert(!may(dmabuf, POLLIN), "poll() does not wait\n");
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "a job that has to wait does not\n");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	legacy_finish(&legacy, fence);
	assert_idle(a);
	legacy_close(&legacy);
	close(dmabuf);
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

const struct msm_igt_subtest vm_implicit_tests[] = {
	{ "implicit-out", "nobody else waits for a job of the VM",
	  implicit_out },
	{ "implicit-in", "a bind and a job wait for nobody else",
	  implicit_in },
};

const size_t vm_implicit_count = ARRAY_SIZE(vm_implicit_tests);
