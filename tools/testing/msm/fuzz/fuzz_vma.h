/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of fuzz_vma share; the theory is in fuzz_vma.c. */
#ifndef __FUZZ_VMA_H__
#define __FUZZ_VMA_H__

#include "shim_msm.h"

#include "msm/vm/msm_vm.h"
#include "msm/vm/msm_vm_request.h"
#include "msm/vm/msm_vma.h"

#define PAGES		24
#define BASE		0x100000000ull
#define BOS		3
#define BO_PAGES	(2 * PAGES)
#define QUEUES		3
#define MAX_OPS		8

/**
 * struct fuzz_bo - a BO
 * @base: the object, first for the shim's msm_gem_pin_pages_locked()
 * @pages: its backing pages
 * @frames: what @pages point to; only the addresses count
 * @pins: while not zero the pages stay
 * @refs: references that jobs hold
 */
struct fuzz_bo {
	struct drm_gem_object base;
	struct page *pages[BO_PAGES];
	char frames[BO_PAGES];
	u32 pins;
	u32 refs;
};

#define to_fuzz_bo(obj) container_of(obj, struct fuzz_bo, base)

/**
 * struct fuzz_owner - a page of the model
 * @id: number of the request that mapped it, zero for none
 * @bo: NULL for MAP_NULL
 * @offset: of the page in @bo
 * @flags: of the request
 * @live: not evicted
 */
struct fuzz_owner {
	u32 id;
	struct fuzz_bo *bo;
	u32 offset;
	u32 flags;
	bool live;
};

/* The flat model of the address space, see fuzz_model.c */
struct fuzz_model {
	struct fuzz_owner owner[PAGES];
	u32 requests;
};

void fuzz_model_apply(struct fuzz_model *model, const struct msm_vm_request *req,
		      struct fuzz_bo *bo);
void fuzz_model_set_live(struct fuzz_model *model, struct fuzz_bo *bo, bool live);
void fuzz_model_compare(const struct fuzz_model *model, struct msm_vm *vm);
u32 fuzz_model_vmas(const struct fuzz_model *model, const struct fuzz_bo *bo);

/* The page table and the TLB, see fuzz_pgtable.c */
void fuzz_pgtable_init(void);
void fuzz_pgtable_fail(u32 maps);
void fuzz_pgtable_check_flushed(void);
void fuzz_pgtable_check_gone(const struct fuzz_bo *bo);
void fuzz_pgtable_compare(const struct fuzz_model *model, bool dead);
extern const struct msm_pt_target fuzz_pgtable_target;

#endif /* __FUZZ_VMA_H__ */
