// SPDX-License-Identifier: MIT
/*
 * A train of GPU jobs in one VM: a first one that stands still until it is let
 * go and then may hang the GPU, and others behind it that each write a dword.
 *
 * There are more of them than the driver writes to the ring at once, so some
 * wait on the ring and some in the scheduler.  Whether a job ran is seen in
 * memory, which outlives the VM's death.
 */
#include <errno.h>

#include "gpu_fence.h"
#include "vm_train.h"

/* A header of no packet type: the CP stops and reports a hang */
#define ILLEGAL_HEADER	0xdeaddead

#define CMD_DWORDS	(GPU_PAGE / sizeof(u32))

static u64 out_iova(struct vm_train *train, u32 dword)
{
	return train->vm.area + VM_TRAIN_JOBS * GPU_PAGE + dword * sizeof(u32);
}

static void begin(struct vm_train *train, u32 i)
{
	train->jobs[i] = (struct gpu_job){
		.vm = &train->vm,
		.cmd.base = train->cmds->map + i * CMD_DWORDS,
		.cmd.max = CMD_DWORDS,
		.cmd_iova = train->vm.area + i * GPU_PAGE,
		.fence = GPU_NO_FENCE,
	};
}

void vm_train_open(struct vm_train *train)
{
	u32 i;

	vm_test_open(&train->vm);
	train->cmds = vm_test_bo(&train->vm, 'C', VM_TRAIN_JOBS);
	train->out = vm_test_bo(&train->vm, 'O', 1);
	vm_test_map(&train->vm, train->vm.area, train->cmds);
	vm_test_map(&train->vm, out_iova(train, 0), train->out);
	train->out->map[VM_TRAIN_FLAG] = 0;
	for (i = 0; i < VM_TRAIN_JOBS; i++) {
		begin(train, i);
		train->out->map[VM_TRAIN_OUT + i] = 0;
	}
}

void vm_train_close(struct vm_train *train)
{
	u32 i;

	for (i = 0; i < VM_TRAIN_JOBS; i++)
		if (train->jobs[i].fence != GPU_NO_FENCE)
			msm_igt_assert(false, "job %u was never waited for\n",
				       i);
	vm_test_close(&train->vm);
}

/* Job 0 stands still until vm_train_go(). */
void vm_train_wait(struct vm_train *train)
{
	gpu_cmd_wait_mem_gte(&train->jobs[0].cmd, out_iova(train, VM_TRAIN_FLAG),
			     1);
}

void vm_train_go(struct vm_train *train)
{
	train->out->map[VM_TRAIN_FLAG] = 1;
	__sync_synchronize();
}

/* Job @i hangs the GPU with what it does next. */
void vm_train_hang(struct vm_train *train, u32 i)
{
	gpu_cmd_dword(&train->jobs[i].cmd, ILLEGAL_HEADER);
}

/* Job @i leaves a mark. */
void vm_train_mark(struct vm_train *train, u32 i)
{
	gpu_cmd_mem_write(&train->jobs[i].cmd, out_iova(train, VM_TRAIN_OUT + i),
			  VM_TRAIN_MARK + i);
	gpu_cmd_drain(&train->jobs[i].cmd);
}

bool vm_train_marked(struct vm_train *train, u32 i)
{
	return train->out->map[VM_TRAIN_OUT + i] == VM_TRAIN_MARK + i;
}

/* Return: the negative errno of SUBMIT. */
int vm_train_try(struct vm_train *train, u32 i, int in_fence)
{
	return gpu_job_submit(&train->jobs[i], in_fence);
}

void vm_train_submit(struct vm_train *train, u32 i)
{
	msm_igt_assert_ok(vm_train_try(train, i, GPU_NO_FENCE));
}

/* Return: what the fence of job @i carries, see gpu_fence_wait(). */
int vm_train_finish(struct vm_train *train, u32 i)
{
	return gpu_job_finish(&train->jobs[i]);
}

/* Hang the GPU with job 0 and wait until that is dealt with. */
void vm_train_hang_now(struct vm_train *train)
{
	vm_train_hang(train, 0);
	vm_train_submit(train, 0);
	msm_igt_assert_ret(vm_train_finish(train, 0), -EIO);
}

static int try_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		    u32 count)
{
	int fence;

	return gpu_bind_ops(&vm->dev, vm->bind_queue, ops, count, GPU_NO_FENCE,
			    &fence);
}

/* Nothing that changes the VM or runs in it is accepted, or leaves something. */
void vm_train_assert_dead(struct vm_train *train)
{
	struct drm_msm_vm_bind_op ops[2] = {
		gpu_bind_op_map(train->vm.area + 64 * GPU_PAGE, train->out, 0,
				GPU_PAGE),
		gpu_bind_op_unmap(train->vm.area, GPU_PAGE),
	};
	struct vm_footprint before;
	struct gpu_job job;

	vm_footprint_get(&before);
	msm_igt_assert_ret(try_bind(&train->vm, &ops[0], 1), -EPIPE);
	msm_igt_assert_ret(try_bind(&train->vm, &ops[1], 1), -EPIPE);
	msm_igt_assert_ret(try_bind(&train->vm, ops, 2), -EPIPE);
	msm_igt_assert_ret(try_bind(&train->vm, NULL, 0), -EPIPE);
	gpu_job_begin(&job, &train->vm, 0);
	gpu_cmd_nop(&job.cmd, 0);
	msm_igt_assert_ret(gpu_job_submit(&job, GPU_NO_FENCE), -EPIPE);
	vm_footprint_expect(&before);
}

/* A job runs and leaves its mark, a bind is applied. */
void vm_train_assert_alive(struct vm_train *train, u32 i)
{
	vm_train_mark(train, i);
	vm_train_submit(train, i);
	msm_igt_assert_ok(vm_train_finish(train, i));
	msm_igt_assert(vm_train_marked(train, i), "job %u left no mark\n", i);
	msm_igt_assert_ok(gpu_vm_bind(&train->vm, NULL, 0));
	vm_test_map(&train->vm, train->vm.area + 64 * GPU_PAGE, train->out);
}
