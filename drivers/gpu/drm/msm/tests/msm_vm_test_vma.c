// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMA tree against a model.
 *
 * The model is a flat array: who owns each page of a small address space, a BO
 * and an offset.  After each request the tree must say the same, and so must a
 * page table to which the staged edits were applied, which in addition checks
 * each single edit: a map meets only empty entries, an unmap only live ones.
 *
 * Every request, every pair of requests, then long random sequences.  The pairs
 * take seconds under emulation and are not marked slow all the same: they are
 * the proof.
 */

#include <kunit/test.h>
#include <linux/dma-resv.h>
#include <linux/prandom.h>
#include <uapi/drm/msm_drm.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>

#include "../vm/msm_vm_request.h"
#include "../vm/msm_vm_reserve.h"
#include "../vm/msm_vma.h"

#define PAGES	8
#define BOS	2
#define BASE	0x100000000ULL
#define JOB_MAX	4

/* Stands for the page that reads zero, in the model and in the table. */
#define NULL_BO		BOS
#define NULL_PAGE	((struct page *)0x8UL)

struct owner {
	int bo;			/* -1: nobody */
	int offset;		/* in pages */
};

struct fixture {
	struct kunit *test;
	struct drm_gpuvm vm;
	struct drm_gem_object *resv;
	struct drm_gem_object bo[BOS];
	struct page *backing[BOS][2 * PAGES];	/* only addresses that differ */
	struct owner model[PAGES];
	struct page *table[PAGES];
	int edits;
	u32 jobs;
};

static void bo_free(struct drm_gem_object *obj)
{
	drm_gem_object_release(obj);
}

static const struct drm_gem_object_funcs bo_funcs = { .free = bo_free };

static void vm_free(struct drm_gpuvm *vm)
{
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.sm_step_map = msm_vma_step_map,
	.sm_step_remap = msm_vma_step_remap,
	.sm_step_unmap = msm_vma_step_unmap,
};

static int entry(u64 iova)
{
	return (iova - BASE) >> PAGE_SHIFT;
}

/* Called with locks held, which an ASSERT would leave locked. */
static int table_map(void *cookie, u64 iova, struct page **pages, u64 size, int prot)
{
	struct fixture *fix = cookie;

	for (int i = 0; i < size >> PAGE_SHIFT; i++) {
		KUNIT_EXPECT_NULL(fix->test, fix->table[entry(iova) + i]);
		fix->table[entry(iova) + i] = pages[i];
		fix->edits++;
	}

	return 0;
}

static int table_map_null(void *cookie, u64 iova, u64 size)
{
	struct page *pages[PAGES];

	for (int i = 0; i < PAGES; i++)
		pages[i] = NULL_PAGE;

	return table_map(cookie, iova, pages, size, 0);
}

static void table_unmap(void *cookie, u64 iova, u64 size)
{
	struct fixture *fix = cookie;

	for (int i = 0; i < size >> PAGE_SHIFT; i++) {
		KUNIT_EXPECT_NOT_NULL(fix->test, fix->table[entry(iova) + i]);
		fix->table[entry(iova) + i] = NULL;
		fix->edits++;
	}
}

static void table_flush(void *cookie)
{
}

static const struct msm_pt_target table_target = {
	.map = table_map,
	.map_null = table_map_null,
	.unmap = table_unmap,
	.flush = table_flush,
};

static struct msm_vm_request map_req(int page, int nr, int bo, int offset)
{
	return (struct msm_vm_request) {
		.map = true,
		.handle = bo,
		.iova = BASE + (u64)page * PAGE_SIZE,
		.range = (u64)nr * PAGE_SIZE,
		.offset = (u64)offset * PAGE_SIZE,
	};
}

static struct msm_vm_request null_req(int page, int nr)
{
	return (struct msm_vm_request) {
		.map = true,
		.null = true,
		.iova = BASE + (u64)page * PAGE_SIZE,
		.range = (u64)nr * PAGE_SIZE,
	};
}

static struct msm_vm_request unmap_req(int page, int nr)
{
	return (struct msm_vm_request) {
		.iova = BASE + (u64)page * PAGE_SIZE,
		.range = (u64)nr * PAGE_SIZE,
	};
}

static void model_apply(struct fixture *fix, const struct msm_vm_request *req)
{
	int bo = !req->map ? -1 : req->null ? NULL_BO : req->handle;

	for (int i = 0; i < req->range >> PAGE_SHIFT; i++) {
		fix->model[entry(req->iova) + i] = (struct owner) {
			.bo = bo,
			.offset = (req->offset >> PAGE_SHIFT) + i,
		};
	}
}

/* Change the tree as @req asks, staging the edits. */
static void tree_change(struct fixture *fix, const struct msm_vm_request *req,
			struct msm_pt_op *map, struct msm_vma_update *update)
{
	struct drm_gpuvm_bo *vm_bo;

	*map = (struct msm_pt_op) {
		.iova = req->iova,
		.range = req->range,
		.kind = req->null ? MSM_PT_MAP_NULL : MSM_PT_MAP,
		.pages = fix->backing[req->handle] + (req->offset >> PAGE_SHIFT),
	};

	if (req->null) {
		msm_vma_map(&fix->vm, req, NULL, map, update);
	} else if (req->map) {
		vm_bo = drm_gpuvm_bo_obtain(&fix->vm, &fix->bo[req->handle]);
		KUNIT_ASSERT_FALSE(fix->test, IS_ERR(vm_bo));
		msm_vma_map(&fix->vm, req, vm_bo, map, update);
		drm_gpuvm_bo_put(vm_bo);
	} else {
		msm_vma_unmap(&fix->vm, req, update);
	}
}

/*
 * Change the tree, apply the edits, let go of what is gone: one job.
 *
 * Return: the number of TLB flushes.
 */
static u32 job_apply(struct fixture *fix, const struct msm_vm_request *reqs, int nr)
{
	struct msm_pt_op maps[JOB_MAX];
	struct msm_vma_update update;
	struct msm_vma *vma;

	msm_vma_update_init(&update, ++fix->jobs);
	KUNIT_ASSERT_EQ(fix->test, 0,
			msm_vm_reserve_vmas(&update.spare,
					    nr * MSM_VMA_MAX_PER_MAP));
	for (int i = 0; i < nr; i++)
		tree_change(fix, &reqs[i], &maps[i], &update);

	KUNIT_ASSERT_EQ(fix->test, 0,
			msm_pt_ops_apply(&update.pt, &table_target, fix, 0));

	list_for_each_entry(vma, &update.gone, node)
		drm_gem_object_put(vma->base.gem.obj);
	msm_vm_reserve_free_vmas(&update.gone);
	msm_vm_reserve_free_vmas(&update.spare);

	return update.pt.flushes;
}

static void expect_owner(struct fixture *fix, int page, struct drm_gpuva *va,
			 const char *what)
{
	struct owner *owner = &fix->model[page];
	u64 iova = BASE + (u64)page * PAGE_SIZE;

	KUNIT_ASSERT_EQ_MSG(fix->test, !!va, owner->bo >= 0, "%s: page %d",
			    what, page);
	if (!va) {
		KUNIT_ASSERT_NULL(fix->test, fix->table[page]);
		return;
	}

	if (owner->bo == NULL_BO) {
		KUNIT_ASSERT_NULL_MSG(fix->test, va->gem.obj, "%s: page %d",
				      what, page);
		KUNIT_ASSERT_PTR_EQ_MSG(fix->test, fix->table[page], NULL_PAGE,
					"%s: page %d", what, page);
		return;
	}

	KUNIT_ASSERT_PTR_EQ_MSG(fix->test, va->gem.obj, &fix->bo[owner->bo],
				"%s: page %d", what, page);
	KUNIT_ASSERT_EQ_MSG(fix->test, va->gem.offset + iova - va->va.addr,
			    (u64)owner->offset * PAGE_SIZE, "%s: page %d",
			    what, page);
	KUNIT_ASSERT_PTR_EQ_MSG(fix->test, fix->table[page],
				fix->backing[owner->bo][owner->offset],
				"%s: page %d", what, page);
}

static u32 apply_all(struct fixture *fix, const struct msm_vm_request *reqs,
		     int nr, const char *what)
{
	u32 flushes;

	for (int i = 0; i < nr; i++)
		model_apply(fix, &reqs[i]);

	/* Each test runs in a thread of its own: none may keep the lock. */
	dma_resv_lock(fix->resv->resv, NULL);
	flushes = job_apply(fix, reqs, nr);
	dma_resv_unlock(fix->resv->resv);

	for (int page = 0; page < PAGES; page++) {
		struct drm_gpuva *va;

		va = drm_gpuva_find_first(&fix->vm, BASE + (u64)page * PAGE_SIZE,
					  PAGE_SIZE);
		expect_owner(fix, page, va, what);
	}

	return flushes;
}

static void apply(struct fixture *fix, const struct msm_vm_request *req,
		  const char *what)
{
	apply_all(fix, req, 1, what);
}

static void clear(struct fixture *fix)
{
	const struct msm_vm_request all = unmap_req(0, PAGES);

	apply(fix, &all, "clear");
	KUNIT_ASSERT_TRUE(fix->test, list_empty(&fix->vm.rb.list));
	for (int i = 0; i < BOS; i++) {
		KUNIT_ASSERT_EQ(fix->test, 1, kref_read(&fix->bo[i].refcount));
		KUNIT_ASSERT_TRUE(fix->test, list_empty(&fix->bo[i].gpuva.list));
	}
}

static int vma_test_init(struct kunit *test)
{
	struct fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	struct drm_device *drm;
	struct device *dev;

	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->test = test;
	test->priv = fix;

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	drm = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*drm), 0,
						  DRIVER_GEM | DRIVER_GEM_GPUVA);
	KUNIT_ASSERT_FALSE(test, IS_ERR(drm));

	fix->resv = drm_gpuvm_resv_object_alloc(drm);
	KUNIT_ASSERT_NOT_NULL(test, fix->resv);
	drm_gpuvm_init(&fix->vm, "test", 0, drm, fix->resv, BASE,
		       PAGES * PAGE_SIZE, 0, 0, &vm_ops);

	for (int i = 0; i < BOS; i++) {
		fix->bo[i].funcs = &bo_funcs;
		fix->bo[i].resv = fix->resv->resv;
		drm_gem_private_object_init(drm, &fix->bo[i], 2 * PAGES * PAGE_SIZE);
		for (int j = 0; j < 2 * PAGES; j++)
			fix->backing[i][j] = (struct page *)(0x1000UL * (i + 1) + 8 * j);
	}
	for (int i = 0; i < PAGES; i++)
		fix->model[i].bo = -1;

	return 0;
}

static void vma_test_exit(struct kunit *test)
{
	struct fixture *fix = test->priv;

	if (!fix || !fix->resv)
		return;

	clear(fix);
	for (int i = 0; i < BOS; i++)
		drm_gem_object_put(&fix->bo[i]);
	drm_gpuvm_put(&fix->vm);
	drm_gem_object_put(fix->resv);
}

/* 36 ranges times unmap, map BO 0 at two offsets, map BO 1, map no BO. */
#define RANGES		(PAGES * (PAGES + 1) / 2)
#define REQUESTS	(RANGES * 5)

static struct msm_vm_request request(int n)
{
	int kind = n / RANGES, range = n % RANGES, page = 0, nr;

	while (range >= PAGES - page) {
		range -= PAGES - page;
		page++;
	}
	nr = range + 1;

	if (!kind)
		return unmap_req(page, nr);
	if (kind == 4)
		return null_req(page, nr);

	/* kind 1 maps each page where BO 0 has it, so that pieces fit together */
	return map_req(page, nr, kind == 3, kind == 1 ? page : PAGES - page);
}

static void vma_pairs(struct kunit *test)
{
	struct fixture *fix = test->priv;

	for (int i = RANGES; i < REQUESTS; i++) {
		for (int j = 0; j < REQUESTS; j++) {
			const struct msm_vm_request a = request(i), b = request(j);

			apply(fix, &a, "first");
			apply(fix, &b, "second");
			clear(fix);
		}
		cond_resched();
	}
}

static void vma_random(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 0x4d534d);

	for (int i = 0; i < 5000; i++) {
		const struct msm_vm_request req =
			request(prandom_u32_state(&rnd) % REQUESTS);

		apply(fix, &req, "random");
		if (i % 64 == 63)
			clear(fix);
	}
}

/* Only the flags change; an entry that blinks would make the GPU fault. */
static void vma_same_again(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_vm_request req = map_req(2, 4, 0, 1);
	struct drm_gpuva *va;

	apply(fix, &req, "map");
	KUNIT_EXPECT_EQ(test, fix->edits, 4);

	req.flags = MSM_VM_BIND_OP_DUMP;
	apply(fix, &req, "again");
	KUNIT_EXPECT_EQ(test, fix->edits, 4);

	va = drm_gpuva_find(&fix->vm, req.iova, req.range);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, to_msm_vma(va)->flags, MSM_VM_BIND_OP_DUMP);

	req.offset += PAGE_SIZE;
	apply(fix, &req, "elsewhere in the BO");
	KUNIT_EXPECT_EQ(test, fix->edits, 12);
}

static void vma_same_null_again(struct kunit *test)
{
	struct fixture *fix = test->priv;
	const struct msm_vm_request req = null_req(0, 8), hole = unmap_req(0, 2);
	const struct msm_vm_request rest = null_req(2, 6);

	apply(fix, &req, "map");
	apply(fix, &req, "again");
	KUNIT_EXPECT_EQ(test, fix->edits, 8);

	apply(fix, &hole, "hole");
	apply(fix, &rest, "the rest again");
	KUNIT_EXPECT_EQ(test, fix->edits, 10);
}

/* What is left of a split mapping keeps its entries and its flags. */
static void vma_split_keeps(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_vm_request req = map_req(0, 8, 0, 0);
	const struct msm_vm_request hole = unmap_req(3, 2);
	struct drm_gpuva *va;

	req.flags = MSM_VM_BIND_OP_DUMP;
	apply(fix, &req, "map");
	apply(fix, &hole, "hole");
	KUNIT_EXPECT_EQ(test, fix->edits, 8 + 2);

	drm_gpuvm_for_each_va(va, &fix->vm)
		KUNIT_EXPECT_EQ(test, to_msm_vma(va)->flags, MSM_VM_BIND_OP_DUMP);
}

/* An evicted mapping has no entries to clear, and neither have its pieces. */
static void vma_invalidated(struct kunit *test)
{
	const struct msm_vm_request hole = unmap_req(3, 2);
	const struct msm_vm_request over = map_req(6, 1, 1, 0);
	struct fixture *fix = test->priv;
	struct msm_vm_request req = map_req(0, 8, 0, 0);
	struct drm_gpuva *va;

	apply(fix, &req, "map");
	drm_gpuvm_for_each_va(va, &fix->vm)
		drm_gpuva_invalidate(va, true);
	memset(fix->table, 0, sizeof(fix->table));

	dma_resv_lock(fix->resv->resv, NULL);
	job_apply(fix, &hole, 1);
	job_apply(fix, &over, 1);
	dma_resv_unlock(fix->resv->resv);

	KUNIT_EXPECT_EQ(test, fix->edits, 8 + 1);
	drm_gpuvm_for_each_va(va, &fix->vm)
		KUNIT_EXPECT_EQ(test, drm_gpuva_invalidated(va),
				va->gem.obj == &fix->bo[0]);
}

/* Requests of one job see what those before them did. */
static void vma_jobs(struct kunit *test)
{
	struct msm_vm_request reqs[JOB_MAX];
	struct fixture *fix = test->priv;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 0x6a6f6273);

	for (int i = 0; i < 5000; i++) {
		for (int j = 0; j < JOB_MAX; j++)
			reqs[j] = request(prandom_u32_state(&rnd) % REQUESTS);
		apply_all(fix, reqs, 1 + i % JOB_MAX, "job");
		if (i % 64 == 63)
			clear(fix);
	}
}

/* However many mappings a job replaces, one flush does, if it made none of them. */
static void vma_one_flush(struct kunit *test)
{
	const struct msm_vm_request first[] = {
		map_req(0, 2, 0, 0), map_req(3, 1, 0, 3), map_req(5, 3, 0, 5),
	}, over[] = {
		map_req(6, 1, 1, 0), map_req(3, 1, 1, 1), map_req(1, 1, 1, 2),
		map_req(5, 1, 1, 4),
	}, twice[] = {
		map_req(0, 2, 1, 0), map_req(1, 3, 0, 0), map_req(7, 1, 1, 9),
	};
	struct fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, 0, apply_all(fix, first, ARRAY_SIZE(first), "first"));
	KUNIT_EXPECT_EQ(test, 1, apply_all(fix, over, ARRAY_SIZE(over), "over"));
	KUNIT_EXPECT_EQ(test, 2, apply_all(fix, twice, ARRAY_SIZE(twice), "twice"));
}

static struct kunit_case vma_cases[] = {
	KUNIT_CASE(vma_jobs),
	KUNIT_CASE(vma_one_flush),
	KUNIT_CASE(vma_same_again),
	KUNIT_CASE(vma_same_null_again),
	KUNIT_CASE(vma_split_keeps),
	KUNIT_CASE(vma_invalidated),
	KUNIT_CASE(vma_pairs),
	KUNIT_CASE(vma_random),
	{}
};

static struct kunit_suite vma_suite = {
	.name = "msm-vma",
	.init = vma_test_init,
	.exit = vma_test_exit,
	.test_cases = vma_cases,
};

kunit_test_suite(vma_suite);
