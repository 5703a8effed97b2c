// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VM_BIND says where there is no GPU, or one that has no page tables per
 * process.  The virtual one has them.
 */

#include <kunit/test.h>
#include <uapi/drm/msm_drm.h>

#include "../msm_drv.h"
#include "../msm_gem.h"
#include "../msm_gpu.h"
#include "../vm/msm_vm.h"
#include "msm_vm_test_client.h"

#define VA_LIMIT	((u64)SZ_1G * 512)

/**
 * struct fixture - a client of a device
 * @drm: the device
 * @priv: what the driver keeps for it; its GPU is what a test puts there
 * @file: the client
 * @ctx: its context, which has not opted in
 * @gpu: a GPU with nothing in it
 * @funcs: of @gpu
 */
struct fixture {
	struct drm_device *drm;
	struct msm_drm_private priv;
	struct drm_file file;
	struct msm_file_private ctx;
	struct msm_gpu gpu;
	struct msm_gpu_funcs funcs;
};

static int setup(struct kunit *test)
{
	struct fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->drm = msm_vm_test_device(test, DRIVER_GEM);
	fix->drm->dev_private = &fix->priv;
	fix->file.driver_priv = &fix->ctx;
	fix->gpu.dev = fix->drm;
	fix->gpu.funcs = &fix->funcs;
	test->priv = fix;

	return 0;
}

/* Before anything else is looked at: not even whether it has opted in */
static void no_gpu(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct drm_msm_vm_bind args = {};

	KUNIT_EXPECT_EQ(test, -ENXIO,
			msm_ioctl_vm_bind(fix->drm, &args, &fix->file));

	fix->priv.gpu = &fix->gpu;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			msm_ioctl_vm_bind(fix->drm, &args, &fix->file));
}

static void expect_no_vm(struct kunit *test)
{
	struct fixture *fix = test->priv;

	KUNIT_EXPECT_FALSE(test, msm_vm_has_null(&fix->gpu));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			msm_vm_enable(&fix->gpu, &fix->ctx, VA_LIMIT));
	KUNIT_EXPECT_NULL(test, fix->ctx.vm);
}

static struct msm_gem_address_space *no_space(struct msm_gpu *gpu)
{
	return ERR_PTR(-ENODEV);
}

/* Generations before a6xx, and a GPU whose memory is carved out */
static void no_private_tables(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_gem_address_space shared = {};

	fix->gpu.aspace = &shared;
	expect_no_vm(test);

	fix->funcs.create_private_address_space = no_space;
	fix->gpu.aspace = NULL;
	expect_no_vm(test);
	fix->gpu.aspace = ERR_PTR(-ENODEV);
	expect_no_vm(test);
}

static struct kunit_case gpu_cases[] = {
	KUNIT_CASE(no_gpu),
	KUNIT_CASE(no_private_tables),
	{}
};

static struct kunit_suite gpu_suite = {
	.name = "msm-vm-gpu",
	.init = setup,
	.test_cases = gpu_cases,
};

kunit_test_suite(gpu_suite);
