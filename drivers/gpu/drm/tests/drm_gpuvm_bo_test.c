// SPDX-License-Identifier: GPL-2.0-only
/*
 * drm_gpuvm_bo: the pair of an object and a VA space.
 *
 * There is one for each pair, it keeps both alive, and the mappings linked to
 * it keep it alive.  vm_bo_alloc() and vm_bo_free() count how many there are.
 */

#include <kunit/test.h>

#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "drm_gpuvm_fixture.h"

/* vm_bo_alloc() has no argument to find the fixture with. */
static unsigned int gpuvm_bo_live;

static struct drm_gpuvm_bo *gpuvm_bo_alloc(void)
{
	struct drm_gpuvm_bo *vm_bo = kzalloc(sizeof(*vm_bo), GFP_KERNEL);

	if (vm_bo)
		gpuvm_bo_live++;

	return vm_bo;
}

static void gpuvm_bo_free(struct drm_gpuvm_bo *vm_bo)
{
	gpuvm_bo_live--;
	kfree(vm_bo);
}

static const struct drm_gpuvm_ops gpuvm_bo_ops = {
	.vm_free = gpuvm_fixture_vm_free,
	.vm_bo_alloc = gpuvm_bo_alloc,
	.vm_bo_free = gpuvm_bo_free,
};

static int gpuvm_bo_init(struct kunit *test)
{
	gpuvm_bo_live = 0;

	return gpuvm_fixture_init(test);
}

static void gpuvm_bo_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, gpuvm_bo_live, 0);
	gpuvm_fixture_exit(test);
}

/* NULL if the object is not known to the VA space */
static struct drm_gpuvm_bo *gpuvm_bo_peek(struct gpuvm_fixture *fix,
					  struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_lock(obj->resv, NULL);
	vm_bo = drm_gpuvm_bo_find(fix->vm, obj);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(obj->resv);

	return vm_bo;
}

static unsigned int gpuvm_bo_refs(struct drm_gem_object *obj)
{
	return kref_read(&obj->refcount);
}

/* There is one drm_gpuvm_bo per pair; it holds both, once. */
static void gpuvm_bo_is_unique(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gem_object *obj = fix->bo[0];
	struct drm_gpuvm_bo *vm_bo;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_bo_ops);
	KUNIT_EXPECT_NULL(test, gpuvm_bo_peek(fix, obj));

	vm_bo = gpuvm_fixture_obtain(fix, obj);
	KUNIT_EXPECT_PTR_EQ(test, vm_bo->vm, fix->vm);
	KUNIT_EXPECT_PTR_EQ(test, vm_bo->obj, obj);
	KUNIT_EXPECT_PTR_EQ(test, gpuvm_fixture_obtain(fix, obj), vm_bo);
	KUNIT_EXPECT_PTR_EQ(test, gpuvm_bo_peek(fix, obj), vm_bo);
	KUNIT_EXPECT_EQ(test, gpuvm_bo_live, 1);
	KUNIT_EXPECT_EQ(test, gpuvm_bo_refs(obj), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&fix->vm->kref), 2);

	KUNIT_EXPECT_FALSE(test, gpuvm_fixture_put_vm_bo(vm_bo));
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(vm_bo));
	KUNIT_EXPECT_NULL(test, gpuvm_bo_peek(fix, obj));
	KUNIT_EXPECT_EQ(test, gpuvm_bo_refs(obj), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&fix->vm->kref), 1);
}

static void gpuvm_bo_two_vms(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gem_object *obj = fix->bo[0];
	struct drm_gpuvm_bo *first, *second;
	struct drm_gpuvm *vm;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_bo_ops);
	first = gpuvm_fixture_obtain(fix, obj);
	vm = fix->vm;
	gpuvm_fixture_create_vm(fix, 0, &gpuvm_bo_ops);
	second = gpuvm_fixture_obtain(fix, obj);

	KUNIT_EXPECT_PTR_NE(test, first, second);
	KUNIT_EXPECT_PTR_EQ(test, first->vm, vm);
	KUNIT_EXPECT_PTR_EQ(test, second->vm, fix->vm);

	/* The VA space stays for the drm_gpuvm_bo, and no longer. */
	drm_gpuvm_put(vm);
	KUNIT_EXPECT_EQ(test, fix->live_vms, 2);
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(first));
	KUNIT_EXPECT_EQ(test, fix->live_vms, 1);
	KUNIT_EXPECT_PTR_EQ(test, gpuvm_bo_peek(fix, obj), second);
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(second));
}

static void gpuvm_bo_prealloc(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gem_object *obj = fix->bo[0];
	struct drm_gpuvm_bo *first, *second;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_bo_ops);
	first = drm_gpuvm_bo_create(fix->vm, obj);
	second = drm_gpuvm_bo_create(fix->vm, obj);
	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_NULL(test, gpuvm_bo_peek(fix, obj));

	dma_resv_lock(obj->resv, NULL);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_bo_obtain_prealloc(first), first);
	KUNIT_EXPECT_EQ(test, gpuvm_bo_live, 2);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_bo_obtain_prealloc(second), first);
	KUNIT_EXPECT_EQ(test, gpuvm_bo_live, 1);
	dma_resv_unlock(obj->resv);

	KUNIT_EXPECT_EQ(test, gpuvm_bo_refs(obj), 2);
	KUNIT_EXPECT_FALSE(test, gpuvm_fixture_put_vm_bo(first));
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(first));
}

/* The last mapping takes the drm_gpuvm_bo along. */
static void gpuvm_bo_link(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gem_object *obj = fix->bo[0];
	struct drm_gpuva *va[2], *linked;
	struct drm_gpuvm_bo *pair;
	unsigned int i = 0;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_bo_ops);
	pair = gpuvm_fixture_obtain(fix, obj);
	va[0] = gpuvm_fixture_insert_page(fix, obj, 3);
	va[1] = gpuvm_fixture_insert_page(fix, obj, 0);

	dma_resv_lock(obj->resv, NULL);
	drm_gpuva_link(va[0], pair);
	drm_gpuva_link(va[1], pair);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_bo_put(pair));

	drm_gpuvm_bo_for_each_va(linked, pair) {
		KUNIT_ASSERT_LT(test, i, 2);
		KUNIT_EXPECT_PTR_EQ(test, linked, va[i++]);
		KUNIT_EXPECT_PTR_EQ(test, linked->vm_bo, pair);
	}
	KUNIT_EXPECT_EQ(test, i, 2);

	drm_gpuva_unlink(va[0]);
	KUNIT_EXPECT_NULL(test, va[0]->vm_bo);
	KUNIT_EXPECT_EQ(test, gpuvm_bo_live, 1);
	drm_gpuva_unlink(va[1]);
	KUNIT_EXPECT_EQ(test, gpuvm_bo_live, 0);
	dma_resv_unlock(obj->resv);

	KUNIT_EXPECT_EQ(test, gpuvm_bo_refs(obj), 1);
}

static void gpuvm_bo_link_no_object(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_bo_ops);
	vm_bo = gpuvm_fixture_obtain(fix, fix->bo[0]);
	va = gpuvm_fixture_insert_page(fix, NULL, 0);

	drm_gpuva_link(va, vm_bo);
	KUNIT_EXPECT_NULL(test, va->vm_bo);
	drm_gpuva_unlink(va);
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(vm_bo));
}

static void gpuvm_bo_unmap_all(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gem_object *obj = fix->bo[0];
	struct drm_gpuva *va[2], *other;
	struct drm_gpuva_ops *ops;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva_op *op;
	unsigned int i = 0;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_bo_ops);
	vm_bo = gpuvm_fixture_obtain(fix, obj);
	va[0] = gpuvm_fixture_insert_page(fix, obj, 3);
	va[1] = gpuvm_fixture_insert_page(fix, obj, 0);
	other = gpuvm_fixture_insert_page(fix, fix->bo[1], 1);

	dma_resv_lock(obj->resv, NULL);
	drm_gpuva_link(va[0], vm_bo);
	drm_gpuva_link(va[1], vm_bo);
	ops = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	KUNIT_EXPECT_FALSE(test, IS_ERR(ops));
	drm_gpuva_for_each_op(op, ops) {
		KUNIT_EXPECT_EQ(test, op->op, DRM_GPUVA_OP_UNMAP);
		KUNIT_EXPECT_PTR_EQ(test, op->unmap.va, i < 2 ? va[i] : NULL);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, 2);
	drm_gpuva_ops_free(fix->vm, ops);

	drm_gpuva_unlink(va[0]);
	drm_gpuva_unlink(va[1]);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(obj->resv);
	KUNIT_EXPECT_NULL(test, other->vm_bo);
}

static struct kunit_case gpuvm_bo_tests[] = {
	KUNIT_CASE(gpuvm_bo_is_unique),
	KUNIT_CASE(gpuvm_bo_two_vms),
	KUNIT_CASE(gpuvm_bo_prealloc),
	KUNIT_CASE(gpuvm_bo_link),
	KUNIT_CASE(gpuvm_bo_link_no_object),
	KUNIT_CASE(gpuvm_bo_unmap_all),
	{ }
};

static struct kunit_suite gpuvm_bo_suite = {
	.name = "drm_gpuvm_bo",
	.init = gpuvm_bo_init,
	.exit = gpuvm_bo_exit,
	.test_cases = gpuvm_bo_tests,
};

kunit_test_suite(gpuvm_bo_suite);
