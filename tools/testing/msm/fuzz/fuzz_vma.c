// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMA core of the driver and the kernel's own drm_gpuvm and rbtree, under
 * libFuzzer: requests become jobs, jobs change the tree, run in any order that
 * msm_vm_order.c allows, and edit the page table; BOs are evicted, restored and
 * closed in between.
 *
 * Input: steps of four bytes, see step().  What a job does around the code
 * under test follows msm_vm_job.c and msm_vm_run.c.
 *
 * After each commit the tree must be what the flat model says; whenever nothing
 * is in flight the page table, too.  At the end all must be gone.
 *
 * Terms: a job is *pending* while requests are added to it, *queued* from commit
 * to run.
 */
#include "fuzz_vma.h"

#include "msm/vm/msm_vm_evict.h"
#include "msm/vm/msm_vm_reserve.h"

struct op {
	struct msm_vm_request req;
	struct fuzz_bo *bo;
	struct drm_gpuvm_bo *vm_bo;
	bool pinned;
	struct msm_pt_op map;
};

struct job {
	struct job *next;	/* in its queue */
	bool queued;
	u32 nr;
	struct op ops[MAX_OPS];
	struct msm_vm_range ranges[MAX_OPS];
	struct msm_vm_turn turn;
	struct msm_vma_update update;
	struct drm_exec exec;
};

static struct world {
	struct msm_vm *vm;
	struct drm_device drm;
	struct fuzz_bo *bo[BOS];	/* those with a handle */
	struct fuzz_model model;
	struct job *pending;
	struct job *queue[QUEUES];
	u32 jobs;
} w;

bool msm_vm_usable(struct msm_vm *vm)
{
	return !vm->error;
}

void msm_vm_kill(struct msm_vm *vm, int error, const char *reason)
{
	vm->error = vm->error ?: error;
}

static void vm_free(struct drm_gpuvm *vm)
{
	kfree(to_msm_vm(vm));
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.vm_bo_validate = msm_vm_validate,
	.sm_step_map = msm_vma_step_map,
	.sm_step_remap = msm_vma_step_remap,
	.sm_step_unmap = msm_vma_step_unmap,
};

/* BOs */

static void bo_free(struct drm_gem_object *obj)
{
	struct fuzz_bo *bo = to_fuzz_bo(obj);

	shim_check(!bo->pins, "freed with %u pins", bo->pins);
	fuzz_pgtable_check_gone(bo);
	drm_gem_object_release(obj);
	if (obj->resv != &obj->_resv)
		drm_gem_object_put(w.vm->base.r_obj);
	kfree(bo);
}

static const struct drm_gem_object_funcs bo_funcs = { .free = bo_free };

/* @is_private: its lock is the VM's, which it keeps alive */
static struct fuzz_bo *bo_new(bool is_private)
{
	struct fuzz_bo *bo = shim_alloc(sizeof(*bo));
	u32 i;

	if (is_private) {
		bo->base.resv = w.vm->base.r_obj->resv;
		drm_gem_object_get(w.vm->base.r_obj);
	}
	bo->base.funcs = &bo_funcs;
	drm_gem_private_object_init(&w.drm, &bo->base, BO_PAGES * PAGE_SIZE);
	for (i = 0; i < BO_PAGES; i++)
		bo->pages[i] = (struct page *)&bo->frames[i];
	return bo;
}

struct page **msm_gem_pin_pages_locked(struct drm_gem_object *obj)
{
	dma_resv_assert_held(obj->resv);
	to_fuzz_bo(obj)->pins++;
	return to_fuzz_bo(obj)->pages;
}

void msm_gem_unpin_pages_locked(struct drm_gem_object *obj)
{
	dma_resv_assert_held(obj->resv);
	shim_check(to_fuzz_bo(obj)->pins--, "no pin");
}

int msm_gem_iommu_prot(struct drm_gem_object *obj)
{
	return 0;
}

static void bo_get(struct fuzz_bo *bo)
{
	drm_gem_object_get(&bo->base);
	bo->refs++;
}

static void bo_put(struct fuzz_bo *bo)
{
	bo->refs--;
	drm_gem_object_put(&bo->base);
}

/* Jobs, as in msm_vm_job.c */

static void job_lock(struct job *job)
{
	struct drm_gpuvm *vm = &w.vm->base;
	u32 i;

	drm_exec_init(&job->exec, 0, 0);
	drm_gpuvm_prepare_vm(vm, &job->exec, 1);
	for (i = 0; i < job->nr; i++) {
		struct op *op = &job->ops[i];

		if (op->bo)
			drm_exec_prepare_obj(&job->exec, &op->bo->base, 1);
		drm_gpuvm_prepare_range(vm, &job->exec, op->req.iova,
					op->req.range, 1);
	}
}

static int op_prepare(struct op *op)
{
	op->map = (struct msm_pt_op) {
		.iova = op->req.iova,
		.range = op->req.range,
		.kind = op->bo ? MSM_PT_MAP : MSM_PT_MAP_NULL,
	};
	if (!op->bo)
		return 0;

	op->map.pages = msm_gem_pin_pages_locked(&op->bo->base) +
			(op->req.offset >> PAGE_SHIFT);
	op->pinned = true;
	op->vm_bo = drm_gpuvm_bo_obtain(&w.vm->base, &op->bo->base);
	if (IS_ERR(op->vm_bo)) {
		op->vm_bo = NULL;
		return -ENOMEM;
	}
	drm_gpuvm_bo_extobj_add(op->vm_bo);
	return 0;
}

static void job_unlock(struct job *job)
{
	u32 i;

	for (i = 0; i < job->nr; i++)
		drm_gpuvm_bo_put(job->ops[i].vm_bo);
	drm_exec_fini(&job->exec);
}

static void job_free(struct job *job)
{
	struct msm_vma *vma;
	u32 i;

	list_for_each_entry(vma, &job->update.gone, node) {
		struct drm_gem_object *obj = vma->base.gem.obj;

		if (!obj)
			continue;
		if (msm_vma_has_pages(vma))
			to_fuzz_bo(obj)->pins--;
		bo_put(to_fuzz_bo(obj));
	}
	for (i = 0; i < job->nr; i++) {
		if (job->ops[i].pinned)
			job->ops[i].bo->pins--;
		if (job->ops[i].bo)
			bo_put(job->ops[i].bo);
	}
	msm_vm_reserve_free_vmas(&job->update.gone);
	msm_vm_reserve_free_vmas(&job->update.spare);
	kfree(job);
}

static int job_prepare(struct job *job)
{
	u32 count = 0, i;
	int ret;

	for (i = 0; i < job->nr; i++)
		count += job->ops[i].req.map ? MSM_VMA_MAX_PER_MAP :
					       MSM_VMA_MAX_PER_UNMAP;
	ret = msm_vm_reserve_vmas(&job->update.spare, count);
	job_lock(job);
	for (i = 0; i < job->nr && !ret; i++)
		if (job->ops[i].req.map)
			ret = op_prepare(&job->ops[i]);
	return ret;
}

static void job_change_tree(struct job *job)
{
	struct msm_vma *vma;
	u32 i;

	for (i = 0; i < job->nr; i++) {
		struct op *op = &job->ops[i];

		fuzz_model_apply(&w.model, &op->req, op->bo);
		if (op->req.map)
			msm_vma_map(&w.vm->base, &op->req, op->vm_bo, &op->map,
				    &job->update);
		else
			msm_vma_unmap(&w.vm->base, &op->req, &job->update);
	}

	list_for_each_entry(vma, &job->update.gone, node) {
		struct drm_gem_object *obj = vma->base.gem.obj;

		if (!obj)
			continue;
		to_fuzz_bo(obj)->refs++;
		if (msm_vma_has_pages(vma))
			to_fuzz_bo(obj)->pins++;
	}
}

static void check_tree(void)
{
	u32 vm_bos = 0, i;

	fuzz_model_compare(&w.model, w.vm);
	for (i = 0; i < BOS; i++) {
		struct fuzz_bo *bo = w.bo[i];
		u32 vmas = bo ? fuzz_model_vmas(&w.model, bo) : 0;

		if (!bo)
			continue;
		vm_bos += vmas > 0;
		shim_check(kref_read(&bo->base.refcount) ==
			   1 + (vmas > 0) + bo->refs, "BO %u: %d references", i,
			   kref_read(&bo->base.refcount));
	}
	shim_check(kref_read(&w.vm->base.kref) >= 1 + vm_bos, "VM: %d references",
		   kref_read(&w.vm->base.kref));
}

/* @fail_after: allocations that succeed, or -1 */
static void job_commit(struct job *job, u32 queue, int fail_after)
{
	struct job **tail = &w.queue[queue];
	u32 i;
	int ret;

	shim_fail_after = fail_after;
	ret = job_prepare(job);
	shim_fail_after = -1;
	if (ret) {
		job_unlock(job);
		job_free(job);
		check_tree();
		return;
	}

	msm_vm_turn_init(&job->turn);
	for (i = 0; i < job->nr; i++)
		msm_vm_turn_add(&job->turn, &job->ranges[i], job->ops[i].req.iova,
				job->ops[i].req.iova + job->ops[i].req.range - 1);
	msm_vm_turn_close(&job->turn);
	job_change_tree(job);
	msm_vm_order_begin(&w.vm->order, &job->turn);
	job_unlock(job);

	while (*tail)
		tail = &(*tail)->next;
	*tail = job;
	check_tree();
}

/* Is there an earlier job that has not run and touches the same page? */
static bool overlaps(const struct job *a, const struct job *b)
{
	u32 i, j;

	for (i = 0; i < a->nr; i++)
		for (j = 0; j < b->nr; j++)
			if (a->ops[i].req.iova < b->ops[j].req.iova + b->ops[j].req.range &&
			    b->ops[j].req.iova < a->ops[i].req.iova + a->ops[i].req.range)
				return true;
	return false;
}

static bool must_wait(const struct job *job)
{
	const struct job *other;
	u32 i;

	for (i = 0; i < QUEUES; i++)
		for (other = w.queue[i]; other; other = other->next)
			if (other->turn.number < job->turn.number &&
			    overlaps(other, job))
				return true;
	return false;
}

/* The head of a queue, if no job of another queue is in its way */
static bool job_run(u32 queue)
{
	struct job *job = w.queue[queue];
	struct msm_vm_turn *blocker;
	int err;

	if (!job)
		return false;
	blocker = msm_vm_order_blocker(&w.vm->order, &job->turn);
	shim_check(!blocker == !must_wait(job), "waits %d", !!blocker);
	if (blocker)
		return false;

	err = msm_pt_ops_apply(&job->update.pt, &fuzz_pgtable_target, NULL,
			       w.vm->error);
	fuzz_pgtable_check_flushed();
	if (err)
		msm_vm_kill(w.vm, err, "a bind was not applied");
	msm_vm_order_end(&w.vm->order, &job->turn);
	w.queue[queue] = job->next;
	job_free(job);
	return true;
}

static void run_all(void)
{
	bool more;
	u32 i;

	do {
		more = false;
		for (i = 0; i < QUEUES; i++)
			more |= job_run(i);
	} while (more);

	for (i = 0; i < QUEUES; i++)
		shim_check(!w.queue[i], "jobs of queue %u wait for ever", i);
	fuzz_pgtable_compare(&w.model, !msm_vm_usable(w.vm));
}

/* What else happens to BOs */

static void evict(struct fuzz_bo *bo)
{
	struct drm_exec exec;

	if (!bo || bo->pins)
		return;
	drm_exec_init(&exec, 0, 0);
	drm_exec_prepare_obj(&exec, &bo->base, 0);
	msm_vm_evict(&bo->base);
	fuzz_pgtable_check_gone(bo);
	drm_exec_fini(&exec);
	fuzz_model_set_live(&w.model, bo, false);
	check_tree();
}

/* As SUBMIT does */
static void restore_all(void)
{
	struct drm_exec exec;
	u32 i;

	if (!msm_vm_usable(w.vm))
		return;
	drm_exec_init(&exec, 0, 0);
	drm_gpuvm_prepare_vm(&w.vm->base, &exec, 1);
	drm_gpuvm_prepare_range(&w.vm->base, &exec, BASE, PAGES * PAGE_SIZE, 1);
	shim_check(!drm_gpuvm_validate(&w.vm->base, &exec), "no restore");
	drm_exec_fini(&exec);
	for (i = 0; i < PAGES; i++)
		w.model.owner[i].live = w.model.owner[i].id;
	check_tree();
}

static void close_bo(u32 i)
{
	if (w.bo[i])
		drm_gem_object_put(&w.bo[i]->base);
	w.bo[i] = NULL;
}

/* Steps */

#define NO_JOB_FAILS	0xc0
#define MAP_FAILS	0xf8

static void add_request(const u8 *in)
{
	u32 page = in[1] % PAGES, nr = 1 + in[2] % (PAGES - page);
	u32 kind = in[0] & 7, which = (in[0] >> 3) % BOS;
	struct msm_vm_request req = {
		.map = kind < 4,
		.null = kind == 3,
		.flags = in[0] >> 7,
		.iova = BASE + page * PAGE_SIZE,
		.range = nr * PAGE_SIZE,
	};
	struct job *job = w.pending;
	struct op *op;

	if (!job) {
		job = shim_alloc(sizeof(*job));
		w.pending = job;
		msm_vma_update_init(&job->update, ++w.jobs);
	}
	if (job->nr == MAX_OPS)
		return;
	op = &job->ops[job->nr++];
	if (req.map && !req.null) {
		/* Where pieces of one BO fit together, or anywhere */
		req.offset = in[3] & 0x40 ? page : in[3] % (BO_PAGES - nr + 1);
		req.offset *= PAGE_SIZE;
		if (!w.bo[which])
			w.bo[which] = bo_new(in[3] & 0x80);
		op->bo = w.bo[which];
		bo_get(op->bo);
	}
	op->req = req;
}

static void happen(const u8 *in)
{
	switch (in[1] & 7) {
	case 0:
		evict(w.bo[in[2] % BOS]);
		break;
	case 1:
		restore_all();
		break;
	case 2:
		close_bo(in[2] % BOS);
		break;
	case 3:
		run_all();
		break;
	default:
		fuzz_pgtable_fail(in[2] < MAP_FAILS ? ~0u : in[3] % 8);
		job_run(in[2] % QUEUES);
		fuzz_pgtable_fail(~0u);
	}
}

/* in[0] & 7: 0 to 5 add a request, 6 commits the job, 7 does something else. */
static void step(const u8 *in)
{
	if ((in[0] & 7) < 6) {
		add_request(in);
	} else if ((in[0] & 7) == 6) {
		if (w.pending)
			job_commit(w.pending, in[1] % QUEUES,
				   in[2] < NO_JOB_FAILS ? -1 : in[3] % 16);
		w.pending = NULL;
	} else {
		happen(in);
	}
}

static void setup(void)
{
	struct drm_gem_object *resv;

	memset(&w, 0, sizeof(w));
	fuzz_pgtable_init();
	w.vm = shim_alloc(sizeof(*w.vm));
	mutex_init(&w.vm->pt_lock);
	msm_vm_order_init(&w.vm->order);
	msm_vm_log_init(&w.vm->log);
	resv = drm_gpuvm_resv_object_alloc(&w.drm);
	drm_gpuvm_init(&w.vm->base, "fuzz", 0, &w.drm, resv, BASE,
		       PAGES * PAGE_SIZE, 0, 0, &vm_ops);
	drm_gem_object_put(resv);
}

static void teardown(void)
{
	const u8 unmap_all[] = { 4, 0, PAGES - 1, 0 };
	u32 i;

	if (w.pending)
		job_commit(w.pending, 0, -1);
	w.pending = NULL;
	add_request(unmap_all);
	job_commit(w.pending, 0, -1);
	run_all();
	for (i = 0; i < BOS; i++)
		close_bo(i);
	shim_check(kref_read(&w.vm->base.kref) == 1, "VM: %d references",
		   kref_read(&w.vm->base.kref));
	drm_gpuvm_put(&w.vm->base);
	shim_check(!w.drm.refs, "%d references of the device", w.drm.refs);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return msm_vm_reserve_init();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	setup();
	for (; size >= 4; data += 4, size -= 4)
		step(data);
	teardown();
	return 0;
}
