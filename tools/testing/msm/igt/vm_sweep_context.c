// SPDX-License-Identifier: MIT
/*
 * Sequences of msm_vm_sweep that open and close contexts and bind queues.
 */
#include <errno.h>
#include <fcntl.h>

#include "msm_igt.h"
#include "vm_sweep.h"

static int act_queue(struct sweep_state *s)
{
	return gpu_dev_queue_new(&s->vm.dev, MSM_SUBMITQUEUE_VM_BIND, 0,
				 &s->queue);
}

static int undo_queue(struct sweep_state *s)
{
	return gpu_dev_queue_close(&s->vm.dev, s->queue);
}

/* A context from nothing to its first bind queue */
static int act_create(struct sweep_state *s)
{
	struct gpu_dev *dev = &s->extra.dev;
	int ret;

	s->step = "open";
	dev->fd = open(s->node, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return -errno;
	s->step = "opt in";
	ret = gpu_dev_opt_in(dev);
	if (!ret)
		s->step = "queue";
	ret = ret ?: gpu_dev_queue_new(dev, MSM_SUBMITQUEUE_VM_BIND, 0,
				       &s->extra.bind_queue);
	if (ret)
		gpu_dev_close(dev);
	return ret;
}

static int undo_create(struct sweep_state *s)
{
	gpu_dev_close(&s->extra.dev);
	return 0;
}

/* A context with a buffer mapped, and a bind that is just queued */
static int prepare_close(struct sweep_state *s)
{
	struct gpu_vm *vm = &s->extra;
	struct drm_msm_vm_bind_op op;
	int ret = gpu_vm_open(vm);

	op = gpu_bind_op_map(vm->area, &vm->scratch, 0, GPU_PAGE);
	gpu_bo_unmap_cpu(&vm->scratch);
	return ret ?: gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1,
				   GPU_NO_FENCE, NULL);
}

/* Closing has no way to fail; it must not need memory that it lacks. */
static int act_close(struct sweep_state *s)
{
	int ret = gpu_bo_close_handle(&s->extra.scratch);

	ret = gpu_dev_queue_close(&s->extra.dev, s->extra.bind_queue) ?: ret;
	gpu_dev_close(&s->extra.dev);
	msm_igt_assert(!ret, "closing says %d\n", ret);
	return 0;
}

const struct sweep vm_sweep_create = {
	.act = act_create, .undo = undo_create,
	.before = "A0-7", .after = "A0-7",
};

const struct sweep vm_sweep_queue = {
	.act = act_queue, .undo = undo_queue,
	.before = "A0-7", .after = "A0-7",
};

const struct sweep vm_sweep_close = {
	.prepare = prepare_close, .act = act_close, .void_ = true,
	.before = "A0-7", .after = "A0-7",
};
