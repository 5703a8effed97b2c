// SPDX-License-Identifier: MIT
/*
 * Every request that VM_BIND must refuse, its errno, and that a refusal
 * changes nothing.
 *
 * Each case takes a request that works and spoils one thing.  After the
 * refusal the canary (vm_test.c) must be untouched, and the unspoiled request
 * must still work; so a case cannot pass for another reason than the spoiled
 * thing.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "vm_refuse.h"
#include "vm_test.h"

/**
 * struct bad_op - one operation that must be refused
 * @spoil: what turns a good operation into it
 * @unmap: start from an unmap of the canary's page 1, not from a map of @b's
 *	first page into the hole
 * @reason: what the debug log says
 */
struct bad_op {
	void (*spoil)(struct vm_canary *canary, struct drm_msm_vm_bind_op *op);
	bool unmap;
	const char *reason;
};

static u64 vm_end(struct vm_canary *canary)
{
	return canary->vm.va_start + canary->vm.va_size;
}

static void handle_unknown(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->handle = 0xdead;
}

static void handle_zero(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->handle = 0;
}

static void handle_given(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->handle = c->b->handle;
}

static void op_unknown(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->op = 3;
}

static void op_huge(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->op = ~0u;
}

static void flags_unknown(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->flags = 2;
}

static void flags_high(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->flags = 1u << 31 | MSM_VM_BIND_OP_DUMP;
}

static void pad(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->pad = 1;
}

static void offset_given(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->obj_offset = GPU_PAGE;
}

static void range_zero(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->range = 0;
}

static void range_unaligned(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->range = GPU_PAGE / 2;
}

static void iova_unaligned(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->iova += 0x200;
}

static void offset_unaligned(struct vm_canary *c,
			     struct drm_msm_vm_bind_op *op)
{
	op->obj_offset = 4;
}

/* The sum is one page, which would be inside the buffer. */
static void offset_wraps(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->obj_offset = -GPU_PAGE;
	op->range = 2 * GPU_PAGE;
}

static void offset_at_end(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->obj_offset = c->b->size;
}

static void range_past_bo(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->obj_offset = GPU_PAGE;
	op->range = 2 * GPU_PAGE;
}

static void iova_wraps(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->iova = -GPU_PAGE;
	op->range = 2 * GPU_PAGE;
}

static void iova_below_vm(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->iova = c->vm.va_start - GPU_PAGE;
}

static void iova_at_end(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->iova = vm_end(c);
}

static void range_past_vm(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	op->iova = vm_end(c) - GPU_PAGE;
	op->range = 2 * GPU_PAGE;
}

/* Where the SMMU cannot do it */
static void map_null(struct vm_canary *c, struct drm_msm_vm_bind_op *op)
{
	u64 prr = 0;

	msm_igt_assert_ok(gpu_dev_get_param(&c->vm.dev, MSM_PARAM_HAS_PRR,
					    &prr));
	msm_igt_require(!prr, "the GPU has PRR, so MAP_NULL works\n");
	op->op = MSM_VM_BIND_OP_MAP_NULL;
	op->handle = 0;
}

static struct drm_msm_vm_bind_op good_op(struct vm_canary *c, bool unmap)
{
	if (unmap)
		return gpu_bind_op_unmap(c->base + GPU_PAGE, GPU_PAGE);
	return gpu_bind_op_map(c->hole, c->b, 0, GPU_PAGE);
}

/* What a good operation does to the canary, and back */
static void good_op_works(struct vm_canary *c, bool unmap)
{
	struct drm_msm_vm_bind_op op = good_op(c, unmap);

	msm_igt_assert_ok(gpu_vm_bind(&c->vm, &op, 1));
	vm_test_expect(&c->vm, c->base,
		       unmap ? "A0 . A2-3 .2" : "A0-3 B0 .");
	if (unmap)
		vm_test_map(&c->vm, c->base, c->a);
	else
		vm_test_unmap(&c->vm, c->hole, 1);
	vm_canary_check(c);
}

/* Alone, with an out fence; behind good operations; before a good one. */
static void refuse_op(const void *arg)
{
	const struct bad_op *bad = arg;
	struct drm_msm_vm_bind_op ops[4], op;
	struct vm_canary c;
	int fence;

	vm_canary_open(&c);
	op = good_op(&c, bad->unmap);
	bad->spoil(&c, &op);

	msm_igt_assert_ret(gpu_bind_ops(&c.vm.dev, c.vm.bind_queue, &op, 1,
					GPU_NO_FENCE, &fence), -EINVAL);
	vm_test_reason(bad->reason);
	vm_canary_check(&c);

	ops[0] = gpu_bind_op_map(c.hole, c.a, 0, 2 * GPU_PAGE);
	ops[1] = gpu_bind_op_unmap(c.base, 2 * GPU_PAGE);
	ops[2] = op;
	ops[3] = gpu_bind_op_map(c.base, c.b, 0, GPU_PAGE);
	msm_igt_assert_ret(gpu_bind_ops(&c.vm.dev, c.vm.bind_queue, ops, 3,
					GPU_NO_FENCE, &fence), -EINVAL);
	vm_test_reason(bad->reason);
	vm_canary_check(&c);
	msm_igt_assert_ret(gpu_bind_ops(&c.vm.dev, c.vm.bind_queue, ops + 2, 2,
					GPU_NO_FENCE, NULL), -EINVAL);
	vm_test_reason(bad->reason);
	vm_canary_check(&c);

	good_op_works(&c, bad->unmap);
	vm_canary_close(&c);
}

#define BAD_MAP(fn, why) \
	(&(const struct bad_op){ .spoil = fn, .reason = why })
#define BAD_UNMAP(fn, why) \
	(&(const struct bad_op){ .spoil = fn, .unmap = true, .reason = why })

static const struct msm_igt_subtest op_tests[] = {
	{ "map-unknown-handle", "no such buffer", refuse_op,
	  BAD_MAP(handle_unknown, "no BO with handle 57005") },
	{ "map-no-handle", "a map needs a buffer", refuse_op,
	  BAD_MAP(handle_zero, "MAP without a handle") },
	{ "unmap-with-handle", "an unmap has none", refuse_op,
	  BAD_UNMAP(handle_given, "handle without MAP") },
	{ "op-unknown", "3", refuse_op,
	  BAD_MAP(op_unknown, "unknown op (-22)") },
	{ "op-huge", "all bits", refuse_op,
	  BAD_UNMAP(op_huge, "unknown op (-22)") },
	{ "op-flags-unknown", "bit 1", refuse_op,
	  BAD_MAP(flags_unknown, "unknown op flags") },
	{ "op-flags-high", "bit 31 beside a known one", refuse_op,
	  BAD_UNMAP(flags_high, "unknown op flags") },
	{ "op-pad", "must be zero", refuse_op,
	  BAD_MAP(pad, "pad is not zero") },
	{ "unmap-with-offset", "must be zero", refuse_op,
	  BAD_UNMAP(offset_given, "obj_offset without MAP") },
	{ "map-range-zero", "maps nothing", refuse_op,
	  BAD_MAP(range_zero, "range is zero") },
	{ "unmap-range-zero", "unmaps nothing", refuse_op,
	  BAD_UNMAP(range_zero, "range is zero") },
	{ "map-range-unaligned", "half a page", refuse_op,
	  BAD_MAP(range_unaligned, "not page aligned") },
	{ "unmap-range-unaligned", "half a page", refuse_op,
	  BAD_UNMAP(range_unaligned, "not page aligned") },
	{ "map-iova-unaligned", "512 bytes off", refuse_op,
	  BAD_MAP(iova_unaligned, "not page aligned") },
	{ "unmap-iova-unaligned", "512 bytes off", refuse_op,
	  BAD_UNMAP(iova_unaligned, "not page aligned") },
	{ "map-offset-unaligned", "4 bytes off", refuse_op,
	  BAD_MAP(offset_unaligned, "not page aligned") },
	{ "map-offset-wraps", "offset + range is small again", refuse_op,
	  BAD_MAP(offset_wraps, "obj_offset + range wraps") },
	{ "map-offset-at-end", "behind the buffer", refuse_op,
	  BAD_MAP(offset_at_end, "beyond the end of BO") },
	{ "map-past-bo", "half behind the buffer", refuse_op,
	  BAD_MAP(range_past_bo, "beyond the end of BO") },
	{ "map-iova-wraps", "iova + range is small again", refuse_op,
	  BAD_MAP(iova_wraps, "iova + range wraps") },
	{ "unmap-iova-wraps", "iova + range is small again", refuse_op,
	  BAD_UNMAP(iova_wraps, "iova + range wraps") },
	{ "map-below-vm", "before the VM's start", refuse_op,
	  BAD_MAP(iova_below_vm, "outside of the VM") },
	{ "unmap-below-vm", "before the VM's start", refuse_op,
	  BAD_UNMAP(iova_below_vm, "outside of the VM") },
	{ "map-at-vm-end", "behind the VM", refuse_op,
	  BAD_MAP(iova_at_end, "outside of the VM") },
	{ "map-past-vm", "half behind the VM", refuse_op,
	  BAD_MAP(range_past_vm, "outside of the VM") },
	{ "unmap-past-vm", "half behind the VM", refuse_op,
	  BAD_UNMAP(range_past_vm, "outside of the VM") },
	{ "map-null", "not without PRR", refuse_op,
	  BAD_MAP(map_null, "MAP_NULL without PRR") },
};

/*
 * Requests.  @spoil gets a request with two good operations, a map of the
 * hole's first page and an unmap of the canary's page 1.
 */
struct bad_request {
	void (*spoil)(struct vm_canary *canary, struct drm_msm_vm_bind *req);
	int err;
	const char *reason;
};

static void request_flags(struct vm_canary *c, struct drm_msm_vm_bind *req)
{
	req->flags |= 4;
}

static void request_flags_high(struct vm_canary *c,
			       struct drm_msm_vm_bind *req)
{
	req->flags |= 1u << 31;
}

static void request_queue_unknown(struct vm_canary *c,
				  struct drm_msm_vm_bind *req)
{
	req->queue_id = 0x1234;
}

static void request_queue_default(struct vm_canary *c,
				  struct drm_msm_vm_bind *req)
{
	req->queue_id = 0;
}

static void request_queue_render(struct vm_canary *c,
				 struct drm_msm_vm_bind *req)
{
	msm_igt_assert_ok(gpu_dev_queue_new(&c->vm.dev, 0, 0, &req->queue_id));
}

static void request_queue_closed(struct vm_canary *c,
				 struct drm_msm_vm_bind *req)
{
	struct gpu_dev *dev = &c->vm.dev;

	msm_igt_assert_ok(gpu_dev_queue_new(dev, MSM_SUBMITQUEUE_VM_BIND, 0,
					    &req->queue_id));
	msm_igt_assert_ok(gpu_dev_queue_close(dev, req->queue_id));
}

static void request_fence_none(struct vm_canary *c,
			       struct drm_msm_vm_bind *req)
{
	req->flags |= MSM_VM_BIND_FENCE_FD_IN;
	req->fence_fd = -1;
}

static void request_fence_other(struct vm_canary *c,
				struct drm_msm_vm_bind *req)
{
	req->flags |= MSM_VM_BIND_FENCE_FD_IN;
	req->fence_fd = c->vm.dev.fd;
}

static void request_stride_short(struct vm_canary *c,
				 struct drm_msm_vm_bind *req)
{
	req->op_stride = sizeof(struct drm_msm_vm_bind_op) - 1;
}

static void request_stride_tiny(struct vm_canary *c,
				struct drm_msm_vm_bind *req)
{
	req->op_stride = 1;
}

static void request_stride_large(struct vm_canary *c,
				 struct drm_msm_vm_bind *req)
{
	req->op_stride = GPU_PAGE + sizeof(u64);
}

static void request_ops_null(struct vm_canary *c, struct drm_msm_vm_bind *req)
{
	req->ops = 0;
}

static void request_ops_kernel(struct vm_canary *c,
			       struct drm_msm_vm_bind *req)
{
	req->ops = -GPU_PAGE;
}

/* The first is there, the second is not. */
static void request_ops_cut(struct vm_canary *c, struct drm_msm_vm_bind *req)
{
	req->ops = vm_refuse_cut((void *)(unsigned long)req->ops,
				 sizeof(struct drm_msm_vm_bind_op));
}

static void request_ops_many(struct vm_canary *c, struct drm_msm_vm_bind *req)
{
	req->nr_ops = ~0u;
}

static void two_good_ops(struct vm_canary *c, struct drm_msm_vm_bind_op *ops)
{
	ops[0] = good_op(c, false);
	ops[1] = good_op(c, true);
}

/* The two good operations in @req work; undo them. */
static void two_ops_work(struct vm_canary *c, struct drm_msm_vm_bind *req)
{
	req->flags = MSM_VM_BIND_FENCE_FD_OUT;
	msm_igt_assert_ok(gpu_bind_ioctl(&c->vm.dev, req));
	msm_igt_assert_ok(gpu_fence_finish(req->fence_fd));
	vm_test_expect(&c->vm, c->base, "A0 . A2-3 B0 . B0-1");
	vm_test_unmap(&c->vm, c->hole, 1);
	vm_test_map(&c->vm, c->base, c->a);
	vm_canary_check(c);
}

static void refuse_request(const void *arg)
{
	const struct bad_request *bad = arg;
	struct drm_msm_vm_bind_op ops[2];
	struct drm_msm_vm_bind req;
	struct vm_canary c;

	vm_canary_open(&c);
	two_good_ops(&c, ops);
	gpu_bind_request(&req, c.vm.bind_queue, ops, 2);
	req.flags = MSM_VM_BIND_FENCE_FD_OUT;
	bad->spoil(&c, &req);
	msm_igt_assert_ret(gpu_bind_ioctl(&c.vm.dev, &req), bad->err);
	vm_test_reason(bad->reason);
	vm_canary_check(&c);

	gpu_bind_request(&req, c.vm.bind_queue, ops, 2);
	two_ops_work(&c, &req);
	vm_canary_close(&c);
}

/* An array of operations that are larger than today's */
struct wide_op {
	struct drm_msm_vm_bind_op op;
	u64 tail;
};

static void op_stride(const void *arg)
{
	struct wide_op wide[2] = { 0 };
	struct drm_msm_vm_bind_op ops[2];
	struct drm_msm_vm_bind req;
	struct vm_canary c;

	vm_canary_open(&c);
	two_good_ops(&c, ops);
	gpu_bind_request(&req, c.vm.bind_queue, ops, 2);
	req.op_stride = 0;
	two_ops_work(&c, &req);

	wide[0].op = ops[0];
	wide[1].op = ops[1];
	gpu_bind_request(&req, c.vm.bind_queue, ops, 2);
	req.ops = (unsigned long)wide;
	req.op_stride = sizeof(wide[0]);
	two_ops_work(&c, &req);

	wide[1].tail = 1;
	gpu_bind_request(&req, c.vm.bind_queue, ops, 2);
	req.ops = (unsigned long)wide;
	req.op_stride = sizeof(wide[0]);
	msm_igt_assert_ret(gpu_bind_ioctl(&c.vm.dev, &req), -E2BIG);
	vm_test_reason("op 1: tail is not zero");
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* One byte more for each, so that no operation but the first is aligned */
struct odd_op {
	struct drm_msm_vm_bind_op op;
	u8 tail;
} __packed;

/* Any stride is walked by; without an array there is nothing to walk. */
static void op_stride_odd(const void *arg)
{
	struct drm_msm_vm_bind_op ops[2];
	struct odd_op odd[2] = { 0 };
	struct drm_msm_vm_bind req;
	struct vm_canary c;

	vm_canary_open(&c);
	two_good_ops(&c, ops);
	odd[0].op = ops[0];
	odd[1].op = ops[1];
	gpu_bind_request(&req, c.vm.bind_queue, ops, 2);
	req.ops = (unsigned long)odd;
	req.op_stride = sizeof(odd[0]);
	two_ops_work(&c, &req);

	odd[1].tail = 0x80;
	gpu_bind_request(&req, c.vm.bind_queue, ops, 2);
	req.ops = (unsigned long)odd;
	req.op_stride = sizeof(odd[0]);
	msm_igt_assert_ret(gpu_bind_ioctl(&c.vm.dev, &req), -E2BIG);
	vm_test_reason("op 1: tail is not zero");
	vm_canary_check(&c);

	gpu_bind_request(&req, c.vm.bind_queue, ops, 1);
	req.op_stride = 1;
	msm_igt_assert_ok(gpu_bind_ioctl(&c.vm.dev, &req));
	gpu_bind_request(&req, c.vm.bind_queue, NULL, 0);
	req.op_stride = ~0u;
	msm_igt_assert_ok(gpu_bind_ioctl(&c.vm.dev, &req));
	vm_test_unmap(&c.vm, c.hole, 1);
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/*
 * The exception: the kernel reads the request and cannot write the fence into it,
 * but by then all is done.  The number of the fence is lost, not the fence.
 */
static void request_read_only(const void *arg)
{
	struct drm_msm_vm_bind *req;
	struct drm_msm_vm_bind_op op;
	struct vm_canary c;

	vm_canary_open(&c);
	req = mmap(NULL, GPU_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	msm_igt_assert(req != MAP_FAILED, "mmap: %d\n", -errno);
	op = good_op(&c, false);
	gpu_bind_request(req, c.vm.bind_queue, &op, 1);
	req->flags = MSM_VM_BIND_FENCE_FD_OUT;
	msm_igt_assert_ok(mprotect(req, GPU_PAGE, PROT_NONE));
	msm_igt_assert_ret(gpu_bind_ioctl(&c.vm.dev, req), -EFAULT);
	vm_canary_check(&c);

	msm_igt_assert_ok(mprotect(req, GPU_PAGE, PROT_READ));
	msm_igt_assert_ret(gpu_bind_ioctl(&c.vm.dev, req), -EFAULT);
	msm_igt_assert_ret(req->fence_fd, GPU_NO_FENCE);
	msm_igt_assert_ret(gpu_dev_count_fds(), c.before.fds + 1);
	msm_igt_assert_ok(gpu_fence_finish(c.before.next_fd));
	vm_test_expect(&c.vm, c.base, "A0-3 B0 .");
	vm_test_unmap(&c.vm, c.hole, 1);
	vm_canary_check(&c);
	munmap(req, GPU_PAGE);
	vm_canary_close(&c);
}

#define BAD_REQUEST(fn, code, why) \
	(&(const struct bad_request){ .spoil = fn, .err = -(code), \
				      .reason = why })

static const struct msm_igt_subtest request_tests[] = {
	{ "bind-flags-unknown", "bit 2", refuse_request,
	  BAD_REQUEST(request_flags, EINVAL, "flags 0x") },
	{ "bind-flags-high", "bit 31", refuse_request,
	  BAD_REQUEST(request_flags_high, EINVAL, "flags 0x8000000") },
	{ "bind-queue-unknown", "no such queue", refuse_request,
	  BAD_REQUEST(request_queue_unknown, ENOENT, "no queue 4660") },
	{ "bind-queue-closed", "no longer a queue", refuse_request,
	  BAD_REQUEST(request_queue_closed, ENOENT, "no queue") },
	{ "bind-queue-default", "queue 0 is for jobs", refuse_request,
	  BAD_REQUEST(request_queue_default, EINVAL, "queue 0 is not for binds") },
	{ "bind-queue-render", "a queue for jobs", refuse_request,
	  BAD_REQUEST(request_queue_render, EINVAL, "is not for binds") },
	{ "bind-fence-none", "in fence -1", refuse_request,
	  BAD_REQUEST(request_fence_none, EINVAL, "fd -1 is no fence") },
	{ "bind-fence-other-fd", "in fence is not a fence", refuse_request,
	  BAD_REQUEST(request_fence_other, EINVAL, "is no fence") },
	{ "bind-stride-short", "39", refuse_request,
	  BAD_REQUEST(request_stride_short, EINVAL, "op_stride 39") },
	{ "bind-stride-tiny", "1", refuse_request,
	  BAD_REQUEST(request_stride_tiny, EINVAL, "op_stride 1 ") },
	{ "bind-ops-null", "array at 0", refuse_request,
	  BAD_REQUEST(request_ops_null, EFAULT, "op 0: copy") },
	{ "bind-ops-kernel", "array at the kernel's addresses", refuse_request,
	  BAD_REQUEST(request_ops_kernel, EFAULT, "op 0: copy") },
	{ "bind-ops-cut", "half of the array", refuse_request,
	  BAD_REQUEST(request_ops_cut, EFAULT, "op 1: copy") },
	{ "bind-ops-too-many", "2^32 - 1 operations", refuse_request,
	  BAD_REQUEST(request_ops_many, ENOMEM, "no memory for 4294967295 ops") },
	{ "bind-stride-large", "more than a page", refuse_request,
	  BAD_REQUEST(request_stride_large, E2BIG, "op_stride 4104") },
	{ "bind-stride", "0 is 40, more is walked, its tail must be zero",
	  op_stride },
	{ "bind-stride-odd", "41 is walked by, too", op_stride_odd },
	{ "request-read-only", "an error, and the bind is done all the same",
	  request_read_only },
};

/* What the driver says as an error, whoever causes it */
#define EXPECTED_DMESG	VM_TEST_DMESG "|invalid flags: |waiting on invalid fence: "

static void expect_errors(void)
{
	igt_emit_ignore_dmesg_regex(EXPECTED_DMESG);
}

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_fixture(expect_errors);
	msm_igt_run(op_tests, ARRAY_SIZE(op_tests));
	msm_igt_run(request_tests, ARRAY_SIZE(request_tests));
	msm_igt_run(vm_refuse_submit_tests, vm_refuse_submit_count);
	msm_igt_run(vm_refuse_tests, vm_refuse_count);
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}
