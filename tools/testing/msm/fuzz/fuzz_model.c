// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle for the VMA tree: a flat array that says who owns each page.
 *
 * Each mapping has a number of its own.  A VMA is a run of pages with the same
 * number, as long as it can be: what is cut out of a mapping lies between its
 * pieces or has another number.  So the model knows not only what is mapped
 * where, but how many VMAs there are and where each begins and ends.
 */
#include "fuzz_vma.h"

static u32 first_page(const struct msm_vm_request *req)
{
	return (req->iova - BASE) >> PAGE_SHIFT;
}

/* The end of the run that starts at @page */
static u32 run_end(const struct fuzz_model *model, u32 page)
{
	u32 end = page + 1;

	while (end < PAGES && model->owner[end].id == model->owner[page].id)
		end++;
	return end;
}

/* Does the request ask for the very VMA that is there? */
static bool is_same(const struct fuzz_model *model,
		    const struct msm_vm_request *req, struct fuzz_bo *bo)
{
	u32 page = first_page(req);
	const struct fuzz_owner *owner = &model->owner[page];

	if (!owner->id || owner->bo != bo)
		return false;
	if (page && owner[-1].id == owner->id)
		return false;
	if (run_end(model, page) != page + (req->range >> PAGE_SHIFT))
		return false;
	return !bo || owner->offset == req->offset >> PAGE_SHIFT;
}

/* @bo: NULL for MAP_NULL and for an unmap */
void fuzz_model_apply(struct fuzz_model *model, const struct msm_vm_request *req,
		      struct fuzz_bo *bo)
{
	struct fuzz_owner *owner = &model->owner[first_page(req)];
	bool same = req->map && is_same(model, req, bo);
	u32 i, id = ++model->requests;

	for (i = 0; i < req->range >> PAGE_SHIFT; i++) {
		if (same) {
			owner[i].flags = req->flags;
			continue;
		}
		owner[i] = (struct fuzz_owner) { 0 };
		if (!req->map)
			continue;
		owner[i] = (struct fuzz_owner) {
			.id = id,
			.bo = bo,
			.offset = (req->offset >> PAGE_SHIFT) + i,
			.flags = req->flags,
			.live = true,
		};
	}
}

void fuzz_model_set_live(struct fuzz_model *model, struct fuzz_bo *bo, bool live)
{
	u32 i;

	for (i = 0; i < PAGES; i++)
		if (model->owner[i].bo == bo)
			model->owner[i].live = live;
}

static void compare_vma(const struct fuzz_owner *owner, u32 page, u32 end,
			struct drm_gpuva *va)
{
	struct drm_gem_object *obj = owner->bo ? &owner->bo->base : NULL;

	shim_check(va->va.addr == BASE + page * PAGE_SIZE &&
		   va->va.range == (end - page) * PAGE_SIZE,
		   "VMA at %llx + %llx, expected pages %u to %u", va->va.addr,
		   va->va.range, page, end);
	shim_check(va->gem.obj == obj, "page %u: wrong BO", page);
	shim_check(!obj || va->gem.offset == owner->offset * PAGE_SIZE,
		   "page %u: offset %llx", page, va->gem.offset);
	shim_check(!obj == !va->vm_bo, "page %u: vm_bo", page);
	shim_check(!obj || va->vm_bo->obj == obj, "page %u: vm_bo", page);
	shim_check(drm_gpuva_invalidated(va) == !owner->live,
		   "page %u: invalidated %d", page, drm_gpuva_invalidated(va));
	shim_check(to_msm_vma(va)->flags == owner->flags, "page %u: flags %x",
		   page, to_msm_vma(va)->flags);
}

/* The tree as a list, and as a tree */
void fuzz_model_compare(const struct fuzz_model *model, struct msm_vm *vm)
{
	struct drm_gpuva *va, *found;
	u32 page = 0, end;

	drm_gpuvm_for_each_va(va, &vm->base) {
		while (page < PAGES && !model->owner[page].id)
			page++;
		shim_check(page < PAGES, "a VMA too many at %llx", va->va.addr);
		end = run_end(model, page);
		compare_vma(&model->owner[page], page, end, va);
		for (; page < end; page++) {
			found = drm_gpuva_find_first(&vm->base, BASE + page * PAGE_SIZE,
						     PAGE_SIZE);
			shim_check(found == va, "lookup of page %u", page);
		}
	}
	for (; page < PAGES; page++)
		shim_check(!model->owner[page].id, "no VMA at page %u", page);
}

/* Number of VMAs of a BO */
u32 fuzz_model_vmas(const struct fuzz_model *model, const struct fuzz_bo *bo)
{
	u32 page, count = 0;

	for (page = 0; page < PAGES; page = run_end(model, page))
		if (model->owner[page].id && model->owner[page].bo == bo)
			count++;
	return count;
}
