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

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_mode_config.h>

#include "../msm_drv.h"
#include "../msm_gem.h"

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

static void add_bo(struct kunit *test, struct fixture *fix, u32 handle)
{
	struct drm_gem_object *obj = &fix->bos[handle].base;

	drm_gem_private_object_init(fix->drm, obj, SZ_64K);
	obj->funcs = &bo_funcs;
	KUNIT_ASSERT_EQ(test, handle,
			idr_alloc(&fix->file.object_idr, obj, handle, 0,
				  GFP_KERNEL));
}

static int setup(struct kunit *test)
{
	struct fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	struct device *dev = drm_kunit_helper_alloc_device(test);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	fix->drm = __drm_kunit_helper_alloc_drm_device(test, dev,
						       sizeof(*fix->drm), 0,
						       DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->drm);
	fix->drm->mode_config.funcs = &mode_funcs;

	idr_init_base(&fix->file.object_idr, SHARED);
	spin_lock_init(&fix->file.table_lock);
	for (u32 handle = SHARED; handle < NR_HANDLES; handle++)
		add_bo(test, fix, handle);
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
