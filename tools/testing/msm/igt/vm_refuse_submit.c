// SPDX-License-Identifier: MIT
/*
 * Every SUBMIT by address that must be refused, and that a refusal changes
 * nothing.
 *
 * Each case takes a submit that works and spoils one thing; the unspoiled one
 * must still work afterwards, so a case cannot pass for another reason.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "vm_refuse.h"
#include "vm_test.h"

/* One that is nobody, and may nothing */
#define NOBODY	65534
#define FILE_MAX	"/proc/sys/fs/file-max"

/* @spoil gets a submit of one NOP by iova, which works. */
struct bad_submit {
	void (*spoil)(struct vm_canary *canary, struct drm_msm_gem_submit *req,
		      struct drm_msm_gem_submit_cmd *cmd);
	int err;
	const char *reason;
};

static void submit_bo_table(struct vm_canary *c,
			    struct drm_msm_gem_submit *req,
			    struct drm_msm_gem_submit_cmd *cmd)
{
	static struct drm_msm_gem_submit_bo bo;

	bo.flags = MSM_SUBMIT_BO_READ;
	bo.handle = c->vm.scratch.handle;
	req->nr_bos = 1;
	req->bos = (unsigned long)&bo;
}

static void submit_idx(struct vm_canary *c, struct drm_msm_gem_submit *req,
		       struct drm_msm_gem_submit_cmd *cmd)
{
	cmd->submit_idx = 1;
}

static void submit_offset(struct vm_canary *c, struct drm_msm_gem_submit *req,
			  struct drm_msm_gem_submit_cmd *cmd)
{
	cmd->submit_offset = 4;
}

static void submit_relocs(struct vm_canary *c, struct drm_msm_gem_submit *req,
			  struct drm_msm_gem_submit_cmd *cmd)
{
	cmd->nr_relocs = 1;
}

static void submit_size(struct vm_canary *c, struct drm_msm_gem_submit *req,
			struct drm_msm_gem_submit_cmd *cmd)
{
	cmd->size = 6;
}

static void submit_type(struct vm_canary *c, struct drm_msm_gem_submit *req,
			struct drm_msm_gem_submit_cmd *cmd)
{
	cmd->type = 0x1234;
}

static void submit_bind_queue(struct vm_canary *c,
			      struct drm_msm_gem_submit *req,
			      struct drm_msm_gem_submit_cmd *cmd)
{
	req->queueid = c->vm.bind_queue;
}

static void submit_unknown_queue(struct vm_canary *c,
				 struct drm_msm_gem_submit *req,
				 struct drm_msm_gem_submit_cmd *cmd)
{
	req->queueid = 0x1234;
}

static void submit_bad_fence(struct vm_canary *c,
			     struct drm_msm_gem_submit *req,
			     struct drm_msm_gem_submit_cmd *cmd)
{
	req->flags |= MSM_SUBMIT_FENCE_FD_IN;
	req->fence_fd = c->vm.dev.fd;
}

static void submit_pad(struct vm_canary *c, struct drm_msm_gem_submit *req,
		       struct drm_msm_gem_submit_cmd *cmd)
{
	req->pad = 1;
}

static void submit_no_pipe(struct vm_canary *c, struct drm_msm_gem_submit *req,
			   struct drm_msm_gem_submit_cmd *cmd)
{
	req->flags &= ~MSM_PIPE_3D0;
}

static void submit_2d_pipe(struct vm_canary *c, struct drm_msm_gem_submit *req,
			   struct drm_msm_gem_submit_cmd *cmd)
{
	submit_no_pipe(c, req, cmd);
	req->flags |= MSM_PIPE_2D0;
}

static void submit_two_pipes(struct vm_canary *c,
			     struct drm_msm_gem_submit *req,
			     struct drm_msm_gem_submit_cmd *cmd)
{
	req->flags |= MSM_PIPE_2D0;
}

/* The highest that is none, and the lowest */
static void submit_flag_high(struct vm_canary *c,
			     struct drm_msm_gem_submit *req,
			     struct drm_msm_gem_submit_cmd *cmd)
{
	req->flags |= 1 << 24;
}

static void submit_flag_low(struct vm_canary *c,
			    struct drm_msm_gem_submit *req,
			    struct drm_msm_gem_submit_cmd *cmd)
{
	req->flags |= 1 << 16;
}

static void submit_cmds_null(struct vm_canary *c,
			     struct drm_msm_gem_submit *req,
			     struct drm_msm_gem_submit_cmd *cmd)
{
	req->cmds = 0;
}

static void submit_cmds_kernel(struct vm_canary *c,
			       struct drm_msm_gem_submit *req,
			       struct drm_msm_gem_submit_cmd *cmd)
{
	req->cmds = -GPU_PAGE;
}

/* The first is there, the second is not. */
static void submit_cmds_cut(struct vm_canary *c,
			    struct drm_msm_gem_submit *req,
			    struct drm_msm_gem_submit_cmd *cmd)
{
	req->cmds = vm_refuse_cut(cmd, sizeof(*cmd));
	req->nr_cmds = 2;
}

static void submit_cmds_many(struct vm_canary *c,
			     struct drm_msm_gem_submit *req,
			     struct drm_msm_gem_submit_cmd *cmd)
{
	req->nr_cmds = ~0u;
}

/**
 * struct trial - a submit of one NOP by iova, and what it must not change
 * @canary: the VM
 * @job: the NOP
 * @cmd: of @req
 * @req: works as it is; asks for a fence
 */
struct trial {
	struct vm_canary canary;
	struct gpu_job job;
	struct drm_msm_gem_submit_cmd cmd;
	struct drm_msm_gem_submit req;
};

static void open_trial(struct trial *t)
{
	vm_canary_open(&t->canary);
	gpu_job_begin(&t->job, &t->canary.vm, 1);
	gpu_cmd_nop(&t->job.cmd, 3);
	gpu_job_request(&t->job, &t->req, &t->cmd);
}

static void assert_refused(struct trial *t, int ret, int err,
			   const char *reason)
{
	msm_igt_assert_ret(ret, err);
	vm_test_reason(reason);
	vm_canary_check(&t->canary);
}

static void close_trial(struct trial *t)
{
	gpu_job_request(&t->job, &t->req, &t->cmd);
	msm_igt_assert_ok(gpu_job_ioctl(&t->job, &t->req));
	msm_igt_assert_ok(gpu_job_finish(&t->job));
	vm_canary_check(&t->canary);
	vm_canary_close(&t->canary);
}

static void refuse_submit(const void *arg)
{
	const struct bad_submit *bad = arg;
	struct trial t;

	open_trial(&t);
	bad->spoil(&t.canary, &t.req, &t.cmd);
	assert_refused(&t, gpu_job_ioctl(&t.job, &t.req), bad->err,
		       bad->reason);
	close_trial(&t);
}

/* Not without the right to it, even where the kernel offers it */
static void submit_sudo(const void *arg)
{
	struct trial t;
	int ret;

	open_trial(&t);
	t.req.flags |= MSM_SUBMIT_SUDO;
	msm_igt_assert_ok(seteuid(NOBODY));
	ret = gpu_job_ioctl(&t.job, &t.req);
	msm_igt_assert_ok(seteuid(0));
	assert_refused(&t, ret, -EINVAL, NULL);
	close_trial(&t);
}

static void submit_no_fd(const void *arg)
{
	struct trial t;
	int ret;

	open_trial(&t);
	vm_test_no_fds();
	ret = gpu_job_ioctl(&t.job, &t.req);
	vm_test_fds_again();
	assert_refused(&t, ret, -EMFILE, NULL);
	close_trial(&t);
}

/* The number of a job that waits is in use; that of one that is done is not. */
static void submit_number_in_use(const void *arg)
{
	struct drm_msm_gem_submit_cmd cmd;
	struct drm_msm_gem_submit first;
	struct gpu_gate gate;
	struct trial t;
	int ret;

	open_trial(&t);
	gate = vm_test_gate();
	gpu_job_request(&t.job, &first, &cmd);
	first.flags |= MSM_SUBMIT_FENCE_SN_IN | MSM_SUBMIT_FENCE_FD_IN;
	first.fence_fd = gate.fence;
	first.fence = 0x1234;
	msm_igt_assert_ok(gpu_job_ioctl(&t.job, &first));
	t.req.flags |= MSM_SUBMIT_FENCE_SN_IN;
	t.req.fence = first.fence;
	ret = gpu_job_ioctl(&t.job, &t.req);
	msm_igt_assert_ok(gpu_gate_open(&gate));
	gpu_gate_free(&gate);
	msm_igt_assert_ok(gpu_fence_finish(first.fence_fd));
	assert_refused(&t, ret, -EINVAL, NULL);
	close_trial(&t);
}

static void set_file_max(u64 count, u64 *before)
{
	FILE *file = fopen(FILE_MAX, "r+");

	msm_igt_assert(file, FILE_MAX ": %m\n");
	if (before)
		msm_igt_assert(fscanf(file, "%llu", before) == 1,
			       FILE_MAX " holds no number\n");
	rewind(file);
	fprintf(file, "%llu\n", count);
	msm_igt_assert_ok(fclose(file));
}

/* The whole system has no file left, but for root. */
static void system_no_file(const void *arg)
{
	struct drm_msm_vm_bind bind;
	struct drm_msm_vm_bind_op op;
	int submit_ret, bind_ret;
	struct trial t;
	u64 before;

	open_trial(&t);
	op = gpu_bind_op_map(t.canary.hole, t.canary.b, 0, GPU_PAGE);
	gpu_bind_request(&bind, t.canary.vm.bind_queue, &op, 1);
	bind.flags = MSM_VM_BIND_FENCE_FD_OUT;
	set_file_max(0, &before);
	msm_igt_assert_ok(seteuid(NOBODY));
	submit_ret = gpu_job_ioctl(&t.job, &t.req);
	bind_ret = gpu_bind_ioctl(&t.canary.vm.dev, &bind);
	msm_igt_assert_ok(seteuid(0));
	set_file_max(before, NULL);
	assert_refused(&t, bind_ret, -ENOMEM, NULL);
	assert_refused(&t, submit_ret, -ENOMEM, NULL);
	close_trial(&t);
}

#define BAD_SUBMIT(fn, code, why) \
	(&(const struct bad_submit){ .spoil = fn, .err = -(code), \
				     .reason = why })

const struct msm_igt_subtest vm_refuse_submit_tests[] = {
	{ "submit-bo-table", "residency is the VM's", refuse_submit,
	  BAD_SUBMIT(submit_bo_table, EINVAL, "table of BOs in a VM_BIND context") },
	{ "submit-idx", "commands are named by iova", refuse_submit,
	  BAD_SUBMIT(submit_idx, EINVAL, "cmd with reloc, idx or offset") },
	{ "submit-offset", "commands are named by iova", refuse_submit,
	  BAD_SUBMIT(submit_offset, EINVAL, "cmd with reloc, idx or offset") },
	{ "submit-relocs", "there is nothing to relocate", refuse_submit,
	  BAD_SUBMIT(submit_relocs, EINVAL, "cmd with reloc, idx or offset") },
	{ "submit-size", "not whole dwords", refuse_submit,
	  BAD_SUBMIT(submit_size, EINVAL, "non-aligned cmdstream buffer size") },
	{ "submit-type", "no such command type", refuse_submit,
	  BAD_SUBMIT(submit_type, EINVAL, "invalid type") },
	{ "submit-bind-queue", "a queue for binds", refuse_submit,
	  BAD_SUBMIT(submit_bind_queue, EINVAL, "is for binds") },
	{ "submit-unknown-queue", "no such queue", refuse_submit,
	  BAD_SUBMIT(submit_unknown_queue, ENOENT, NULL) },
	{ "submit-bad-fence", "in fence is not a fence", refuse_submit,
	  BAD_SUBMIT(submit_bad_fence, EINVAL, NULL) },
	{ "submit-pad", "must be zero", refuse_submit,
	  BAD_SUBMIT(submit_pad, EINVAL, NULL) },
	{ "submit-no-pipe", "there is one that is 3D", refuse_submit,
	  BAD_SUBMIT(submit_no_pipe, EINVAL, NULL) },
	{ "submit-2d-pipe", "there is one that is 3D", refuse_submit,
	  BAD_SUBMIT(submit_2d_pipe, EINVAL, NULL) },
	{ "submit-two-pipes", "only one at a time", refuse_submit,
	  BAD_SUBMIT(submit_two_pipes, EINVAL, NULL) },
	{ "submit-flag-high", "bit 24", refuse_submit,
	  BAD_SUBMIT(submit_flag_high, EINVAL, NULL) },
	{ "submit-flag-low", "bit 16", refuse_submit,
	  BAD_SUBMIT(submit_flag_low, EINVAL, NULL) },
	{ "submit-sudo", "not for everybody", submit_sudo },
	{ "submit-cmds-null", "array at 0", refuse_submit,
	  BAD_SUBMIT(submit_cmds_null, EFAULT, NULL) },
	{ "submit-cmds-kernel", "array at the kernel's addresses",
	  refuse_submit, BAD_SUBMIT(submit_cmds_kernel, EFAULT, NULL) },
	{ "submit-cmds-cut", "half of the array", refuse_submit,
	  BAD_SUBMIT(submit_cmds_cut, EFAULT, NULL) },
	{ "submit-cmds-too-many", "2^32 - 1 commands", refuse_submit,
	  BAD_SUBMIT(submit_cmds_many, EINVAL, "no ring holds 4294967295 commands") },
	{ "submit-no-fd", "no fd is left for the fence", submit_no_fd },
	{ "submit-number-in-use", "of a job that waits",
	  submit_number_in_use },
	{ "system-no-file", "for the fence of a job or a bind",
	  system_no_file },
};

const size_t vm_refuse_submit_count = ARRAY_SIZE(vm_refuse_submit_tests);
