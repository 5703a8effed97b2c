// SPDX-License-Identifier: MIT
/*
 * Random VM_BIND and SUBMIT: most arguments are right, so that much happens,
 * and each can be wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm_fuzz.h"

#define MAX_OPS		64
#define MAX_SYNCS	4
#define WRONG		2	/* percent of what can be wrong */
#define CMD_DWORDS	(GPU_PAGE / sizeof(u32))

struct syncs {
	struct drm_msm_syncobj in[MAX_SYNCS];
	struct drm_msm_syncobj out[MAX_SYNCS];
};

static u64 wrong_or(struct fuzz_client *c, u64 right)
{
	if (!gpu_rand_chance(&c->rand, WRONG))
		return right;
	if (gpu_rand_chance(&c->rand, 50))
		return right + (1ull << gpu_rand_below(&c->rand, 64));
	return gpu_rand_next(&c->rand);
}

/* @pages: at most so many */
static u64 size_below(struct fuzz_client *c, u32 pages)
{
	return (1 + gpu_rand_below(&c->rand, pages)) * GPU_PAGE;
}

static void random_op(struct fuzz_client *c, struct drm_msm_vm_bind_op *op)
{
	u32 i = gpu_rand_below(&c->rand, FUZZ_BOS), pages = c->now->bo_pages[i];
	u64 offset = gpu_rand_below(&c->rand, pages) * GPU_PAGE;

	*op = (struct drm_msm_vm_bind_op) {
		.op = wrong_or(c, gpu_rand_below(&c->rand, 3)),
		.iova = wrong_or(c, fuzz_iova(c)),
		.range = wrong_or(c, size_below(c, 16)),
		.flags = wrong_or(c, gpu_rand_below(&c->rand, 2)),
		.pad = wrong_or(c, 0),
	};
	if (op->op == MSM_VM_BIND_OP_MAP) {
		op->handle = wrong_or(c, c->now->bo[i]);
		op->obj_offset = wrong_or(c, offset);
		op->range = wrong_or(c, pages ? size_below(c, pages - offset / GPU_PAGE) : 0);
	} else if (gpu_rand_chance(&c->rand, 2)) {
		op->range = 1ull << (12 + gpu_rand_below(&c->rand, 30));
	}
}

static u32 random_syncs(struct fuzz_client *c, struct drm_msm_syncobj *syncs)
{
	u32 count = gpu_rand_chance(&c->rand, 70) ? 0 : gpu_rand_below(&c->rand, MAX_SYNCS), i;

	for (i = 0; i < count; i++)
		syncs[i] = (struct drm_msm_syncobj) {
			.handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS),
			.flags = wrong_or(c, gpu_rand_chance(&c->rand, 10)),
			.point = gpu_rand_chance(&c->rand, 50) ? 0 :
				 wrong_or(c, gpu_rand_below(&c->rand, 16)),
		};
	return wrong_or(c, count);
}

static u32 random_flags(struct fuzz_client *c, u32 in, u32 out)
{
	u32 flags = 0;

	if (gpu_rand_chance(&c->rand, 10))
		flags |= in;
	if (gpu_rand_chance(&c->rand, 20))
		flags |= out;
	return wrong_or(c, flags);
}

/* VM_BIND */
int fuzz_vm_bind(struct fuzz_client *c)
{
	static struct drm_msm_vm_bind_op ops[MAX_OPS];
	u32 nr = gpu_rand_chance(&c->rand, 5) ? MAX_OPS : gpu_rand_below(&c->rand, 5), i;
	struct syncs syncs;
	struct drm_msm_vm_bind req = {
		.flags = random_flags(c, MSM_VM_BIND_FENCE_FD_IN,
				      MSM_VM_BIND_FENCE_FD_OUT),
		.nr_ops = nr,
		.fence_fd = fuzz_fd(c),
		.queue_id = fuzz_handle(c, c->now->bind_queue, FUZZ_QUEUES),
		.in_syncobjs = wrong_or(c, (unsigned long)syncs.in),
		.out_syncobjs = wrong_or(c, (unsigned long)syncs.out),
		.nr_in_syncobjs = random_syncs(c, syncs.in),
		.nr_out_syncobjs = random_syncs(c, syncs.out),
		.syncobj_stride = wrong_or(c, sizeof(syncs.in[0])),
		.op_stride = wrong_or(c, gpu_rand_below(&c->rand, 2) * sizeof(ops[0])),
	};
	int ret;

	for (i = 0; i < nr; i++)
		random_op(c, &ops[i]);
	if (nr == 1)
		req.op = ops[0];
	else
		req.ops = wrong_or(c, (unsigned long)ops);
	ret = gpu_ioctl(c->now->fd, DRM_IOCTL_MSM_VM_BIND, &req);
	if (!ret && req.flags & MSM_VM_BIND_FENCE_FD_OUT)
		fuzz_keep_fd(c, req.fence_fd);
	return ret;
}

/* Commands, in a buffer that has a CPU mapping, if there is one */
static u32 write_commands(struct fuzz_client *c)
{
	u32 i = gpu_rand_below(&c->rand, FUZZ_MAPS);

	if (!c->map[i])
		return 4 * gpu_rand_below(&c->rand, CMD_DWORDS);
	return 4 * fuzz_stream(&c->rand, c->map[i], CMD_DWORDS, fuzz_iova(c), false);
}

/* SUBMIT, by address or with a table of buffers */
int fuzz_submit(struct fuzz_client *c)
{
	struct drm_msm_gem_submit_bo bos[4];
	struct drm_msm_gem_submit_cmd cmds[2];
	bool by_iova = c->now->va_start;
	u32 nr_bos = by_iova ? 0 : gpu_rand_below(&c->rand, 5), i;
	struct syncs syncs;
	struct drm_msm_gem_submit req = {
		.flags = MSM_PIPE_3D0 | random_flags(c, MSM_SUBMIT_FENCE_FD_IN,
						     MSM_SUBMIT_FENCE_FD_OUT),
		.nr_bos = wrong_or(c, nr_bos),
		.nr_cmds = wrong_or(c, 1 + gpu_rand_below(&c->rand, 2)),
		.bos = wrong_or(c, (unsigned long)bos),
		.cmds = wrong_or(c, (unsigned long)cmds),
		.fence_fd = fuzz_fd(c),
		.queueid = fuzz_handle(c, c->now->queue, FUZZ_QUEUES),
		.in_syncobjs = (unsigned long)syncs.in,
		.out_syncobjs = wrong_or(c, (unsigned long)syncs.out),
		.nr_in_syncobjs = random_syncs(c, syncs.in),
		.nr_out_syncobjs = random_syncs(c, syncs.out),
		.syncobj_stride = wrong_or(c, sizeof(syncs.in[0])),
	};
	int ret;

	/* It would run with the rights of the kernel. */
	req.flags &= ~MSM_SUBMIT_SUDO;
	if (gpu_rand_chance(&c->rand, 30))
		req.flags |= MSM_SUBMIT_SYNCOBJ_IN | MSM_SUBMIT_SYNCOBJ_OUT;
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = (struct drm_msm_gem_submit_bo) {
			.flags = wrong_or(c, 1 + gpu_rand_below(&c->rand, 15)),
			.handle = fuzz_handle(c, c->now->bo, FUZZ_BOS),
			.presumed = gpu_rand_next(&c->rand),
		};
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = (struct drm_msm_gem_submit_cmd) {
			.type = wrong_or(c, 1 + gpu_rand_below(&c->rand, 3)),
			.submit_idx = wrong_or(c, gpu_rand_below(&c->rand, nr_bos)),
			.submit_offset = wrong_or(c, 0),
			.size = wrong_or(c, write_commands(c)),
			.iova = by_iova ? wrong_or(c, fuzz_iova(c)) : wrong_or(c, 0),
		};
	ret = gpu_ioctl(c->now->fd, DRM_IOCTL_MSM_GEM_SUBMIT, &req);
	if (!ret && req.flags & MSM_SUBMIT_FENCE_FD_OUT)
		fuzz_keep_fd(c, req.fence_fd);
	return ret;
}
