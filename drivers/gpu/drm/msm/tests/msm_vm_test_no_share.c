// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BO that belongs to a VM is not for the display: its lock is not its own.
 * The virtual GPU has no display, so ADDFB is asked here, one step below the
 * ioctl.
 */

#include <kunit/test.h>
#include <linux/sizes.h>
#include <uapi/drm/drm_fourcc.h>
#include <uapi/drm/msm_drm.h>

#include <drm/drm_framebuffer.h>
#include <drm/drm_mode_config.h>

#include "../msm_drv.h"
#include "../msm_gem.h"
#include "msm_vm_test_client.h"

enum { SHARED = 1, PRIVATE, NR_HANDLES };

/**
 * struct fixture - a client with two BOs, by their handles
 * @drm: the device
 * @file: the client
 * @bos: the BOs; that at %PRIVATE belongs to a VM
 */
struct fixture {
	struct drm_device *drm;
	struct drm_file file;
	struct msm_gem_object bos[NR_HANDLES];
};

static void bo_free(struct drm_gem_object *obj)
{
	drm_gem_object_release(obj);
}

static const struct drm_gem_object_funcs bo_funcs = { .free = bo_free };

static const struct drm_mode_config_funcs mode_funcs;

static int setup(struct kunit *test)
{
	struct fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->drm = msm_vm_test_device(test, DRIVER_GEM);
	fix->drm->mode_config.funcs = &mode_funcs;

	msm_vm_test_client(&fix->file, SHARED);
	for (u32 handle = SHARED; handle < NR_HANDLES; handle++) {
		struct drm_gem_object *obj = &fix->bos[handle].base;

		msm_vm_test_add_bo(test, fix->drm, &fix->file, obj, SZ_64K, handle);
		obj->funcs = &bo_funcs;
	}
	fix->bos[PRIVATE].flags = MSM_BO_NO_SHARE;
	test->priv = fix;

	return 0;
}

static void teardown(struct kunit *test)
{
	struct fixture *fix = test->priv;

	if (!fix)
		return;

	for (u32 handle = SHARED; handle < NR_HANDLES; handle++)
		drm_gem_object_put(&fix->bos[handle].base);
	idr_destroy(&fix->file.object_idr);
}

static void expect_refused(struct kunit *test, u32 luma, u32 chroma, long err)
{
	struct fixture *fix = test->priv;
	struct drm_mode_fb_cmd2 cmd = {
		.width = 64,
		.height = 64,
		.pixel_format = DRM_FORMAT_NV12,
		.handles = { luma, chroma },
		.pitches = { 64, 64 },
	};

	KUNIT_EXPECT_EQ(test, err,
			PTR_ERR(msm_framebuffer_create(fix->drm, &fix->file,
						       &cmd)));
	for (u32 handle = SHARED; handle < NR_HANDLES; handle++)
		KUNIT_EXPECT_EQ(test, 1,
				kref_read(&fix->bos[handle].base.refcount));
}

/* In each plane; the shared BO alone is nothing that this refuses. */
static void no_share_framebuffer(struct kunit *test)
{
	expect_refused(test, PRIVATE, PRIVATE, -EINVAL);
	expect_refused(test, PRIVATE, SHARED, -EINVAL);
	expect_refused(test, SHARED, PRIVATE, -EINVAL);
	expect_refused(test, SHARED, NR_HANDLES, -ENXIO);
}

static struct kunit_case no_share_cases[] = {
	KUNIT_CASE(no_share_framebuffer),
	{}
};

static struct kunit_suite no_share_suite = {
	.name = "msm-vm-no-share",
	.init = setup,
	.exit = teardown,
	.test_cases = no_share_cases,
};

kunit_test_suite(no_share_suite);
