// SPDX-License-Identifier: MIT
/*
 * Requests that must fail, for their syncobjs or after them, and leave every
 * syncobj as it was.
 *
 * Each case takes lists that work and spoils one entry, behind a good one that
 * the kernel has taken by then.  It is tried as a bind, as a job by iova and as
 * a job of a legacy context.  Then the unspoiled lists must still work, so a
 * case cannot pass for another reason than the spoiled thing.
 */
#include <errno.h>

#include "vm_sync.h"

/* Which ioctl */
enum kind {
	BIND,
	SUBMIT,
	LEGACY,
	KINDS
};

/**
 * struct trial - syncobjs in a known state, and a request that uses them
 * @canary: the VM; with something in it to be changed if @kind is BIND
 * @legacy: a context that has not opted in
 * @dev: the one whose ioctl is tried, and whose syncobjs these are
 * @kind: which ioctl
 * @once: binary, signalled, and to be reset by the request
 * @empty: binary, without a fence
 * @line: timeline that has reached point 3, and has no other
 * @syncs: what is listed: @once, @line at 2; out @empty, @line at 5
 * @bind: the request; a job takes its syncobjs from it
 * @op: its operation, a map into the canary's hole
 */
struct trial {
	struct vm_canary canary;
	struct gpu_dev legacy;
	struct gpu_dev *dev;
	enum kind kind;
	u32 once;
	u32 empty;
	u32 line;
	struct gpu_syncs syncs;
	struct drm_msm_vm_bind bind;
	struct drm_msm_vm_bind_op op;
};

static void fresh_request(struct trial *t)
{
	struct vm_canary *c = &t->canary;

	t->bind = (struct drm_msm_vm_bind){ 0 };
	t->syncs = (struct gpu_syncs){ .nr_in = 2, .nr_out = 2 };
	t->syncs.in[0] = VM_SYNC_RESET(t->once);
	t->syncs.in[1] = VM_SYNC_AT(t->line, 2);
	t->syncs.out[0] = VM_SYNC_AT(t->empty, 0);
	t->syncs.out[1] = VM_SYNC_AT(t->line, 5);
	if (t->kind == BIND) {
		t->op = gpu_bind_op_map(c->hole, c->b, 0, GPU_PAGE);
		gpu_bind_request(&t->bind, c->vm.bind_queue, &t->op, 1);
	}
	gpu_syncs_bind(&t->syncs, &t->bind);
}

static void open_trial(struct trial *t, enum kind kind)
{
	*t = (struct trial){ .kind = kind };
	msm_igt_assert_ok(gpu_dev_open(&t->legacy));
	if (kind == BIND)
		vm_canary_open(&t->canary);
	else
		vm_test_open(&t->canary.vm);
	t->dev = kind == LEGACY ? &t->legacy : &t->canary.vm.dev;
	msm_igt_assert_ok(gpu_syncobj_new(t->dev, &t->once));
	msm_igt_assert_ok(gpu_syncobj_new(t->dev, &t->empty));
	msm_igt_assert_ok(gpu_syncobj_new(t->dev, &t->line));
	msm_igt_assert_ok(gpu_syncobj_signal(t->dev, t->once, 0));
	msm_igt_assert_ok(gpu_syncobj_signal(t->dev, t->line, 3));
	fresh_request(t);
}

static void close_trial(struct trial *t)
{
	vm_test_close(&t->canary.vm);
	gpu_dev_close(&t->legacy);
}

/* A job without commands, in a context of either sort */
static void job_request(struct trial *t, struct drm_msm_gem_submit *req)
{
	*req = (struct drm_msm_gem_submit){ .flags = MSM_PIPE_3D0 };
	if (t->bind.flags & MSM_VM_BIND_FENCE_FD_OUT)
		req->flags |= MSM_SUBMIT_FENCE_FD_OUT;
	gpu_syncs_submit(&t->syncs, req);
	req->in_syncobjs = t->bind.in_syncobjs;
	req->nr_in_syncobjs = t->bind.nr_in_syncobjs;
	req->out_syncobjs = t->bind.out_syncobjs;
	req->nr_out_syncobjs = t->bind.nr_out_syncobjs;
	req->syncobj_stride = t->bind.syncobj_stride;
}

static int try_request(struct trial *t)
{
	struct drm_msm_gem_submit req;

	if (t->kind == BIND)
		return gpu_bind_ioctl(t->dev, &t->bind);

	job_request(t, &req);
	return gpu_ioctl(t->dev->fd, DRM_IOCTL_MSM_GEM_SUBMIT, &req);
}

static void assert_untouched(struct trial *t)
{
	u64 point = 0;

	msm_igt_assert_ok(gpu_syncobj_wait(t->dev, t->once, 0, 0));
	msm_igt_assert_ret(gpu_syncobj_wait(t->dev, t->empty, 0, 0), -EINVAL);
	msm_igt_assert_ret(gpu_syncobj_wait(t->dev, t->line, 5, 0), -EINVAL);
	msm_igt_assert_ok(gpu_syncobj_query(t->dev, t->line, &point));
	msm_igt_assert(point == 3, "timeline at %llu\n", point);
	if (t->kind == BIND)
		vm_canary_check(&t->canary);
}

static void assert_works(struct trial *t)
{
	u64 point = 0;

	fresh_request(t);
	msm_igt_assert_ok(try_request(t));
	msm_igt_assert_ok(gpu_syncobj_wait(t->dev, t->line, 5,
					   GPU_FENCE_PATIENCE_MS));
	msm_igt_assert_ok(gpu_syncobj_wait(t->dev, t->empty, 0, 0));
	msm_igt_assert_ret(gpu_syncobj_wait(t->dev, t->once, 0, 0), -EINVAL);
	msm_igt_assert_ok(gpu_syncobj_query(t->dev, t->line, &point));
	msm_igt_assert(point == 5, "timeline at %llu\n", point);
	if (t->kind == BIND)
		vm_test_expect(&t->canary.vm, t->canary.base, "A0-3 B0 .");
}

/**
 * struct bad_syncs - lists that must be refused
 * @spoil: what is wrong with them
 * @err: the errno
 * @reason: what the debug log says
 */
struct bad_syncs {
	void (*spoil)(struct trial *t);
	int err;
	const char *reason;
};

static void refuse(const void *arg)
{
	const struct bad_syncs *bad = arg;
	enum kind kind;
	struct trial t;

	for (kind = BIND; kind < KINDS; kind++) {
		open_trial(&t, kind);
		bad->spoil(&t);
		msm_igt_assert_ret(try_request(&t), bad->err);
		vm_test_reason(bad->reason);
		assert_untouched(&t);
		assert_works(&t);
		close_trial(&t);
	}
}

static void in_unknown(struct trial *t)
{
	t->syncs.in[1].handle = 0xdead;
}

static void in_zero(struct trial *t)
{
	t->syncs.in[1].handle = 0;
}

static void in_closed(struct trial *t)
{
	msm_igt_assert_ok(gpu_syncobj_new(t->dev, &t->syncs.in[1].handle));
	msm_igt_assert_ok(gpu_syncobj_destroy(t->dev, t->syncs.in[1].handle));
}

static void in_flags(struct trial *t)
{
	t->syncs.in[1].flags = MSM_SYNCOBJ_RESET | 2;
}

/* Waits before it signals: nobody has submitted the fence yet. */
static void in_empty(struct trial *t)
{
	t->syncs.in[1] = VM_SYNC_AT(t->empty, 0);
}

static void in_future(struct trial *t)
{
	t->syncs.in[1].point = 4;
}

static void in_point_of_empty(struct trial *t)
{
	t->syncs.in[1] = VM_SYNC_AT(t->empty, 1);
}

static void in_point_of_binary(struct trial *t)
{
	t->syncs.in[1] = VM_SYNC_AT(t->once, 1);
}

static void in_kernel(struct trial *t)
{
	t->bind.in_syncobjs = -GPU_PAGE;
}

static void in_nowhere(struct trial *t)
{
	t->bind.in_syncobjs = 8;
}

static void in_endless(struct trial *t)
{
	t->bind.nr_in_syncobjs = ~0u;
}

/* The machine may have the memory for it. */
static void in_large(struct trial *t)
{
	t->bind.nr_in_syncobjs = 1u << 24;
}

/* Entries of no bytes: handle 0 */
static void stride_zero(struct trial *t)
{
	t->bind.syncobj_stride = 0;
}

static void out_unknown(struct trial *t)
{
	t->syncs.out[1].handle = 0xdead;
}

static void out_zero(struct trial *t)
{
	t->syncs.out[1] = VM_SYNC_AT(0, 0);
}

static void out_flags(struct trial *t)
{
	t->syncs.out[1].flags = MSM_SYNCOBJ_RESET;
}

static void out_kernel(struct trial *t)
{
	t->bind.out_syncobjs = -GPU_PAGE;
}

static void out_large(struct trial *t)
{
	t->bind.nr_out_syncobjs = 1u << 24;
}

static void out_endless(struct trial *t)
{
	t->bind.nr_out_syncobjs = ~0u;
}

/* A bind that fails for another reason, after its syncobjs were taken */
static void refuse_bind(const void *arg)
{
	const struct bad_syncs *bad = arg;
	struct trial t;

	open_trial(&t, BIND);
	bad->spoil(&t);
	msm_igt_assert_ret(try_request(&t), bad->err);
	vm_test_reason(bad->reason);
	assert_untouched(&t);
	assert_works(&t);
	close_trial(&t);
}

static void late_fence_fd(struct trial *t)
{
	t->bind.flags |= MSM_VM_BIND_FENCE_FD_IN;
	t->bind.fence_fd = t->dev->fd;
}

static void late_handle(struct trial *t)
{
	t->bind.op.handle = 0xdead;
}

/* The last thing that can fail: a buffer that may be purged at any time */
static void late_pages(struct trial *t)
{
	struct gpu_bo *bo = vm_test_bo(&t->canary.vm, 'X', 1);
	struct drm_msm_gem_madvise req = {
		.handle = bo->handle, .madv = MSM_MADV_DONTNEED,
	};

	t->canary.bos++;
	msm_igt_assert_ok(gpu_ioctl(t->dev->fd, DRM_IOCTL_MSM_GEM_MADVISE,
				    &req));
	t->bind.op.handle = bo->handle;
	t->bind.flags |= MSM_VM_BIND_FENCE_FD_OUT;
}

/* No file descriptor is left for the out fence. */
static void no_fd(const void *arg)
{
	enum kind kind;
	struct trial t;
	int ret;

	for (kind = BIND; kind < KINDS; kind++) {
		open_trial(&t, kind);
		t.bind.flags |= MSM_VM_BIND_FENCE_FD_OUT;
		vm_test_no_fds();
		ret = try_request(&t);
		vm_test_fds_again();
		msm_igt_assert_ret(ret, -EMFILE);
		vm_test_reason(kind == BIND ? "no fd for the fence" : NULL);
		assert_untouched(&t);
		assert_works(&t);
		close_trial(&t);
	}
}

/* A job that fails last of all: sequence number 0 is none. */
static void late_submit(const void *arg)
{
	struct drm_msm_gem_submit req;
	enum kind kind;
	struct trial t;

	for (kind = SUBMIT; kind < KINDS; kind++) {
		open_trial(&t, kind);
		job_request(&t, &req);
		req.flags |= MSM_SUBMIT_FENCE_SN_IN;
		msm_igt_assert_ret(gpu_ioctl(t.dev->fd,
					     DRM_IOCTL_MSM_GEM_SUBMIT, &req),
				   -EINVAL);
		assert_untouched(&t);
		assert_works(&t);
		close_trial(&t);
	}
}

#define BAD(fn, code, why) \
	(&(const struct bad_syncs){ .spoil = fn, .err = -(code), .reason = why })

const struct msm_igt_subtest vm_sync_refuse_tests[] = {
	{ "in-unknown", "no such syncobj", refuse,
	  BAD(in_unknown, ENOENT,
	      "in-syncobj 1 refused: no such handle") },
	{ "in-zero", "handle 0", refuse,
	  BAD(in_zero, ENOENT,
	      "in-syncobj 1 refused: no such handle") },
	{ "in-closed", "no longer a syncobj", refuse,
	  BAD(in_closed, ENOENT,
	      "in-syncobj 1 refused: no such handle") },
	{ "in-flags", "bit 1", refuse,
	  BAD(in_flags, EINVAL,
	      "in-syncobj 1 refused: unknown flags") },
	{ "in-empty", "waits before it signals", refuse,
	  BAD(in_empty, EINVAL,
	      "in-syncobj 1 refused: no fence yet") },
	{ "in-future", "a point that nobody has submitted", refuse,
	  BAD(in_future, EINVAL,
	      "in-syncobj 1 refused: no such point yet") },
	{ "in-point-of-empty", "no timeline yet", refuse,
	  BAD(in_point_of_empty, EINVAL,
	      "in-syncobj 1 refused: no fence yet") },
	{ "in-point-of-binary", "not a timeline", refuse,
	  BAD(in_point_of_binary, EINVAL,
	      "in-syncobj 1 refused: no such point yet") },
	{ "in-kernel", "array at the kernel's addresses", refuse,
	  BAD(in_kernel, EFAULT,
	      "in-syncobj 0 refused: copy") },
	{ "in-nowhere", "array at 8", refuse,
	  BAD(in_nowhere, EFAULT,
	      "in-syncobj 0 refused: copy") },
	{ "in-endless", "2^32 - 1 entries", refuse,
	  BAD(in_endless, ENOMEM,
	      "in-syncobj 0 refused: too many") },
	{ "in-large", "2^24 entries", refuse,
	  BAD(in_large, ENOMEM,
	      "in-syncobj 0 refused: too many") },
	{ "stride-zero", "entries of no bytes", refuse,
	  BAD(stride_zero, ENOENT,
	      "in-syncobj 0 refused: no such handle") },
	{ "out-unknown", "no such syncobj", refuse,
	  BAD(out_unknown, EINVAL,
	      "out-syncobj 1 refused: no such handle") },
	{ "out-zero", "handle 0", refuse,
	  BAD(out_zero, EINVAL,
	      "out-syncobj 1 refused: no such handle") },
	{ "out-flags", "an out-syncobj has none", refuse,
	  BAD(out_flags, EINVAL,
	      "out-syncobj 1 refused: unknown flags") },
	{ "out-kernel", "array at the kernel's addresses", refuse,
	  BAD(out_kernel, EFAULT,
	      "out-syncobj 0 refused: copy") },
	{ "out-endless", "2^32 - 1 entries", refuse,
	  BAD(out_endless, ENOMEM,
	      "out-syncobj 0 refused: too many") },
	{ "out-large", "2^24 entries", refuse,
	  BAD(out_large, ENOMEM,
	      "out-syncobj 0 refused: too many") },
	{ "late-fence-fd", "a bind with another fence that is none",
	  refuse_bind,
	  BAD(late_fence_fd, EINVAL,
	      "is no fence") },
	{ "late-handle", "a bind of no buffer", refuse_bind,
	  BAD(late_handle, EINVAL,
	      "no BO with handle 57005") },
	{ "late-pages", "a bind of a buffer that is not needed", refuse_bind,
	  BAD(late_pages, EBUSY,
	      "no pages for BO") },
	{ "late-fd", "no fd is left", no_fd },
	{ "late-submit", "a job with a bad sequence number", late_submit },
};

const size_t vm_sync_refuse_count = ARRAY_SIZE(vm_sync_refuse_tests);
