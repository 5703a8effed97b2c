/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the drm_gpuvm test suites share: a device without hardware, GEM objects
 * without memory, and the smallest driver that does what drm_gpuvm says.
 */
#ifndef __DRM_GPUVM_FIXTURE_H__
#define __DRM_GPUVM_FIXTURE_H__

#include <linux/bits.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include <drm/drm_gpuvm.h>

struct drm_device;
struct drm_gem_object;
struct kunit;

/* Above 4 GiB, so that an address cut to 32 bits does not go unseen. */
#define GPUVM_FIXTURE_BASE	BIT_ULL(40)
#define GPUVM_FIXTURE_PAGE	((u64)SZ_64K)
#define GPUVM_FIXTURE_PAGES	64
#define GPUVM_FIXTURE_RANGE	(GPUVM_FIXTURE_PAGES * GPUVM_FIXTURE_PAGE)

/* Every page can be a mapping of its own, to be unmapped by one request. */
#define GPUVM_FIXTURE_STEPS	(GPUVM_FIXTURE_PAGES + 1)

/**
 * struct gpuvm_fixture - the device, the objects and one VA space of a test
 * @test: the test
 * @drm: a device with GEM and GPUVA support
 * @vm: the VA space, NULL before gpuvm_fixture_create_vm()
 * @bo: GEM objects with a dma_resv of their own
 * @priv: for the suite
 * @live_vms: VA spaces not yet freed
 * @live_bos: GEM objects not yet freed
 * @live_vas: mappings not yet freed
 *
 * gpuvm_fixture_exit() fails the test if it leaves one of the three behind.
 */
struct gpuvm_fixture {
	struct kunit *test;
	struct drm_device *drm;
	struct drm_gpuvm *vm;
	struct drm_gem_object *bo[3];
	void *priv;
	unsigned int live_vms;
	unsigned int live_bos;
	unsigned int live_vas;
};

/**
 * struct gpuvm_map - a mapping by value
 * @addr: first byte in the VA space
 * @range: size in bytes, 0 for no mapping at all
 * @obj: what is mapped, NULL for a mapping without an object
 * @offset: the byte of @obj that @addr shows
 */
struct gpuvm_map {
	u64 addr;
	u64 range;
	struct drm_gem_object *obj;
	u64 offset;
};

/**
 * struct gpuvm_step - a struct drm_gpuva_op by value
 * @op: its kind
 * @keep: the unmapped page table entries could stay
 * @va: the mapping that comes or goes
 * @prev: what a remap leaves before the hole
 * @next: what a remap leaves behind the hole
 */
struct gpuvm_step {
	enum drm_gpuva_op_type op;
	bool keep;
	struct gpuvm_map va;
	struct gpuvm_map prev;
	struct gpuvm_map next;
};

/**
 * struct gpuvm_log - the driver side of a request, pass it as priv
 * @fix: the fixture
 * @apply: also do what the steps say
 * @fail_at: the call that fails, counted from 1; 0 for none
 * @count: number of calls so far
 * @step: what the calls said; only the first GPUVM_FIXTURE_STEPS are kept
 */
struct gpuvm_log {
	struct gpuvm_fixture *fix;
	bool apply;
	unsigned int fail_at;
	unsigned int count;
	struct gpuvm_step step[GPUVM_FIXTURE_STEPS];
};

/* No function under test makes up this one. */
#define GPUVM_FIXTURE_ERR	(-EXFULL)

extern const struct drm_gpuvm_ops gpuvm_fixture_ops;

int gpuvm_fixture_init(struct kunit *test);
void gpuvm_fixture_exit(struct kunit *test);

void gpuvm_fixture_create_vm(struct gpuvm_fixture *fix,
			     enum drm_gpuvm_flags flags,
			     const struct drm_gpuvm_ops *ops);
void gpuvm_fixture_create_vm_at(struct gpuvm_fixture *fix,
				u64 start, u64 range, u64 kstart, u64 krange);
struct gpuvm_fixture *gpuvm_fixture_of(struct drm_gpuvm *gpuvm);
void gpuvm_fixture_vm_free(struct drm_gpuvm *gpuvm);
struct drm_gem_object *gpuvm_fixture_create_bo(struct gpuvm_fixture *fix,
					       struct dma_resv *resv);

struct drm_gpuva *gpuvm_fixture_va_alloc(struct gpuvm_fixture *fix);
void gpuvm_fixture_va_free(struct gpuvm_fixture *fix, struct drm_gpuva *va);
struct drm_gpuva *gpuvm_fixture_insert(struct gpuvm_fixture *fix,
				       const struct gpuvm_map *map);
struct drm_gpuva *gpuvm_fixture_insert_page(struct gpuvm_fixture *fix,
					    struct drm_gem_object *obj,
					    u64 page);
struct drm_gpuvm_bo *gpuvm_fixture_obtain(struct gpuvm_fixture *fix,
					  struct drm_gem_object *obj);
bool gpuvm_fixture_put_vm_bo(struct drm_gpuvm_bo *vm_bo);
void gpuvm_fixture_clear(struct gpuvm_fixture *fix);
bool gpuvm_fixture_holds(struct gpuvm_fixture *fix,
			 const struct gpuvm_map *map, unsigned int count);

struct gpuvm_log *gpuvm_log_create(struct gpuvm_fixture *fix);
void gpuvm_log_reset(struct gpuvm_log *log);
int gpuvm_log_step(struct drm_gpuva_op *op, void *priv);
int gpuvm_log_ops(struct gpuvm_log *log, struct drm_gpuva_ops *ops);
bool gpuvm_log_says(struct gpuvm_log *log,
		    const struct gpuvm_step *step, unsigned int count);

#endif /* __DRM_GPUVM_FIXTURE_H__ */
