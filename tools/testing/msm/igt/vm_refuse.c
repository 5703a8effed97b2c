// SPDX-License-Identifier: MIT
/*
 * What the other ioctls refuse in a VM_BIND context, and when a context can
 * become one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "gpu_fence.h"
#include "gpu_knob.h"
#include "gpu_legacy.h"
#include "vm_refuse.h"
#include "vm_test.h"

#define IAS	"/sys/module/msm/parameters/vgpu_ias"
#define MARK	0x600d0007
/* In a page: neither the first dword nor the last */
#define MARK_OFFSET	0x804

/* An array of two, of which only @first is readable; the address of it */
u64 vm_refuse_cut(const void *first, size_t size)
{
	static char *pages;

	if (!pages) {
		pages = mmap(NULL, 2 * GPU_PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		msm_igt_assert(pages != MAP_FAILED, "mmap: %d\n", -errno);
		msm_igt_assert_ok(mprotect(pages + GPU_PAGE, GPU_PAGE,
					   PROT_NONE));
	}
	memcpy(pages + GPU_PAGE - size, first, size);
	return (unsigned long)(pages + GPU_PAGE - size);
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

/* Any other value is a choice, in all of its 64 bits. */
static void opt_in_value(const void *arg)
{
	static const u64 values[] = { 2, 1ull << 32, ~0ull };
	struct gpu_dev dev;
	size_t i;
	u32 id;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		msm_igt_assert_ok(gpu_dev_open(&dev));
		msm_igt_assert_ok(gpu_dev_set_param(&dev, MSM_PARAM_EN_VM_BIND,
						    values[i]));
		msm_igt_assert_ok(gpu_dev_queue_new(&dev,
						    MSM_SUBMITQUEUE_VM_BIND, 0,
						    &id));
		gpu_dev_close(&dev);
	}
}

/* The client named an address, or ran something: that decides, too. */
static void opt_in_after_use(const void *arg)
{
	struct gpu_cmd cmd;
	struct gpu_dev dev;
	struct gpu_bo bo;
	u64 iova = 0;
	struct gpu_bo *bos[] = { &bo };

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &bo));
	gpu_legacy_cmd(&cmd, &bo);
	gpu_cmd_nop(&cmd, 3);
	msm_igt_assert_ok(gpu_legacy_run(&dev, &cmd, bos, 1));
	msm_igt_assert_ret(gpu_dev_opt_in(&dev), -EBUSY);
	vm_test_reason("EN_VM_BIND refused: the context has a VM in use");
	assert_legacy(&dev);
	gpu_bo_free(&bo);
	gpu_dev_close(&dev);

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &bo));
	msm_igt_assert_ok(gpu_dev_get_param(&dev, MSM_PARAM_VA_START, &iova));
	msm_igt_assert_ok(gpu_bo_info(&bo, MSM_INFO_SET_IOVA, &iova));
	msm_igt_assert_ret(gpu_dev_opt_in(&dev), -EBUSY);
	vm_test_reason("EN_VM_BIND refused: the context has a VM in use");
	assert_legacy(&dev);
	gpu_bo_free(&bo);
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

/* How many address bits the tables of the virtual Adreno translate */
static u32 address_bits(void)
{
	FILE *file;
	u64 seed;
	u32 bits = 0;

	msm_igt_require(!gpu_knob_get("seed", &seed),
			"this GPU is not the virtual one\n");
	file = fopen(IAS, "r");
	msm_igt_assert(file && fscanf(file, "%u", &bits) == 1, "no " IAS "\n");
	fclose(file);
	return bits;
}

/* All from 4 GiB up to what the tables translate, with the very last page */
static void va_range(const void *arg)
{
	const u64 start = 4ull << 30, end = 1ull << address_bits();
	struct gpu_fault fault;
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 iova = end - GPU_PAGE + MARK_OFFSET;
	u32 seen;

	vm_test_open(&vm);
	msm_igt_assert(vm.va_start == start && vm.va_size == end - start,
		       "VM %llx + %llx, not %llx + %llx\n", vm.va_start,
		       vm.va_size, start, end - start);
	a = vm_test_bo(&vm, 'A', 1);
	vm_test_map(&vm, end - GPU_PAGE, a);
	vm_test_expect(&vm, end - GPU_PAGE, "A0");
	msm_igt_assert_ok(gpu_job_write_now(&vm, iova, MARK));
	msm_igt_assert(a->map[MARK_OFFSET / sizeof(u32)] == MARK,
		       "the GPU's write did not arrive\n");
	msm_igt_assert_ok(gpu_job_read_now(&vm, iova, &seen));
	msm_igt_assert(seen == MARK, "GPU read %08x\n", seen);

	vm_test_unmap(&vm, end - GPU_PAGE, 1);
	msm_igt_assert_ok(gpu_job_fault_now(&vm, iova, false, &fault));
	msm_igt_assert(fault.iova == iova, "fault at %llx, not %llx\n",
		       fault.iova, iova);
	vm_test_close(&vm);
}

/* A higher number would promise what later kernels have and this one has not. */
static void version(const void *arg)
{
	static const char want[] = "msm 1.13, ";
	struct gpu_dev dev;
	char text[64];

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_dev_version(&dev, text, sizeof(text), NULL));
	msm_igt_assert(!strncmp(text, want, strlen(want)), "%s\n", text);
	gpu_dev_close(&dev);
}

static const struct drm_msm_param bad_params[] = {
	{ .pipe = MSM_PIPE_NONE },
	{ .pipe = MSM_PIPE_2D0 },
	{ .pipe = ~0u },
	{ .pipe = MSM_PIPE_3D0, .len = 1 },
	{ .pipe = MSM_PIPE_3D0, .len = sizeof(u64) },
	{ .pipe = MSM_PIPE_3D0, .pad = 1 },
	{ .pipe = MSM_PIPE_3D0, .pad = 1u << 31 },
};

/* Of each parameter that VM_BIND has: the request as it is, and as it came */
static void refuse_params(struct gpu_dev *dev, const struct drm_msm_param *bad)
{
	static const u32 params[] = {
		MSM_PARAM_HAS_PRR, MSM_PARAM_EN_VM_BIND, MSM_PARAM_VA_START,
		MSM_PARAM_VA_SIZE,
	};
	struct drm_msm_param req, before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		before = *bad;
		before.param = params[i];
		before.value = 1;
		req = before;
		msm_igt_assert_ret(gpu_ioctl(dev->fd, DRM_IOCTL_MSM_SET_PARAM,
					     &req), -EINVAL);
		msm_igt_assert_ret(gpu_ioctl(dev->fd, DRM_IOCTL_MSM_GET_PARAM,
					     &req), -EINVAL);
		msm_igt_assert(!memcmp(&req, &before, sizeof(req)),
			       "param %x: a refusal has a result\n", params[i]);
	}
}

/* Neither lets a context in, nor changes one that is in. */
static void params_spoiled(const void *arg)
{
	struct vm_canary c;
	struct gpu_dev dev;
	size_t i;

	vm_canary_open(&c);
	for (i = 0; i < ARRAY_SIZE(bad_params); i++) {
		refuse_params(&c.vm.dev, &bad_params[i]);
		msm_igt_assert_ok(gpu_dev_open(&dev));
		refuse_params(&dev, &bad_params[i]);
		msm_igt_assert_ret(gpu_bind_ops(&dev, 0, NULL, 0, GPU_NO_FENCE,
						NULL), -EINVAL);
		vm_test_reason("VM_BIND refused: not opted in");
		msm_igt_assert_ok(gpu_dev_opt_in(&dev));
		gpu_dev_close(&dev);
	}
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* Numbers that mainline has given to something else: nothing answers here. */
static void params_unknown(const void *arg)
{
	static const u32 params[] = { 0x14, 0x17, 0x18, ~0u };
	struct vm_canary c;
	u64 value = 0;
	size_t i;

	vm_canary_open(&c);
	for (i = 0; i < ARRAY_SIZE(params); i++) {
		msm_igt_assert_ret(gpu_dev_get_param(&c.vm.dev, params[i],
						     &value), -EINVAL);
		msm_igt_assert_ret(gpu_dev_set_param(&c.vm.dev, params[i], 1),
				   -EINVAL);
	}
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* Queues that cannot be closed; the one for binds can, once. */
static void queue_close(const void *arg)
{
	struct vm_canary c;
	u32 id = 0;

	vm_canary_open(&c);
	msm_igt_assert_ret(gpu_dev_queue_close(&c.vm.dev, 0), -ENOENT);
	msm_igt_assert_ret(gpu_dev_queue_close(&c.vm.dev, 0x1234), -ENOENT);
	msm_igt_assert_ret(gpu_dev_queue_close(&c.vm.dev, ~0u), -ENOENT);
	vm_canary_check(&c);

	msm_igt_assert_ok(gpu_dev_queue_new(&c.vm.dev, MSM_SUBMITQUEUE_VM_BIND,
					    0, &id));
	msm_igt_assert_ok(gpu_dev_queue_close(&c.vm.dev, id));
	msm_igt_assert_ret(gpu_dev_queue_close(&c.vm.dev, id), -ENOENT);
	vm_canary_check(&c);
	vm_canary_close(&c);
}

static int wait_fence(struct vm_canary *c, u32 queue, u32 fence, u32 flags)
{
	struct drm_msm_wait_fence req = {
		.queueid = queue, .fence = fence, .flags = flags,
		.timeout.tv_sec = 1 << 20,
	};

	return gpu_ioctl(c->vm.dev.fd, DRM_IOCTL_MSM_WAIT_FENCE, &req);
}

/* Binds have no numbers, however many there were. */
static void wait_bind_queue(const void *arg)
{
	struct vm_canary c;
	u32 queue;

	vm_canary_open(&c);
	queue = c.vm.bind_queue;
	msm_igt_assert_ok(wait_fence(&c, queue, 0, 0));
	msm_igt_assert_ret(wait_fence(&c, queue, 1, 0), -EINVAL);
	msm_igt_assert_ret(wait_fence(&c, queue, 1, MSM_WAIT_FENCE_BOOST),
			   -EINVAL);
	msm_igt_assert_ret(wait_fence(&c, queue, 0x7fffffff, 0), -EINVAL);
	msm_igt_assert_ret(wait_fence(&c, queue, 0, 2), -EINVAL);
	msm_igt_assert_ret(wait_fence(&c, queue, 0, 1u << 31), -EINVAL);
	msm_igt_assert_ret(wait_fence(&c, 0x1234, 0, 0), -ENOENT);
	vm_canary_check(&c);
	msm_igt_assert_ok(wait_fence(&c, 0, 1, MSM_WAIT_FENCE_BOOST));
	vm_canary_close(&c);
}

/* GEM_NEW: flags that nobody knows, beside good ones; and none of a cache */
static void bo_flags(const void *arg)
{
	static const u32 flags[] = {
		MSM_BO_WC | 1 << 3, MSM_BO_WC | 1u << 31,
		MSM_BO_NO_SHARE | MSM_BO_WC | 1 << 5, 0, MSM_BO_NO_SHARE,
	};
	struct vm_canary c;
	size_t i;

	vm_canary_open(&c);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct drm_msm_gem_new req = {
			.size = GPU_PAGE, .flags = flags[i],
		};

		msm_igt_assert_ret(gpu_ioctl(c.vm.dev.fd,
					     DRM_IOCTL_MSM_GEM_NEW, &req),
				   -EINVAL);
	}
	vm_canary_check(&c);
	vm_canary_close(&c);
}

const struct msm_igt_subtest vm_refuse_tests[] = {
	{ "gem-iova", "addresses are the client's", gem_iova },
	{ "queue-new", "bind queues: opted in, priority 0", queue_new },
	{ "not-opted-in", "VM_BIND in a legacy context", not_opted_in },
	{ "opt-in-zero", "only 1 is a choice", opt_in_zero },
	{ "opt-in-late", "the kernel already chose an address", opt_in_late },
	{ "opt-in-value", "of 64 bits", opt_in_value },
	{ "opt-in-after-use", "a job or an address decides", opt_in_after_use },
	{ "opt-in-twice", "there is no way back", opt_in_twice },
	{ "params", "which are read-only or write-only", params },
	{ "va-range", "from 4 GiB to the end, and the end can be used",
	  va_range },
	{ "version", "1.13, which says that there is VM_BIND", version },
	{ "params-spoiled", "pipe, length or padding", params_spoiled },
	{ "params-unknown", "reserved numbers", params_unknown },
	{ "queue-close", "which cannot be closed", queue_close },
	{ "wait-bind-queue", "binds have no numbers", wait_bind_queue },
	{ "bo-flags", "unknown, or no cache mode", bo_flags },
};

const size_t vm_refuse_count = ARRAY_SIZE(vm_refuse_tests);
