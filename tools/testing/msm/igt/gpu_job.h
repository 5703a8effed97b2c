/* SPDX-License-Identifier: MIT */
#ifndef __GPU_JOB_H__
#define __GPU_JOB_H__

#include "gpu_cmd.h"
#include "gpu_devcore.h"
#include "gpu_vm.h"

/* Jobs that can be under way at once */
#define GPU_JOB_SLOTS		4
/* Per slot: commands, then results */
#define GPU_JOB_CMD_BYTES	12288
#define GPU_JOB_RESULT_BYTES	4096
#define GPU_JOB_SLOT_BYTES	(GPU_JOB_CMD_BYTES + GPU_JOB_RESULT_BYTES)
#define GPU_JOB_SCRATCH_BYTES	(GPU_JOB_SLOTS * GPU_JOB_SLOT_BYTES)
#define GPU_JOB_RESULTS		(GPU_JOB_RESULT_BYTES / sizeof(u32))

/**
 * struct gpu_job - one command stream of a VM_BIND context and its results
 * @vm: where it runs
 * @cmd: add packets here
 * @cmd_iova: where the GPU finds them
 * @result: results as the CPU sees them, GPU_JOB_RESULTS dwords
 * @result_iova: and as the GPU does
 * @fence: sync_file while under way
 */
struct gpu_job {
	struct gpu_vm *vm;
	struct gpu_cmd cmd;
	u64 cmd_iova;
	u32 *result;
	u64 result_iova;
	int fence;
};

void gpu_job_begin(struct gpu_job *job, struct gpu_vm *vm, unsigned int slot);
void gpu_job_read(struct gpu_job *job, unsigned int index, u64 iova);
void gpu_job_request(const struct gpu_job *job, struct drm_msm_gem_submit *req,
		     struct drm_msm_gem_submit_cmd *cmd);
int gpu_job_ioctl(struct gpu_job *job, struct drm_msm_gem_submit *req);
int gpu_job_submit(struct gpu_job *job, int in_fence);
int gpu_job_finish(struct gpu_job *job);

int gpu_job_read_now(struct gpu_vm *vm, u64 iova, u32 *value);
int gpu_job_write_now(struct gpu_vm *vm, u64 iova, u32 value);
int gpu_job_fault_now(struct gpu_vm *vm, u64 iova, bool write,
		      struct gpu_fault *fault);

#endif /* __GPU_JOB_H__ */
