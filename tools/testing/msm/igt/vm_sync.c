// SPDX-License-Identifier: MIT
/*
 * Steps with syncobjs that must succeed, and what a syncobj must say: there is
 * no fence, one that waits, or one that has signalled.
 */
#include <errno.h>

#include "vm_sync.h"

u32 vm_sync_new(struct gpu_vm *vm)
{
	u32 handle = 0;

	msm_igt_assert_ok(gpu_syncobj_new(&vm->dev, &handle));
	return handle;
}

/* A closed gate, the fence of which is also in a syncobj */
struct gpu_gate vm_sync_gate(struct gpu_vm *vm, u32 handle, u64 point)
{
	struct gpu_gate gate = vm_test_gate();

	msm_igt_assert_ok(gpu_syncobj_put_fence(&vm->dev, handle, point,
						gate.fence));
	return gate;
}

void vm_sync_open(struct gpu_gate *gate)
{
	msm_igt_assert_ok(gpu_gate_open(gate));
	gpu_gate_free(gate);
}

int vm_sync_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
		 u32 count, const struct gpu_syncs *syncs)
{
	struct drm_msm_vm_bind req;

	gpu_bind_request(&req, vm->bind_queue, ops, count);
	gpu_syncs_bind(syncs, &req);
	return gpu_bind_ioctl(&vm->dev, &req);
}

int vm_sync_submit(struct gpu_job *job, const struct gpu_syncs *syncs)
{
	struct drm_msm_gem_submit_cmd cmd;
	struct drm_msm_gem_submit req;

	gpu_job_request(job, &req, &cmd);
	gpu_syncs_submit(syncs, &req);
	return gpu_job_ioctl(job, &req);
}

void vm_sync_busy(struct gpu_vm *vm, u32 handle, u64 point)
{
	msm_igt_assert(gpu_syncobj_busy_after(&vm->dev, handle, point,
					      GPU_FENCE_STILL_MS),
		       "syncobj %u point %llu has no fence or a signalled one\n",
		       handle, point);
}

void vm_sync_done(struct gpu_vm *vm, u32 handle, u64 point)
{
	msm_igt_assert_ok(gpu_syncobj_wait(&vm->dev, handle, point,
					   GPU_FENCE_PATIENCE_MS));
}

void vm_sync_none(struct gpu_vm *vm, u32 handle, u64 point)
{
	msm_igt_assert_ret(gpu_syncobj_wait(&vm->dev, handle, point, 0),
			   -EINVAL);
}

void vm_sync_reached(struct gpu_vm *vm, u32 handle, u64 want)
{
	u64 point = ~0ull;

	msm_igt_assert_ok(gpu_syncobj_query(&vm->dev, handle, &point));
	msm_igt_assert(point == want, "timeline at %llu, not %llu\n", point,
		       want);
}
