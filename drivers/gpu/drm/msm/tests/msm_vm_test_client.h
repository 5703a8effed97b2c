/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DRM device without a GPU and clients without a process, for suites that call
 * the driver's entry points.
 */
#ifndef __MSM_VM_TEST_CLIENT_H__
#define __MSM_VM_TEST_CLIENT_H__

#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>

/* It goes with the test; asserts that it can be had. */
static inline struct drm_device *msm_vm_test_device(struct kunit *test,
						    u32 features)
{
	struct device *dev = drm_kunit_helper_alloc_device(test);
	struct drm_device *drm;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	drm = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*drm), 0,
						  features);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);

	return drm;
}

/* A client whose handles begin with @first; idr_destroy() is the caller's. */
static inline void msm_vm_test_client(struct drm_file *file, u32 first)
{
	idr_init_base(&file->object_idr, first);
	spin_lock_init(&file->table_lock);
}

/* Give the client a BO of @size bytes that has no pages, at the next handle. */
static inline void msm_vm_test_add_bo(struct kunit *test, struct drm_device *drm,
				      struct drm_file *file,
				      struct drm_gem_object *obj, size_t size,
				      u32 handle)
{
	drm_gem_private_object_init(drm, obj, size);
	KUNIT_ASSERT_EQ(test, handle,
			idr_alloc(&file->object_idr, obj, handle, 0, GFP_KERNEL));
}

#endif /* __MSM_VM_TEST_CLIENT_H__ */
