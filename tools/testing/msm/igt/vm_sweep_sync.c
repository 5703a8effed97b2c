// SPDX-License-Identifier: MIT
/*
 * Sequences of msm_vm_sweep with syncobjs: whatever fails, no in-syncobj has
 * lost its fence, and no out-syncobj has got one.
 *
 * Each round has syncobjs of its own, as one that had a fence once is no proof.
 * What is waited for has signalled: a fence of somebody else, which is to be
 * reset, and a point of a timeline.  They are two, because the job keeps the
 * first one without memory of its own.
 */
#include "vm_sweep.h"
#include "vm_sync.h"

/* The points, of different timelines */
#define IN_POINT	1
#define OUT_POINT	2

static int prepare(struct sweep_state *s)
{
	u32 timeline = vm_sync_new(&s->vm);
	u32 binary = vm_sync_new(&s->vm);
	struct gpu_gate gate = vm_sync_gate(&s->vm, binary, 0);

	vm_sync_open(&gate);
	s->syncs = (struct gpu_syncs){
		.nr_in = 2, .nr_out = 2,
		.in = { VM_SYNC_RESET(binary), VM_SYNC_AT(timeline, IN_POINT) },
		.out = { VM_SYNC_AT(vm_sync_new(&s->vm), 0),
			 VM_SYNC_AT(vm_sync_new(&s->vm), OUT_POINT) },
	};
	return gpu_syncobj_signal(&s->vm.dev, timeline, IN_POINT);
}

static void failed(struct sweep_state *s)
{
	const struct gpu_syncs *syncs = &s->syncs;
	u32 i;

	for (i = 0; i < syncs->nr_in; i++)
		vm_sync_done(&s->vm, syncs->in[i].handle, syncs->in[i].point);
	for (i = 0; i < syncs->nr_out; i++)
		vm_sync_none(&s->vm, syncs->out[i].handle, syncs->out[i].point);
}

static int finish(struct sweep_state *s)
{
	const struct gpu_syncs *syncs = &s->syncs;
	u32 i;

	for (i = 0; i < syncs->nr_out; i++)
		vm_sync_done(&s->vm, syncs->out[i].handle, syncs->out[i].point);
	vm_sync_none(&s->vm, syncs->in[0].handle, 0);
	return 0;
}

static int undo(struct sweep_state *s)
{
	const struct gpu_syncs *syncs = &s->syncs;
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < syncs->nr_in; i++)
		ret = gpu_syncobj_destroy(&s->vm.dev, syncs->in[i].handle);
	for (i = 0; !ret && i < syncs->nr_out; i++)
		ret = gpu_syncobj_destroy(&s->vm.dev, syncs->out[i].handle);
	return ret;
}

static int act_bind(struct sweep_state *s)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_map(s->vm.area + 8 * GPU_PAGE, s->b, 0,
				s->b->size);

	return vm_sync_bind(&s->vm, &op, 1, &s->syncs);
}

static int undo_bind(struct sweep_state *s)
{
	int ret = gpu_vm_unmap(&s->vm, s->vm.area + 8 * GPU_PAGE, s->b->size);

	return ret ?: undo(s);
}

static int prepare_submit(struct sweep_state *s)
{
	return prepare(s) ?: vm_sweep_prepare_submit(s);
}

static int act_submit(struct sweep_state *s)
{
	return vm_sync_submit(&s->job, &s->syncs);
}

static int finish_submit(struct sweep_state *s)
{
	return vm_sweep_finish_submit(s) ?: finish(s);
}

const struct sweep vm_sweep_sync_bind = {
	.prepare = prepare, .act = act_bind, .failed = failed,
	.finish = finish, .undo = undo_bind,
	.before = "A0-7 .", .after = "A0-7 B0-3",
};

const struct sweep vm_sweep_sync_submit = {
	.prepare = prepare_submit, .act = act_submit, .failed = failed,
	.finish = finish_submit, .undo = undo,
	.before = "A0-7", .after = "A0-7",
};
