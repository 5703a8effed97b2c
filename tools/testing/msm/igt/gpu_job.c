// SPDX-License-Identifier: MIT
/*
 * Jobs: command streams submitted by iova in a VM_BIND context.
 *
 * A job lives in a slot of the VM's scratch buffer, commands first, results
 * behind.  Results start as GPU_JOB_POISON, so that a value which the GPU never
 * wrote is not mistaken for one it read.
 *
 * The *_now functions use slot 0 and wait; they are how the GPU bears witness
 * to what an address means.
 */
#include <errno.h>
#include <string.h>

#include "gpu_fence.h"
#include "gpu_job.h"

#define GPU_JOB_POISON	0xdeadbe0fu
#define FAULT_VALUE	0xbadf00d
#define FAULT_WAIT_MS	500
#define FAULT_TRIES	5

void gpu_job_begin(struct gpu_job *job, struct gpu_vm *vm, unsigned int slot)
{
	u64 offset = (u64)slot * GPU_JOB_SLOT_BYTES;
	u32 *base = vm->scratch.map + offset / sizeof(u32);
	unsigned int i;

	*job = (struct gpu_job){
		.vm = vm,
		.cmd.base = base,
		.cmd.max = GPU_JOB_CMD_BYTES / sizeof(u32),
		.cmd_iova = vm->va_start + offset,
		.result = base + GPU_JOB_CMD_BYTES / sizeof(u32),
		.result_iova = vm->va_start + offset + GPU_JOB_CMD_BYTES,
		.fence = GPU_NO_FENCE,
	};
	for (i = 0; i < GPU_JOB_RESULTS; i++)
		job->result[i] = GPU_JOB_POISON;
}

/* result[index] = the dword at iova */
void gpu_job_read(struct gpu_job *job, unsigned int index, u64 iova)
{
	gpu_cmd_mem_to_mem(&job->cmd, job->result_iova + index * sizeof(u32),
			   iova);
}

/* A submit of @job with an out fence; @cmd must live as long as @req. */
void gpu_job_request(const struct gpu_job *job, struct drm_msm_gem_submit *req,
		     struct drm_msm_gem_submit_cmd *cmd)
{
	*cmd = (struct drm_msm_gem_submit_cmd){
		.type = MSM_SUBMIT_CMD_BUF,
		.size = job->cmd.count * sizeof(u32),
		.iova = job->cmd_iova,
	};
	*req = (struct drm_msm_gem_submit){
		.flags = MSM_PIPE_3D0 | MSM_SUBMIT_FENCE_FD_OUT,
		.nr_cmds = 1,
		.cmds = (unsigned long)cmd,
		.fence_fd = GPU_NO_FENCE,
	};
}

/* Submit @req, made by gpu_job_request(); the out fence becomes the job's. */
int gpu_job_ioctl(struct gpu_job *job, struct drm_msm_gem_submit *req)
{
	int ret;

	if (job->cmd.overflow)
		return -ENOSPC;
	__sync_synchronize();
	ret = gpu_ioctl(job->vm->dev.fd, DRM_IOCTL_MSM_GEM_SUBMIT, req);
	if (!ret)
		job->fence = req->fence_fd;
	return ret;
}

/* Submit after @in_fence, or GPU_NO_FENCE; the fence stays the caller's. */
int gpu_job_submit(struct gpu_job *job, int in_fence)
{
	struct drm_msm_gem_submit_cmd cmd;
	struct drm_msm_gem_submit req;

	gpu_job_request(job, &req, &cmd);
	if (in_fence != GPU_NO_FENCE) {
		req.flags |= MSM_SUBMIT_FENCE_FD_IN;
		req.fence_fd = in_fence;
	}
	return gpu_job_ioctl(job, &req);
}

int gpu_job_finish(struct gpu_job *job)
{
	int ret = gpu_fence_finish(job->fence);

	job->fence = GPU_NO_FENCE;
	return ret;
}

static int gpu_job_run(struct gpu_job *job)
{
	int ret = gpu_job_submit(job, GPU_NO_FENCE);

	return ret ?: gpu_job_finish(job);
}

/* Let the GPU read the dword at @iova, which must be mapped. */
int gpu_job_read_now(struct gpu_vm *vm, u64 iova, u32 *value)
{
	struct gpu_job job;
	int ret;

	gpu_job_begin(&job, vm, 0);
	gpu_job_read(&job, 0, iova);
	ret = gpu_job_run(&job);
	*value = job.result[0];
	return ret;
}

/* Let the GPU write the dword at @iova, which must be mapped. */
int gpu_job_write_now(struct gpu_vm *vm, u64 iova, u32 value)
{
	struct gpu_job job;

	gpu_job_begin(&job, vm, 0);
	gpu_cmd_mem_write(&job.cmd, iova, value);
	gpu_cmd_drain(&job.cmd);
	return gpu_job_run(&job);
}

/*
 * Touch @iova and see that nothing came of it.  A read without a mapping gives
 * nothing or zero; what a write leaves is read back.
 */
static int gpu_job_touch(struct gpu_vm *vm, u64 iova, bool write)
{
	struct gpu_job job;
	u32 seen;
	int ret;

	gpu_devcore_clear();
	gpu_job_begin(&job, vm, 0);
	if (write)
		gpu_cmd_mem_write(&job.cmd, iova, FAULT_VALUE);
	gpu_cmd_drain(&job.cmd);
	gpu_job_read(&job, 0, iova);
	gpu_cmd_drain(&job.cmd);
	ret = gpu_job_run(&job);
	if (ret)
		return ret;
	seen = job.result[0];
	return seen == GPU_JOB_POISON || !seen ? 0 : -EEXIST;
}

static bool is_read(const struct gpu_fault *fault)
{
	return !strcmp(fault->dir, "READ");
}

/**
 * gpu_job_fault_now - let the GPU touch an address that must not be mapped
 * @iova: where memory, if it is mapped after all, holds something else than 0
 * @write: with a write instead of a read
 * @fault: the fault that came of it
 *
 * The driver reports no fault while it still frees the dump of the one before,
 * which user space cannot see.  So an access that was stopped, but of which no
 * report came, is made again a few times; also when a report came only of the
 * read that follows a write.
 *
 * Return: 0 when there was a fault; -EEXIST when the access was not stopped;
 * -ENOENT when nothing was reported; else a negative errno, see
 * gpu_devcore_take_fault().
 */
int gpu_job_fault_now(struct gpu_vm *vm, u64 iova, bool write,
		      struct gpu_fault *fault)
{
	int tries = FAULT_TRIES, ret;

	do {
		ret = gpu_job_touch(vm, iova, write);
		ret = ret ?: gpu_devcore_take_fault(fault, FAULT_WAIT_MS);
	} while ((ret == -ENOENT || (!ret && write && is_read(fault))) &&
		 --tries);
	return ret;
}
