// SPDX-License-Identifier: MIT
/*
 * MSM_BO_NO_SHARE: a buffer that is private to the VM of its context.
 *
 * For the GPU it is a buffer like any other.  It has one lock with the VM, and
 * so must never get to anybody who does not know that: no other context, no
 * other device, no display.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_knob.h"
#include "gpu_legacy.h"
#include "vm_test.h"

#define CARD	"/dev/dri/card0"

/* A VM whose buffers are private from now on, but for its scratch. */
static void open_private(struct gpu_vm *vm)
{
	vm_test_open(vm);
	vm->dev.bo_flags = MSM_BO_NO_SHARE;
}

static struct gpu_bo *shareable(struct gpu_vm *vm, char letter, u32 pages)
{
	struct gpu_bo *bo;

	vm->dev.bo_flags = 0;
	bo = vm_test_bo(vm, letter, pages);
	vm->dev.bo_flags = MSM_BO_NO_SHARE;
	return bo;
}

static void basic(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;
	u32 seen;

	open_private(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	vm_test_expect(&vm, vm.area - GPU_PAGE, ". A0-3 .");

	msm_igt_assert_ok(gpu_job_write_now(&vm, vm.area + 2 * GPU_PAGE + 0x40,
					    0x600d0001));
	seen = a->map[(2 * GPU_PAGE + 0x40) / 4];
	msm_igt_assert(seen == 0x600d0001, "CPU read %08x\n", seen);

	vm_test_unmap(&vm, vm.area + GPU_PAGE, 1);
	vm_test_expect(&vm, vm.area, "A0 . A2-3");
	vm_test_unmap(&vm, vm.area, 4);
	vm_test_expect(&vm, vm.area, ".4");
	vm_test_close(&vm);
}

/*
 * Several in one ioctl, mapped and replaced, with shareable ones between: the
 * private ones have one lock among them and with the VM.
 */
static void together(const void *arg)
{
	struct drm_msm_vm_bind_op ops[4];
	struct gpu_bo *a, *b, *s;
	struct gpu_vm vm;

	open_private(&vm);
	a = vm_test_bo(&vm, 'A', 2);
	b = vm_test_bo(&vm, 'B', 2);
	s = shareable(&vm, 'S', 2);

	ops[0] = gpu_bind_op_map(vm.area, a, 0, a->size);
	ops[1] = gpu_bind_op_map(vm.area + 2 * GPU_PAGE, s, 0, s->size);
	ops[2] = gpu_bind_op_map(vm.area + 4 * GPU_PAGE, b, 0, b->size);
	ops[3] = gpu_bind_op_map(vm.area + 6 * GPU_PAGE, a, GPU_PAGE, GPU_PAGE);
	msm_igt_assert_ok(gpu_vm_bind(&vm, ops, 4));
	vm_test_expect(&vm, vm.area, "A0-1 S0-1 B0-1 A1 .");

	ops[0] = gpu_bind_op_map(vm.area, s, 0, s->size);
	ops[1] = gpu_bind_op_map(vm.area + 2 * GPU_PAGE, a, 0, a->size);
	ops[2] = gpu_bind_op_unmap(vm.area + 5 * GPU_PAGE, GPU_PAGE);
	ops[3] = gpu_bind_op_map(vm.area + 6 * GPU_PAGE, b, 0, GPU_PAGE);
	msm_igt_assert_ok(gpu_vm_bind(&vm, ops, 4));
	vm_test_expect(&vm, vm.area, "S0-1 A0-1 B0 . B0 .");
	vm_test_close(&vm);
}

/* The last reference goes with the VM's lock held, or after the VM. */
static void lifetime(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	struct gpu_vm vm;
	struct gpu_bo *a;
	int i;

	open_private(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	gpu_bo_free(a);
	for (i = 0; i < 8; i++)
		vm_test_bo(&vm, 'Z', 4);
	vm_test_expect(&vm, vm.area, "A0-3");

	op = gpu_bind_op_unmap(vm.area, 4 * GPU_PAGE);
	msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1,
				       GPU_NO_FENCE, NULL));
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	gpu_bo_free(a);
	a = vm_test_bo(&vm, 'B', 4);
	vm_test_map(&vm, vm.area, a);
	vm_test_expect(&vm, vm.area, "B0-3");
	vm_test_close(&vm);
}

/* The file goes with a bind queued that waits, and with all still mapped. */
static void exit_mapped(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	u64 before = vm_test_bo_count();
	struct gpu_gate gate;
	struct gpu_vm vm;
	struct gpu_bo *a;
	int ret;

	open_private(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	vm_test_map(&vm, vm.area + 8 * GPU_PAGE, a);
	msm_igt_assert_ok(gpu_gate_new(&gate));
	op = gpu_bind_op_unmap(vm.area, 4 * GPU_PAGE);
	ret = gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1, gate.fence, NULL);
	msm_igt_assert_ok(ret);
	vm_test_close(&vm);
	msm_igt_assert_ok(gpu_gate_open(&gate));
	gpu_gate_free(&gate);
	vm_test_expect_bo_count(before);
}

static int gem_new(struct gpu_dev *dev, u64 size, u32 flags)
{
	struct drm_msm_gem_new req = {
		.size = size, .flags = MSM_BO_NO_SHARE | flags,
	};

	return gpu_ioctl(dev->fd, DRM_IOCTL_MSM_GEM_NEW, &req);
}

/* There must be a VM; asking for a buffer does not make one. */
static void new_without_vm(const void *arg)
{
	u64 before = vm_test_bo_count();
	struct gpu_dev dev;
	struct gpu_bo bo;
	u64 iova;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ret(gem_new(&dev, GPU_PAGE, MSM_BO_WC), -EINVAL);
	msm_igt_assert_ok(gpu_dev_opt_in(&dev));
	gpu_dev_close(&dev);

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &bo));
	msm_igt_assert_ok(gpu_legacy_iova(&bo, &iova));
	msm_igt_assert_ret(gem_new(&dev, GPU_PAGE, MSM_BO_WC), -EINVAL);
	gpu_bo_free(&bo);
	gpu_dev_close(&dev);
	vm_test_expect_bo_count(before);
}

static void new_bad(const void *arg)
{
	struct vm_canary c;
	u64 before;

	vm_canary_open(&c);
	before = vm_test_bo_count();
	msm_igt_assert_ret(gem_new(&c.vm.dev, 0, MSM_BO_WC), -EINVAL);
	msm_igt_assert_ret(gem_new(&c.vm.dev, GPU_PAGE, 0), -EINVAL);
	vm_test_expect_bo_count(before);
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* Each allocation on the way fails once. */
static void new_no_memory(const void *arg)
{
	struct vm_canary c;
	u64 before;
	int n, ret;

	msm_igt_assert_ok(gpu_knob_fail_nth(0));
	vm_canary_open(&c);
	before = vm_test_bo_count();
	for (n = 1; n < 1000; n++) {
		msm_igt_assert_ok(gpu_knob_fail_nth(n));
		ret = gem_new(&c.vm.dev, GPU_PAGE, MSM_BO_WC);
		msm_igt_assert_ok(gpu_knob_fail_nth(0));
		if (!ret)
			break;
		/* shmem has no space when it has no memory for an inode */
		if (ret != -ENOSPC)
			msm_igt_assert_ret(ret, -ENOMEM);
		vm_test_expect_bo_count(before);
	}
	msm_igt_assert(n > 1 && n < 1000, "%d tries\n", n);
	c.bos++;
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* A private buffer in the canary's hole, to see that a refusal changes nothing */
struct private {
	struct vm_canary c;
	struct gpu_bo *bo;
};

static void private_open(struct private *p)
{
	vm_canary_open(&p->c);
	p->c.vm.dev.bo_flags = MSM_BO_NO_SHARE;
	p->bo = vm_test_bo(&p->c.vm, 'P', 2);
	p->c.bos++;
	vm_test_map(&p->c.vm, p->c.hole, p->bo);
}

static void private_close(struct private *p)
{
	vm_test_expect(&p->c.vm, p->c.hole, "P0-1");
	vm_test_unmap(&p->c.vm, p->c.hole, 2);
	vm_canary_check(&p->c);
	vm_canary_close(&p->c);
}

static int export(struct gpu_dev *dev, u32 handle)
{
	struct drm_prime_handle req = { .handle = handle, .flags = DRM_CLOEXEC };
	int ret = gpu_ioctl(dev->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &req);

	if (!ret)
		close(req.fd);
	return ret;
}

static void refuse_export(const void *arg)
{
	struct private p;

	private_open(&p);
	msm_igt_assert_ret(export(&p.c.vm.dev, p.bo->handle), -EPERM);
	msm_igt_assert_ret(export(&p.c.vm.dev, p.c.a->handle), 0);
	private_close(&p);
}

static int gem_open(struct gpu_dev *dev, u32 name)
{
	struct drm_gem_open req = { .name = name };

	return gpu_ioctl(dev->fd, DRM_IOCTL_GEM_OPEN, &req);
}

static int open_card(struct gpu_dev *dev)
{
	*dev = (struct gpu_dev){ .fd = open(CARD, O_RDWR | O_CLOEXEC) };
	return dev->fd < 0 ? -errno : 0;
}

static u32 flink(struct gpu_bo *bo)
{
	struct drm_gem_flink req = { .handle = bo->handle };

	msm_igt_assert_ok(gpu_ioctl(bo->dev->fd, DRM_IOCTL_GEM_FLINK, &req));
	return req.name;
}

/* FLINK gives a name, which nobody else can open: not even with a VM. */
static void refuse_flink(const void *arg)
{
	struct gpu_dev owner, other;
	u64 before = vm_test_bo_count();
	struct gpu_bo bo, common;

	msm_igt_assert_ok(open_card(&owner));
	msm_igt_assert_ok(open_card(&other));
	msm_igt_assert_ok(gpu_dev_opt_in(&owner));
	msm_igt_assert_ok(gpu_bo_new(&owner, GPU_PAGE, &common));
	owner.bo_flags = MSM_BO_NO_SHARE;
	msm_igt_assert_ok(gpu_bo_new(&owner, GPU_PAGE, &bo));

	msm_igt_assert_ret(gem_open(&other, flink(&bo)), -EPERM);
	msm_igt_assert_ok(gem_open(&other, flink(&common)));
	msm_igt_assert_ok(gpu_dev_opt_in(&other));
	msm_igt_assert_ret(gem_open(&other, flink(&bo)), -EPERM);
	msm_igt_assert_ok(gem_open(&owner, flink(&bo)));

	gpu_bo_free(&bo);
	gpu_bo_free(&common);
	gpu_dev_close(&other);
	gpu_dev_close(&owner);
	vm_test_expect_bo_count(before);
}

static void refuse_framebuffer(const void *arg)
{
	struct drm_mode_fb_cmd2 req = {
		.width = 16, .height = 16, .pixel_format = 0x34325258,
		.pitches = { 64 },
	};
	struct gpu_dev dev;
	struct gpu_bo bo;
	int ret;

	msm_igt_assert_ok(open_card(&dev));
	msm_igt_assert_ok(gpu_dev_opt_in(&dev));
	dev.bo_flags = MSM_BO_NO_SHARE;
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &bo));
	req.handles[0] = bo.handle;
	ret = gpu_ioctl(dev.fd, DRM_IOCTL_MODE_ADDFB2, &req);
	gpu_bo_free(&bo);
	gpu_dev_close(&dev);
	msm_igt_require(ret != -EOPNOTSUPP, "this device has no display\n");
	msm_igt_assert_ret(ret, -EINVAL);
}

static const struct msm_igt_subtest tests[] = {
	{ "basic", "the GPU reads, writes and faults as ever", basic },
	{ "together", "several in one ioctl, with others between", together },
	{ "lifetime", "a mapping keeps the pages, an unmap lets go", lifetime },
	{ "exit-mapped", "nothing is left behind", exit_mapped },
	{ "new-without-vm", "only a VM has private buffers", new_without_vm },
	{ "new-bad", "errors are balanced", new_bad },
	{ "refuse-export", "no dma-buf", refuse_export },
	{ "refuse-flink", "no handle in another context", refuse_flink },
	{ "refuse-framebuffer", "no display", refuse_framebuffer },
};

/* Where the kernel can make an allocation fail */
static const struct msm_igt_subtest no_memory_tests[] = {
	{ "new-no-memory", "errors are balanced", new_no_memory },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_fixture(vm_test_strict);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	if (gpu_knob_can_fail())
		msm_igt_run(no_memory_tests, ARRAY_SIZE(no_memory_tests));
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}
