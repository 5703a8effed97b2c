// SPDX-License-Identifier: MIT
/*
 * A GPU that does not come up at once.
 *
 * It is powered up when somebody opens the render node, again at each open until
 * that works.  A context from before has no GPU: it must be told so, with
 * mainline's errno, and do no harm when the GPU is there later.
 *
 * Takes the module out and puts it in again, for a GPU that was never up.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gpu_knob.h"
#include "gpu_legacy.h"
#include "vm_test.h"

#define REFS		"/sys/module/msm/refcnt"
#define MODULE_OLD	"modprobe -r msm 2>/dev/null"
#define MODULE_NEW	"modprobe msm vgpu=1 vgpu_false_starts=2"

/* Not vm_test_fixture(): libigt keeps a device open that it has looked for. */
static void setup(void)
{
	struct gpu_dev dev;

	msm_igt_require(!gpu_dev_open(&dev), "no render node of msm\n");
	gpu_dev_close(&dev);
	msm_igt_require(!access(REFS, R_OK), "msm is no module\n");
	igt_emit_ignore_dmesg_regex(VM_TEST_DMESG
				    "|CP does not start|hw init failed");
}

/* VMs go in workers, which hold the module.  A new one has the default period. */
static void reload(void)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	u32 hangcheck;

	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(1000, &hangcheck));
	while (system(MODULE_OLD) && (ms -= 100) > 0)
		usleep(100000);
	msm_igt_assert(ms > 0, "msm does not go\n");
	msm_igt_assert_ret(system(MODULE_NEW), 0);
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(hangcheck, NULL));
}

/* What the ioctls that need a GPU say without one */
static void expect_no_gpu(struct gpu_dev *dev)
{
	struct drm_msm_gem_submit submit = { .flags = MSM_PIPE_3D0 };
	struct drm_msm_vm_bind bind = { .queue_id = 1 };
	u32 queue;
	u64 value;

	msm_igt_assert_ret(gpu_dev_get_param(dev, MSM_PARAM_HAS_PRR, &value),
			   -ENXIO);
	msm_igt_assert_ret(gpu_dev_opt_in(dev), -ENXIO);
	msm_igt_assert_ret(gpu_bind_ioctl(dev, &bind), -ENXIO);
	msm_igt_assert_ret(gpu_ioctl(dev->fd, DRM_IOCTL_MSM_GEM_SUBMIT,
				     &submit), -ENXIO);
	msm_igt_assert_ret(gpu_dev_queue_new(dev, 0, 0, &queue), -ENODEV);
	msm_igt_assert_ret(gpu_dev_queue_new(dev, MSM_SUBMITQUEUE_VM_BIND, 0,
					     &queue), -ENODEV);
}

/* A buffer is memory only; but one that belongs to a VM needs a VM. */
static void expect_no_vm(struct gpu_dev *dev)
{
	struct gpu_bo bo;
	u64 iova;

	msm_igt_assert_ok(gpu_bo_new(dev, GPU_PAGE, &bo));
	msm_igt_assert_ret(gpu_legacy_iova(&bo, &iova), -EINVAL);
	gpu_bo_free(&bo);
	dev->bo_flags = MSM_BO_NO_SHARE;
	msm_igt_assert_ret(gpu_bo_new(dev, GPU_PAGE, &bo), -EINVAL);
	dev->bo_flags = 0;
}

static void expect_works(void)
{
	struct gpu_vm vm;

	vm_test_open(&vm);
	vm_test_map(&vm, vm.area, vm_test_bo(&vm, 'A', 2));
	vm_test_expect(&vm, vm.area, "A0 A1 .");
	vm_test_close(&vm);
}

static void late(const void *arg)
{
	struct drm_msm_gem_submit submit = { .flags = MSM_PIPE_3D0 };
	struct gpu_dev early[2];
	int i;

	reload();
	for (i = 0; i < 2; i++) {
		msm_igt_assert_ok(gpu_dev_open(&early[i]));
		expect_no_gpu(&early[i]);
		expect_no_vm(&early[i]);
	}

	expect_works();
	/* It came without the queues that a GPU would have given it. */
	for (i = 0; i < 2; i++)
		msm_igt_assert_ret(gpu_ioctl(early[i].fd,
					     DRM_IOCTL_MSM_GEM_SUBMIT, &submit),
				   -ENOENT);
	gpu_dev_close(&early[0]);
	expect_works();
	gpu_dev_close(&early[1]);
}

static const struct msm_igt_subtest tests[] = {
	{ "late", "a GPU that powers up at the third open", late },
};

/* A knob that is set counts the starts anew: this GPU is to go on. */
static void restore(void)
{
	msm_igt_assert_ok(gpu_knob_set("false_starts", 0));
}

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(setup);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_fixture(restore);
	igt_exit();
}
