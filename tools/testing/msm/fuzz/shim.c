// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rest of the kernel that is more than a macro, see shim.h.
 */
#include "shim.h"

#include <drm/drm_gem.h>
#include <linux/xarray.h>

int shim_fail_after = -1;
bool shim_failed;

void *shim_alloc(size_t size)
{
	void *p;

	if (!shim_fail_after) {
		shim_failed = true;
		return NULL;
	}
	shim_fail_after -= shim_fail_after > 0;
	p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

void *shim_dup(const void *from, size_t size)
{
	void *p = shim_alloc(size);

	return p ? memcpy(p, from, size) : NULL;
}

struct kmem_cache *shim_cache(size_t size)
{
	struct kmem_cache *cache = shim_alloc(sizeof(*cache));

	cache->size = size;
	return cache;
}

void kfree(const void *p)
{
	free((void *)p);
}

void shim_lock(struct shim_lock *lock)
{
	shim_check(!lock->dep_map.held, "taken twice");
	lock->dep_map.held = true;
}

void shim_unlock(struct shim_lock *lock)
{
	shim_check(lock->dep_map.held, "not taken");
	lock->dep_map.held = false;
}

void refcount_inc(refcount_t *r)
{
	shim_check(r->refs > 0, "%d", r->refs);
	r->refs++;
}

bool refcount_dec_and_test(refcount_t *r)
{
	shim_check(r->refs > 0, "%d", r->refs);
	return !--r->refs;
}

bool refcount_inc_not_zero(refcount_t *r)
{
	if (r->refs)
		r->refs++;
	return r->refs;
}

unsigned long find_next_bit(const unsigned long *map, unsigned long size,
			    unsigned long from)
{
	while (from < size && !(map[from / 64] >> from % 64 & 1))
		from++;
	return from;
}

/* A private object shares the lock that its maker gave it. */
void drm_gem_private_object_init(struct drm_device *drm,
				 struct drm_gem_object *obj, size_t size)
{
	obj->dev = drm;
	obj->size = size;
	kref_init(&obj->refcount);
	if (!obj->resv)
		obj->resv = &obj->_resv;
	drm_gem_gpuva_init(obj);
}

void drm_gem_object_release(struct drm_gem_object *obj)
{
	shim_check(list_empty(&obj->gpuva.list), "freed with a vm_bo");
	shim_check(!obj->_resv.lock.dep_map.held, "freed while locked");
}

void drm_gem_object_free(struct kref *ref)
{
	struct drm_gem_object *obj = container_of(ref, struct drm_gem_object,
						  refcount);

	obj->funcs->free(obj);
}

void drm_exec_init(struct drm_exec *exec, u32 flags, u32 nr)
{
	exec->nr = 0;
}

int drm_exec_prepare_obj(struct drm_exec *exec, struct drm_gem_object *obj,
			 u32 fences)
{
	if (dma_resv_held(obj->resv))
		return 0;
	shim_check(exec->nr < ARRAY_SIZE(exec->objs), "%u", exec->nr);
	shim_lock(&obj->resv->lock);
	drm_gem_object_get(obj);
	exec->objs[exec->nr++] = obj;
	return 0;
}

int drm_exec_prepare_array(struct drm_exec *exec, struct drm_gem_object **objs,
			   u32 count, u32 fences)
{
	while (count--)
		drm_exec_prepare_obj(exec, *objs++, fences);
	return 0;
}

void drm_exec_fini(struct drm_exec *exec)
{
	while (exec->nr) {
		struct drm_gem_object *obj = exec->objs[--exec->nr];

		shim_unlock(&obj->resv->lock);
		drm_gem_object_put(obj);
	}
}

/* For lib/xarray.c */
static struct kmem_cache node_cache = { .size = sizeof(struct xa_node) };
struct kmem_cache *radix_tree_node_cachep = &node_cache;

void radix_tree_node_rcu_free(struct rcu_head *head)
{
	kfree(container_of(head, struct xa_node, rcu_head));
}
