// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver below the drm_gpuvm test suites.
 *
 * It owns a device that no hardware stands behind, and does with the steps of
 * drm_gpuvm what the kerneldoc asks of a driver, no more: allocate a drm_gpuva,
 * call drm_gpuva_map(), drm_gpuva_remap() or drm_gpuva_unmap(), free what is no
 * longer in the tree.  Freed at once, so that KASAN sees drm_gpuvm look back.
 *
 * Two things are kept by value, in terms that share no code with drm_gpuvm:
 *   map	one mapping
 *   step	one drm_gpuva_op, with the mapping it is about
 * A log is the sequence of the steps of one request.  Suites compare logs and
 * trees against what they expect, and never against what drm_gpuvm computed.
 *
 * Nothing may outlive a test: VA spaces, objects and mappings are counted.
 */

#include <kunit/test.h>

#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>

#include "drm_gpuvm_fixture.h"

struct gpuvm_fixture_vm {
	struct drm_gpuvm base;
	struct gpuvm_fixture *fix;
};

struct gpuvm_fixture_bo {
	struct drm_gem_object base;
	struct gpuvm_fixture *fix;
};

struct gpuvm_fixture *gpuvm_fixture_of(struct drm_gpuvm *gpuvm)
{
	return container_of(gpuvm, struct gpuvm_fixture_vm, base)->fix;
}

/* Also the vm_free() callback of the suites that bring ops of their own. */
void gpuvm_fixture_vm_free(struct drm_gpuvm *gpuvm)
{
	struct gpuvm_fixture_vm *vm =
		container_of(gpuvm, struct gpuvm_fixture_vm, base);

	vm->fix->live_vms--;
	kfree(vm);
}

const struct drm_gpuvm_ops gpuvm_fixture_ops = {
	.vm_free = gpuvm_fixture_vm_free,
	.sm_step_map = gpuvm_log_step,
	.sm_step_remap = gpuvm_log_step,
	.sm_step_unmap = gpuvm_log_step,
};

static void gpuvm_fixture_vm_init(struct gpuvm_fixture *fix,
				  enum drm_gpuvm_flags flags,
				  u64 start, u64 range, u64 kstart, u64 krange,
				  const struct drm_gpuvm_ops *ops)
{
	struct drm_gem_object *resv_obj;
	struct gpuvm_fixture_vm *vm;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(fix->test, vm);

	resv_obj = gpuvm_fixture_create_bo(fix, NULL);
	vm->fix = fix;
	fix->live_vms++;
	drm_gpuvm_init(&vm->base, "test", flags, fix->drm, resv_obj,
		       start, range, kstart, krange, ops);
	drm_gem_object_put(resv_obj);

	fix->vm = &vm->base;
}

/* GPUVM_FIXTURE_PAGES, none of them reserved for the kernel */
void gpuvm_fixture_create_vm(struct gpuvm_fixture *fix,
			     enum drm_gpuvm_flags flags,
			     const struct drm_gpuvm_ops *ops)
{
	gpuvm_fixture_vm_init(fix, flags, GPUVM_FIXTURE_BASE,
			      GPUVM_FIXTURE_RANGE, 0, 0, ops);
}

/* [start, +range) without the kernel's [kstart, +krange) */
void gpuvm_fixture_create_vm_at(struct gpuvm_fixture *fix,
				u64 start, u64 range, u64 kstart, u64 krange)
{
	gpuvm_fixture_vm_init(fix, 0, start, range, kstart, krange,
			      &gpuvm_fixture_ops);
}

static void gpuvm_fixture_bo_free(struct drm_gem_object *obj)
{
	struct gpuvm_fixture_bo *bo =
		container_of(obj, struct gpuvm_fixture_bo, base);

	bo->fix->live_bos--;
	drm_gem_object_release(obj);
	kfree(bo);
}

static const struct drm_gem_object_funcs gpuvm_fixture_bo_funcs = {
	.free = gpuvm_fixture_bo_free,
};

/* With @resv, the object is private to the VA space that has it. */
struct drm_gem_object *gpuvm_fixture_create_bo(struct gpuvm_fixture *fix,
					       struct dma_resv *resv)
{
	struct gpuvm_fixture_bo *bo;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(fix->test, bo);

	bo->fix = fix;
	bo->base.funcs = &gpuvm_fixture_bo_funcs;
	bo->base.resv = resv;
	drm_gem_private_object_init(fix->drm, &bo->base, 0);
	fix->live_bos++;

	return &bo->base;
}

/* The init() of a suite: all but the VA space, in test->priv. */
int gpuvm_fixture_init(struct kunit *test)
{
	struct gpuvm_fixture *fix;
	struct device *dev;
	unsigned int i;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->test = test;
	test->priv = fix;

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);

	fix->drm = __drm_kunit_helper_alloc_drm_device(test, dev,
						       sizeof(*fix->drm), 0,
						       DRIVER_GEM |
						       DRIVER_GEM_GPUVA);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->drm);

	for (i = 0; i < ARRAY_SIZE(fix->bo); i++)
		fix->bo[i] = gpuvm_fixture_create_bo(fix, NULL);

	return 0;
}

/* The exit() of a suite: drop what init() and create_vm() hold, and count. */
void gpuvm_fixture_exit(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	unsigned int i;

	if (fix->vm) {
		gpuvm_fixture_clear(fix);
		KUNIT_EXPECT_TRUE(test, list_empty(&fix->vm->extobj.list));
		KUNIT_EXPECT_TRUE(test, list_empty(&fix->vm->evict.list));
	}

	for (i = 0; i < ARRAY_SIZE(fix->bo); i++)
		if (fix->bo[i])
			drm_gem_object_put(fix->bo[i]);
	drm_gpuvm_put(fix->vm);

	KUNIT_EXPECT_EQ(test, fix->live_vas, 0);
	KUNIT_EXPECT_EQ(test, fix->live_vms, 0);
	KUNIT_EXPECT_EQ(test, fix->live_bos, 0);
}

struct drm_gpuva *gpuvm_fixture_va_alloc(struct gpuvm_fixture *fix)
{
	struct drm_gpuva *va = kzalloc(sizeof(*va), GFP_KERNEL);

	if (va)
		fix->live_vas++;

	return va;
}

void gpuvm_fixture_va_free(struct gpuvm_fixture *fix, struct drm_gpuva *va)
{
	fix->live_vas--;
	kfree(va);
}

/* Put @map into the tree, without split and merge.  Must succeed. */
struct drm_gpuva *gpuvm_fixture_insert(struct gpuvm_fixture *fix,
				       const struct gpuvm_map *map)
{
	struct drm_gpuva *va = gpuvm_fixture_va_alloc(fix);

	KUNIT_ASSERT_NOT_NULL(fix->test, va);
	drm_gpuva_init(va, map->addr, map->range, map->obj, map->offset);
	KUNIT_ASSERT_EQ(fix->test, drm_gpuva_insert(fix->vm, va), 0);

	return va;
}

/* The first page of @obj, which may be NULL, at a page of the VA space */
struct drm_gpuva *gpuvm_fixture_insert_page(struct gpuvm_fixture *fix,
					    struct drm_gem_object *obj,
					    u64 page)
{
	return gpuvm_fixture_insert(fix, &(struct gpuvm_map) {
		.addr = GPUVM_FIXTURE_BASE + page * GPUVM_FIXTURE_PAGE,
		.range = GPUVM_FIXTURE_PAGE,
		.obj = obj,
	});
}

/* Remove and free all mappings; the kernel's node stays. */
void gpuvm_fixture_clear(struct gpuvm_fixture *fix)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_va_safe(va, next, fix->vm) {
		if (va == &fix->vm->kernel_alloc_node)
			continue;
		drm_gpuva_remove(va);
		gpuvm_fixture_va_free(fix, va);
	}
}

/* The object's drm_gpuvm_bo, with a reference more */
struct drm_gpuvm_bo *gpuvm_fixture_obtain(struct gpuvm_fixture *fix,
					  struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_lock(obj->resv, NULL);
	vm_bo = drm_gpuvm_bo_obtain(fix->vm, obj);
	dma_resv_unlock(obj->resv);
	KUNIT_ASSERT_FALSE(fix->test, IS_ERR(vm_bo));

	return vm_bo;
}

/* Returns: true if that was the last reference. */
bool gpuvm_fixture_put_vm_bo(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = vm_bo->obj;
	bool destroyed;

	dma_resv_lock(obj->resv, NULL);
	destroyed = drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(obj->resv);

	return destroyed;
}

static struct gpuvm_map gpuvm_map_of_va(const struct drm_gpuva *va)
{
	return (struct gpuvm_map) {
		.addr = va->va.addr,
		.range = va->va.range,
		.obj = va->gem.obj,
		.offset = va->gem.offset,
	};
}

static struct gpuvm_map gpuvm_map_of_op(const struct drm_gpuva_op_map *op)
{
	if (!op)
		return (struct gpuvm_map) { };

	return (struct gpuvm_map) {
		.addr = op->va.addr,
		.range = op->va.range,
		.obj = op->gem.obj,
		.offset = op->gem.offset,
	};
}

static bool gpuvm_map_equal(const struct gpuvm_map *a,
			    const struct gpuvm_map *b)
{
	return a->addr == b->addr && a->range == b->range &&
	       a->obj == b->obj && a->offset == b->offset;
}

static void gpuvm_map_show(struct gpuvm_fixture *fix, const char *what,
			   const struct gpuvm_map *map)
{
	kunit_info(fix->test, "%s [%llx, +%llx) obj %p offset %llx\n", what,
		   map->addr, map->range, map->obj, map->offset);
}

/**
 * gpuvm_fixture_holds() - is the tree what it should be?
 * @fix: the fixture
 * @map: all mappings that there should be, in the order of their addresses
 * @count: number of elements of @map
 *
 * Looks through both of drm_gpuvm's structures, the list and the interval tree.
 *
 * Returns: true if so; otherwise the difference is in the test's log.
 */
bool gpuvm_fixture_holds(struct gpuvm_fixture *fix,
			 const struct gpuvm_map *map, unsigned int count)
{
	unsigned int i = 0;
	struct drm_gpuva *va;
	struct gpuvm_map got;

	drm_gpuvm_for_each_va(va, fix->vm) {
		got = gpuvm_map_of_va(va);
		if (i == count || !gpuvm_map_equal(&got, &map[i])) {
			gpuvm_map_show(fix, "unexpected", &got);
			if (i < count)
				gpuvm_map_show(fix, "instead of", &map[i]);
			return false;
		}
		if (drm_gpuva_find(fix->vm, got.addr, got.range) != va) {
			gpuvm_map_show(fix, "not found", &got);
			return false;
		}
		i++;
	}

	if (i < count)
		gpuvm_map_show(fix, "missing", &map[i]);

	return i == count;
}

struct gpuvm_log *gpuvm_log_create(struct gpuvm_fixture *fix)
{
	struct gpuvm_log *log;

	log = kunit_kzalloc(fix->test, sizeof(*log), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(fix->test, log);
	log->fix = fix;

	return log;
}

/* Before the next request. */
void gpuvm_log_reset(struct gpuvm_log *log)
{
	log->count = 0;
}

static struct gpuvm_step gpuvm_step_of_op(const struct drm_gpuva_op *op)
{
	struct gpuvm_step step = { .op = op->op };

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		step.va = gpuvm_map_of_op(&op->map);
		break;
	case DRM_GPUVA_OP_REMAP:
		step.keep = op->remap.unmap->keep;
		step.va = gpuvm_map_of_va(op->remap.unmap->va);
		step.prev = gpuvm_map_of_op(op->remap.prev);
		step.next = gpuvm_map_of_op(op->remap.next);
		break;
	case DRM_GPUVA_OP_UNMAP:
		step.keep = op->unmap.keep;
		step.va = gpuvm_map_of_va(op->unmap.va);
		break;
	case DRM_GPUVA_OP_PREFETCH:
		step.va = gpuvm_map_of_va(op->prefetch.va);
		break;
	}

	return step;
}

static int gpuvm_log_apply_remap(struct gpuvm_fixture *fix,
				 struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva *old = op->unmap->va;
	struct drm_gpuva *prev = NULL, *next = NULL;

	if (op->prev)
		prev = gpuvm_fixture_va_alloc(fix);
	if (op->next)
		next = gpuvm_fixture_va_alloc(fix);
	if ((op->prev && !prev) || (op->next && !next)) {
		if (prev)
			gpuvm_fixture_va_free(fix, prev);
		if (next)
			gpuvm_fixture_va_free(fix, next);
		return -ENOMEM;
	}

	drm_gpuva_remap(prev, next, op);
	gpuvm_fixture_va_free(fix, old);

	return 0;
}

static int gpuvm_log_apply(struct gpuvm_fixture *fix, struct drm_gpuva_op *op)
{
	struct drm_gpuva *va;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		va = gpuvm_fixture_va_alloc(fix);
		if (!va)
			return -ENOMEM;
		drm_gpuva_map(fix->vm, va, &op->map);
		return 0;
	case DRM_GPUVA_OP_REMAP:
		return gpuvm_log_apply_remap(fix, &op->remap);
	case DRM_GPUVA_OP_UNMAP:
		va = op->unmap.va;
		drm_gpuva_unmap(&op->unmap);
		gpuvm_fixture_va_free(fix, va);
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * gpuvm_log_step() - write a step down, and do it if the log says so
 * @op: the step
 * @priv: the struct gpuvm_log
 *
 * All three sm_step callbacks of struct drm_gpuvm_ops.
 *
 * Returns: 0, GPUVM_FIXTURE_ERR if the log told this call to fail, -ENOMEM.
 */
int gpuvm_log_step(struct drm_gpuva_op *op, void *priv)
{
	struct gpuvm_log *log = priv;

	if (log->count < ARRAY_SIZE(log->step))
		log->step[log->count] = gpuvm_step_of_op(op);
	log->count++;

	if (log->count == log->fail_at)
		return GPUVM_FIXTURE_ERR;

	return log->apply ? gpuvm_log_apply(log->fix, op) : 0;
}

/* The same for a list of steps. */
int gpuvm_log_ops(struct gpuvm_log *log, struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op;
	int ret = 0;

	drm_gpuva_for_each_op(op, ops) {
		ret = gpuvm_log_step(op, log);
		if (ret)
			break;
	}

	return ret;
}

static bool gpuvm_step_equal(const struct gpuvm_step *a,
			     const struct gpuvm_step *b)
{
	return a->op == b->op && a->keep == b->keep &&
	       gpuvm_map_equal(&a->va, &b->va) &&
	       gpuvm_map_equal(&a->prev, &b->prev) &&
	       gpuvm_map_equal(&a->next, &b->next);
}

static void gpuvm_step_show(struct gpuvm_fixture *fix, const char *what,
			    const struct gpuvm_step *step)
{
	static const char * const name[] = {
		[DRM_GPUVA_OP_MAP] = "map",
		[DRM_GPUVA_OP_REMAP] = "remap",
		[DRM_GPUVA_OP_UNMAP] = "unmap",
		[DRM_GPUVA_OP_PREFETCH] = "prefetch",
	};

	kunit_info(fix->test, "%s %s%s\n", what, name[step->op],
		   step->keep ? " (keep)" : "");
	gpuvm_map_show(fix, "  va  ", &step->va);
	if (step->prev.range)
		gpuvm_map_show(fix, "  prev", &step->prev);
	if (step->next.range)
		gpuvm_map_show(fix, "  next", &step->next);
}

/**
 * gpuvm_log_says() - were the steps the right ones?
 * @log: the log
 * @step: all steps that there should be, in order
 * @count: number of elements of @step
 *
 * Returns: true if so; otherwise the difference is in the test's log.
 */
bool gpuvm_log_says(struct gpuvm_log *log,
		    const struct gpuvm_step *step, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < min(log->count, count); i++) {
		if (gpuvm_step_equal(&log->step[i], &step[i]))
			continue;
		gpuvm_step_show(log->fix, "got", &log->step[i]);
		gpuvm_step_show(log->fix, "instead of", &step[i]);
		return false;
	}

	if (log->count != count)
		kunit_info(log->fix->test, "%u steps instead of %u\n",
			   log->count, count);

	return log->count == count;
}
