// SPDX-License-Identifier: MIT
/*
 * A bind that a client can ask for in a moment and that takes minutes to carry
 * out: the same addresses are mapped over and over.
 */
#include <stdlib.h>

#include "gpu_fence.h"
#include "msm_igt.h"
#include "vm_long.h"

#define GIB	(1024ull * 1024 * 1024)
#define COUNT	2000

/* Return: its out fence, not signalled for long; needs PRR. */
int vm_long_bind(struct gpu_vm *vm)
{
	struct drm_msm_vm_bind_op *ops = calloc(COUNT, sizeof(*ops));
	int ret, fence = -1;
	u32 i;

	msm_igt_assert(ops, "no memory\n");
	/* Not at the same address twice: entries that are right stay. */
	for (i = 0; i < COUNT; i++)
		ops[i] = gpu_bind_op_null(vm->area + 64 * GIB + i % 2 * GPU_PAGE,
					  8 * GIB);
	ret = gpu_bind_ops(&vm->dev, vm->bind_queue, ops, COUNT, GPU_NO_FENCE,
			   &fence);
	free(ops);
	msm_igt_assert_ok(ret);
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "so much is done already\n");
	return fence;
}
