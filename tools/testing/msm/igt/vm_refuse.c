// SPDX-License-Identifier: MIT
/*
 * What the other ioctls refuse in a VM_BIND context, and when a context can
 * become one.
 */
#include <errno.h>

#include "gpu_fence.h"
#include "gpu_legacy.h"
#include "vm_refuse.h"
#include "vm_test.h"

/*
 * SUBMIT.  @spoil gets a submit of one NOP by iova, which works.
 */
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

static void refuse_submit(const void *arg)
{
	const struct bad_submit *bad = arg;
	struct drm_msm_gem_submit_cmd cmd, good_cmd;
	struct drm_msm_gem_submit req, good;
	struct gpu_job job;
	struct vm_canary c;

	vm_canary_open(&c);
	gpu_job_begin(&job, &c.vm, 1);
	gpu_cmd_nop(&job.cmd, 3);
	good_cmd = (struct drm_msm_gem_submit_cmd){
		.type = MSM_SUBMIT_CMD_BUF,
		.size = job.cmd.count * sizeof(u32),
		.iova = job.cmd_iova,
	};
	good = (struct drm_msm_gem_submit){
		.flags = MSM_PIPE_3D0 | MSM_SUBMIT_FENCE_FD_OUT,
		.nr_cmds = 1,
		.cmds = (unsigned long)&good_cmd,
	};

	req = good;
	cmd = good_cmd;
	req.cmds = (unsigned long)&cmd;
	bad->spoil(&c, &req, &cmd);
	msm_igt_assert_ret(gpu_ioctl(c.vm.dev.fd, DRM_IOCTL_MSM_GEM_SUBMIT,
				     &req), bad->err);
	vm_test_reason(bad->reason);
	vm_canary_check(&c);

	msm_igt_assert_ok(gpu_ioctl(c.vm.dev.fd, DRM_IOCTL_MSM_GEM_SUBMIT,
				    &good));
	msm_igt_assert_ok(gpu_fence_finish(good.fence_fd));
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* Addresses are the client's: the kernel neither tells nor takes one. */
static void gem_iova(const void *arg)
{
	struct vm_canary c;
	u64 iova = 0;

	vm_canary_open(&c);
	msm_igt_assert_ret(gpu_legacy_iova(c.a, &iova), -EINVAL);
	vm_test_reason("iova refused");
	iova = c.hole;
	msm_igt_assert_ret(gpu_bo_info(c.a, MSM_INFO_SET_IOVA, &iova), -EINVAL);
	vm_test_reason("iova refused");
	vm_canary_check(&c);
	vm_canary_close(&c);
}

static void queue_new(const void *arg)
{
	struct vm_canary c;
	struct gpu_dev dev;
	u32 id = 0;

	vm_canary_open(&c);
	msm_igt_assert_ret(gpu_dev_queue_new(&c.vm.dev, MSM_SUBMITQUEUE_VM_BIND,
					     1, &id), -EINVAL);
	vm_test_reason("bind queue refused: priority 1");
	msm_igt_assert_ret(gpu_dev_queue_new(&c.vm.dev, 1u << 31, 0, &id),
			   -EINVAL);
	msm_igt_assert_ret(gpu_dev_queue_new(&c.vm.dev,
					     MSM_SUBMITQUEUE_ALLOW_PREEMPT, 0,
					     &id), -EINVAL);
	vm_test_reason("queue refused: no preemption");
	vm_canary_check(&c);
	msm_igt_assert_ok(gpu_dev_queue_new(&c.vm.dev, MSM_SUBMITQUEUE_VM_BIND,
					    0, &id));
	vm_canary_close(&c);

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ret(gpu_dev_queue_new(&dev, MSM_SUBMITQUEUE_VM_BIND, 0,
					     &id), -EINVAL);
	vm_test_reason("bind queue refused: not opted in");
	gpu_dev_close(&dev);
}

/* The context still lets the kernel choose addresses. */
static void assert_legacy(struct gpu_dev *dev)
{
	struct gpu_bo bo;
	u64 iova;

	msm_igt_assert_ok(gpu_bo_new(dev, GPU_PAGE, &bo));
	msm_igt_assert_ok(gpu_legacy_iova(&bo, &iova));
	gpu_bo_free(&bo);
}

static void not_opted_in(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	struct gpu_dev dev;
	struct gpu_bo bo;
	int fds;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &bo));
	op = gpu_bind_op_map(8ull << 30, &bo, 0, GPU_PAGE);
	fds = gpu_dev_count_fds();
	msm_igt_assert_ret(gpu_bind_ops(&dev, 0, &op, 1, GPU_NO_FENCE, NULL),
			   -EINVAL);
	vm_test_reason("VM_BIND refused: not opted in");
	msm_igt_assert_ret(gpu_bind_ops(&dev, 0, NULL, 0, GPU_NO_FENCE, NULL),
			   -EINVAL);
	msm_igt_assert_ret(gpu_dev_count_fds(), fds);
	assert_legacy(&dev);
	gpu_bo_free(&bo);
	gpu_dev_close(&dev);
}

static void opt_in_zero(const void *arg)
{
	struct gpu_dev dev;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ret(gpu_dev_set_param(&dev, MSM_PARAM_EN_VM_BIND, 0),
			   -EINVAL);
	vm_test_reason("EN_VM_BIND refused: value 0");
	assert_legacy(&dev);
	gpu_dev_close(&dev);
}

static void opt_in_late(const void *arg)
{
	struct gpu_dev dev;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	assert_legacy(&dev);
	msm_igt_assert_ret(gpu_dev_opt_in(&dev), -EBUSY);
	vm_test_reason("EN_VM_BIND refused: the context has a VM in use");
	assert_legacy(&dev);
	gpu_dev_close(&dev);
}

/* It cannot be taken back, nor given again. */
static void opt_in_twice(const void *arg)
{
	struct vm_canary c;
	struct gpu_dev dev;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_dev_opt_in(&dev));
	msm_igt_assert_ret(gpu_dev_opt_in(&dev), -EBUSY);
	gpu_dev_close(&dev);

	vm_canary_open(&c);
	msm_igt_assert_ret(gpu_dev_opt_in(&c.vm.dev), -EBUSY);
	msm_igt_assert_ret(gpu_dev_set_param(&c.vm.dev, MSM_PARAM_EN_VM_BIND,
					     0), -EINVAL);
	vm_canary_check(&c);
	vm_canary_close(&c);
}

static void params(const void *arg)
{
	struct vm_canary c;
	u64 value = ~0ull;

	vm_canary_open(&c);
	msm_igt_assert_ret(gpu_dev_get_param(&c.vm.dev, MSM_PARAM_EN_VM_BIND,
					     &value), -EINVAL);
	msm_igt_assert_ret(gpu_dev_set_param(&c.vm.dev, MSM_PARAM_HAS_PRR, 1),
			   -EINVAL);
	msm_igt_assert_ok(gpu_dev_get_param(&c.vm.dev, MSM_PARAM_HAS_PRR,
					    &value));
	msm_igt_assert(value <= 1, "HAS_PRR %llx\n", value);
	msm_igt_assert(c.vm.va_size >= 4ull << 30 && c.vm.va_start,
		       "VM %llx + %llx\n", c.vm.va_start, c.vm.va_size);
	vm_canary_check(&c);
	vm_canary_close(&c);
}

#define BAD_SUBMIT(fn, code, why) \
	(&(const struct bad_submit){ .spoil = fn, .err = -(code), \
				     .reason = why })

const struct msm_igt_subtest vm_refuse_tests[] = {
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
	{ "gem-iova", "addresses are the client's", gem_iova },
	{ "queue-new", "bind queues: opted in, priority 0", queue_new },
	{ "not-opted-in", "VM_BIND in a legacy context", not_opted_in },
	{ "opt-in-zero", "only 1 is a choice", opt_in_zero },
	{ "opt-in-late", "the kernel already chose an address", opt_in_late },
	{ "opt-in-twice", "there is no way back", opt_in_twice },
	{ "params", "which are read-only or write-only", params },
};

const size_t vm_refuse_count = ARRAY_SIZE(vm_refuse_tests);
