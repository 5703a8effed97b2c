// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user-managed VM: what it is, who may hold it, how it comes and goes.
 *
 * The DOC blocks below hold for the whole directory; they are written once,
 * here, and pulled into Documentation/gpu/msm-vm-bind.rst.
 */

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include <drm/drm_print.h>

#include "../msm_drv.h"
#include "../msm_gem.h"
#include "../msm_gpu.h"
#include "../msm_mmu.h"
#include "../msm_pgtable.h"
#include "msm_vm.h"
#include "msm_vm_evict.h"
#include "msm_vm_refuse.h"
#include "msm_vm_reserve.h"
#include "msm_vm_run.h"
#include "msm_vm_trace.h"
#include "msm_vma.h"

/**
 * DOC: Overview
 *
 * A context that sets MSM_PARAM_EN_VM_BIND manages its GPU address space
 * itself.  It gets a &struct msm_vm of its own, beside the kernel-managed
 * address space that it was opened with and will never use.  The decision is
 * made once, by whoever comes first: &msm_file_private.vm goes from NULL to
 * the VM, or to MSM_VM_LEGACY when the context takes an address from the
 * kernel or submits with a table of BOs.
 *
 * A VM_BIND ioctl is a &struct msm_vm_job.  It passes these phases:
 *
 * ========= ================================ ========= ==========
 * phase     what                             may fail  allocates
 * ========= ================================ ========= ==========
 * parse     validate the arguments           yes       the job
 * resolve   handles to BOs                   yes       no
 * reserve   VMAs, table pages, fences, fd    yes       yes
 * lock      VM and BOs, backing pages        yes       yes
 * commit    VMA tree, push, syncobjs         no        no
 * run       page table, TLB, fence           no        no
 * retire    let go of what was removed       no        no
 * ========= ================================ ========= ==========
 *
 * All up to commit happen in the ioctl and leave no trace when they fail.  run
 * is a DRM scheduler job on the fence signalling path.  If a map fails there,
 * which takes a bug or an SMMU that cannot reach the memory, the VM is dead: later ioctls
 * get -EPIPE, later jobs carry out their unmaps only.  So it is when a GPU job
 * of the VM hangs; see msm_vm_hang.c.
 *
 * The VMA tree changes in the order of the ioctls.  The page table follows: jobs
 * of one queue run in that order, jobs of different queues only where their
 * ranges overlap, see msm_vm_order.c.
 *
 * A GPU job keeps in memory what is mapped when it is queued, a bind job what it
 * maps and unmaps.  Apart from that a mapped BO can be evicted like any other;
 * the next GPU job brings it back.
 */

/**
 * DOC: Locking
 *
 * In this order::
 *
 *   msm_vm_tables.gate, while a bind job sets table pages aside; then dropped
 *
 *   reservation lock of the VM > of BOs, one ww ticket for all
 *     > GEM LRU lock
 *     > msm_vm.pt_lock
 *       > locks of msm_vm.tables, of msm_vm.order
 *
 * The VM's reservation lock guards the VMA tree and the order in which jobs are pushed;
 * that of a BO its vm_bos, their VMAs, and whether those are invalidated.
 *
 * msm_vm.pt_lock guards the page table.  It is taken on the fence signalling
 * path: whoever holds it must not allocate and must not wait for a fence.  A job
 * takes it for some 64 MiB at a time, since reclaim waits for it.
 *
 * Reclaim comes from the middle of an allocation, where any of the reservation
 * locks may be held.  It picks a BO under the LRU lock, drops that, and only
 * tries for the BO's reservation lock; then it takes msm_vm.pt_lock of each VM
 * in turn.  A GPU job locks the VM and all that is mapped in it until its fence
 * is on them, so the two never meet at a BO.
 */

/**
 * DOC: Lifetimes
 *
 * A VMA holds its vm_bo, which holds the BO: a mapped BO outlives its handle.
 * A VMA that left the tree holds the BO itself and rides with its job until the
 * page-table entries are gone and the TLB is flushed.
 *
 * A private BO (MSM_BO_NO_SHARE) holds the object that owns the VM's reservation
 * lock, which is its own as well, and not the VM.  Its last reference may go
 * with that lock held: whoever holds it has a reference to the owner, too.
 *
 * &msm_vm.users counts the context and each bind queue.  A bind job holds its
 * queue; a GPU job its queue, hence the context, hence the VM that it runs in.  The
 * last put takes the VM apart in a worker, because it may come from the scheduler's
 * own work.  Closing the file waits for nothing: queued GPU jobs still run, and so
 * do queued binds, which skip their maps once the context is gone.  When a VM is
 * freed nothing of it may be left, which msm_vm_free counts.
 *
 * A fence that a bind waited for reads the queue and the scheduler once more
 * after it has let the job go (drm_sched_entity_wakeup()), in an interrupt or
 * with interrupts off.  The job may be done by then and the queue closed, so the
 * memory of a queue and all of a VM stay for an RCU grace period.
 *
 * The out fence depends on nothing but the module, so that an fd or a syncobj may
 * outlive everything else.  VMs and fences hold the module.
 */

/* Long after the grace period: destroy() holds the last reference. */
static void vm_free(struct drm_gpuvm *base)
{
	kfree(to_msm_vm(base));
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.vm_bo_alloc = msm_vm_reserve_vm_bo,
	.vm_bo_validate = msm_vm_validate,
	.sm_step_map = msm_vma_step_map,
	.sm_step_remap = msm_vma_step_remap,
	.sm_step_unmap = msm_vma_step_unmap,
};

/* Keep reclaim off the entries until they are gone with the page table. */
static void hold_vma(struct msm_vma *vma)
{
	struct drm_gem_object *obj = vma->base.gem.obj;
	struct msm_drm_private *priv;

	cond_resched();
	if (!obj)
		return;

	priv = obj->dev->dev_private;
	msm_gem_lock(obj);
	if (msm_vma_has_pages(vma)) {
		mutex_lock(&priv->lru.lock);
		msm_gem_pin_obj_locked(obj);
		mutex_unlock(&priv->lru.lock);
	}
	msm_gem_unlock(obj);
}

static void release_vma(struct msm_vma *vma, struct list_head *gone)
{
	struct drm_gem_object *obj = vma->base.gem.obj;

	cond_resched();
	drm_gpuva_remove(&vma->base);
	list_add(&vma->node, gone);
	if (!obj)
		return;

	drm_gem_object_get(obj);
	msm_gem_lock(obj);
	drm_gpuva_unlink(&vma->base);
	if (msm_vma_has_pages(vma))
		msm_gem_unpin_locked(obj);
	msm_gem_unlock(obj);
	drm_gem_object_put(obj);
}

static void destroy_pgtable(struct msm_vm *vm)
{
	/* The address space only borrowed the MMU. */
	vm->aspace->mmu = NULL;
	msm_gem_address_space_put(vm->aspace);
	msm_pgtable_destroy(vm->pt);
}

static u32 count_vmas(struct msm_vm *vm)
{
	struct drm_gpuva *va;
	u32 count = 0;

	drm_gpuvm_for_each_va(va, &vm->base) {
		count++;
		cond_resched();
	}

	return count;
}

/* Of a VM without users: whatever is left now would be left for good. */
static void check_empty(struct msm_vm *vm, u32 mapped)
{
	/* Each vm_bo holds the drm_gpuvm; the last reference is ours. */
	u32 vm_bos = kref_read(&vm->base.kref) - 1;
	u64 pages = vm->tables.pool.count;
	u32 jobs = atomic_read(&vm->jobs);
	u32 vmas = count_vmas(vm);

	trace_msm_vm_free(vm, mapped, vmas, vm_bos, pages, jobs);
	drm_WARN(vm->base.drm, vmas || vm_bos || jobs,
		 "VM leaked: %u VMAs, %u vm_bos, %u jobs\n", vmas, vm_bos, jobs);
	/* A map that failed half way does not know what it has left. */
	drm_WARN(vm->base.drm, pages && msm_vm_usable(vm),
		 "VM leaked: %llu table pages\n", pages);
}

static void destroy(struct work_struct *work)
{
	struct msm_vm *vm = container_of(to_rcu_work(work), struct msm_vm,
					 destroy);
	struct drm_gpuva *va, *next;
	u32 mapped = count_vmas(vm);
	LIST_HEAD(gone);

	msm_vm_run_teardown(vm);

	drm_gpuvm_for_each_va(va, &vm->base)
		hold_vma(to_msm_vma(va));
	destroy_pgtable(vm);

	drm_gpuvm_for_each_va_safe(va, next, &vm->base)
		release_vma(to_msm_vma(va), &gone);
	msm_vm_reserve_free_vmas(&gone);
	check_empty(vm, mapped);

	msm_vm_tables_fini(&vm->tables);
	mutex_destroy(&vm->pt_lock);
	drm_gpuvm_put(&vm->base);
	module_put(THIS_MODULE);
}

static int setup_aspace(struct msm_vm *vm, u64 va_start, u64 va_size)
{
	struct msm_gem_address_space *aspace;

	aspace = msm_gem_address_space_create(msm_pgtable_mmu(vm->pt),
					      "vm_bind", va_start, va_size);
	if (IS_ERR(aspace))
		return PTR_ERR(aspace);

	aspace->pid = get_pid(task_pid(current));
	vm->aspace = aspace;

	return 0;
}

static int setup_gpuvm(struct msm_vm *vm, struct drm_device *dev)
{
	struct drm_gem_object *resv;

	resv = drm_gpuvm_resv_object_alloc(dev);
	if (!resv)
		return -ENOMEM;

	drm_gpuvm_init(&vm->base, "msm_vm", 0, dev, resv, vm->aspace->va_start,
		       vm->aspace->va_size, 0, 0, &vm_ops);
	drm_gem_object_put(resv);

	return 0;
}

static int setup(struct msm_vm *vm, struct msm_gpu *gpu, u64 va_limit)
{
	u64 va_size;
	int ret;

	vm->pt = msm_pgtable_create(gpu->aspace->mmu);
	if (IS_ERR(vm->pt))
		return PTR_ERR(vm->pt);

	ret = -ENODEV;
	if (msm_pgtable_ias(vm->pt) <= 32)
		goto err_pgtable;

	msm_vm_tables_init(&vm->tables, msm_pgtable_ias(vm->pt));
	msm_vm_order_init(&vm->order);
	msm_vm_log_init(&vm->log);

	va_size = min(BIT_ULL(msm_pgtable_ias(vm->pt)) - SZ_4G, va_limit);
	ret = setup_aspace(vm, SZ_4G, va_size);
	if (ret)
		goto err_pgtable;

	ret = msm_vm_run_setup(vm, gpu->dev);
	if (ret)
		goto err_aspace;

	ret = setup_gpuvm(vm, gpu->dev);
	if (!ret)
		return 0;

	msm_vm_run_teardown(vm);
err_aspace:
	vm->aspace->mmu = NULL;
	msm_gem_address_space_put(vm->aspace);
err_pgtable:
	msm_pgtable_destroy(vm->pt);
	return ret;
}

static struct msm_vm *create(struct msm_gpu *gpu, u64 va_limit)
{
	struct msm_vm *vm;
	int ret;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	kref_init(&vm->users);
	mutex_init(&vm->pt_lock);
	INIT_RCU_WORK(&vm->destroy, destroy);

	ret = setup(vm, gpu, va_limit);
	if (ret) {
		kfree(vm);
		return ERR_PTR(ret == -ENODEV ? -EINVAL : ret);
	}

	__module_get(THIS_MODULE);
	trace_msm_vm_create(vm, pid_nr(vm->aspace->pid), vm->base.mm_start,
			    vm->base.mm_range);

	return vm;
}

static bool has_private_tables(struct msm_gpu *gpu)
{
	return gpu->funcs->create_private_address_space &&
	       !IS_ERR_OR_NULL(gpu->aspace);
}

/**
 * msm_vm_has_null - MSM_PARAM_HAS_PRR
 * @gpu: the GPU
 *
 * Return: whether VMs of this GPU take MSM_VM_BIND_OP_MAP_NULL.
 */
bool msm_vm_has_null(struct msm_gpu *gpu)
{
	return has_private_tables(gpu) && msm_iommu_has_prr(gpu->aspace->mmu);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_has_null);

static int refuse(struct msm_gpu *gpu, int err, const char *reason)
{
	drm_dbg_driver(gpu->dev, "EN_VM_BIND refused: %s (%d)\n", reason, err);

	return err;
}

/**
 * msm_vm_enable - MSM_PARAM_EN_VM_BIND: give a context a VM of its own
 * @gpu: the GPU
 * @ctx: the context
 * @va_limit: most bytes of address space that the GPU can use
 *
 * The VM starts at 4 GiB, like any per-process address space, and ends where
 * the SMMU's input addresses do.
 *
 * Return: 0; -EINVAL on a GPU without per-process page tables, -EBUSY if the
 * context has a VM in use, -ENOMEM.  Never a shared VM.
 */
int msm_vm_enable(struct msm_gpu *gpu, struct msm_file_private *ctx,
		  u64 va_limit)
{
	struct msm_vm *vm;

	if (!has_private_tables(gpu))
		return refuse(gpu, -EINVAL, "no page tables per process");
	if (READ_ONCE(ctx->vm))
		return refuse(gpu, -EBUSY, "the context has a VM in use");

	vm = create(gpu, va_limit);
	if (IS_ERR(vm))
		return PTR_ERR(vm);

	if (cmpxchg(&ctx->vm, NULL, vm)) {
		msm_vm_put(vm);
		return refuse(gpu, -EBUSY, "another thread was first");
	}

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_enable);

static struct msm_vm *decision(struct msm_file_private *ctx)
{
	/* Pairs with cmpxchg() in msm_vm_enable(): the VM is complete. */
	return smp_load_acquire(&ctx->vm);
}

/**
 * msm_vm_of - the VM of a context
 * @ctx: the context
 *
 * Return: its VM, which lives as long as @ctx, or NULL if it has not opted in.
 */
struct msm_vm *msm_vm_of(struct msm_file_private *ctx)
{
	struct msm_vm *vm = decision(ctx);

	return IS_ERR(vm) ? NULL : vm;
}

/**
 * msm_vm_claim_legacy - use the kernel-managed address space of a context
 * @ctx: the context
 *
 * Return: true if that is what the context uses, from now on for good; false
 * if it has opted in to VM_BIND.
 */
bool msm_vm_claim_legacy(struct msm_file_private *ctx)
{
	struct msm_vm *vm = decision(ctx);

	if (!vm)
		vm = cmpxchg(&ctx->vm, NULL, MSM_VM_LEGACY);

	return !vm || vm == MSM_VM_LEGACY;
}

/**
 * msm_vm_aspace - where the GPU jobs of a context run
 * @ctx: the context
 *
 * Return: what the submit path takes TTBR0, the VA range and the fault counter
 * from.
 */
struct msm_gem_address_space *msm_vm_aspace(struct msm_file_private *ctx)
{
	struct msm_vm *vm = msm_vm_of(ctx);

	return vm ? vm->aspace : ctx->aspace;
}

/* The root table is there from the start. */
#define ROOT_TABLES 1

/**
 * msm_vm_show_fdinfo - what the VM of a context takes, for /proc/PID/fdinfo
 * @ctx: the context; nothing is said if it has no VM
 * @p: where to
 */
void msm_vm_show_fdinfo(struct msm_file_private *ctx, struct drm_printer *p)
{
	struct msm_vm *vm = msm_vm_of(ctx);
	long tables;

	if (!vm)
		return;

	tables = ROOT_TABLES + atomic_long_read(&vm->tables.made);
	drm_printf(p, "msm-vm-tables:\t%lu KiB\n",
		   tables << (PAGE_SHIFT - 10));
	drm_printf(p, "msm-vm-reserved:\t%llu KiB\n",
		   READ_ONCE(vm->tables.pool.count) << (PAGE_SHIFT - 10));
}

/**
 * msm_vm_close - the context is going away
 * @ctx: the context, of which nobody else has a reference
 */
void msm_vm_close(struct msm_file_private *ctx)
{
	struct msm_vm *vm = msm_vm_of(ctx);

	if (vm) {
		WRITE_ONCE(vm->closed, true);
		msm_vm_put(vm);
	}
}

/**
 * msm_vm_get - take a reference
 * @vm: the VM
 *
 * Return: @vm.
 */
struct msm_vm *msm_vm_get(struct msm_vm *vm)
{
	kref_get(&vm->users);

	return vm;
}

static void last_user_gone(struct kref *users)
{
	msm_vm_run_destroy(container_of(users, struct msm_vm, users));
}

/**
 * msm_vm_put - drop a reference
 * @vm: the VM
 *
 * Any context that may queue work.
 */
void msm_vm_put(struct msm_vm *vm)
{
	kref_put(&vm->users, last_user_gone);
}

/**
 * msm_vm_usable - may userspace still work with the VM?
 * @vm: the VM
 *
 * Return: false once a job has hung the GPU or the page table is in doubt; that
 * does not change again.
 */
bool msm_vm_usable(struct msm_vm *vm)
{
	return !READ_ONCE(vm->error);
}

/**
 * msm_vm_kill - make the VM unusable
 * @vm: the VM
 * @error: a negative errno, for the fences of binds to come; the first one
 *	stays
 * @reason: the same in words
 *
 * Any context.
 */
void msm_vm_kill(struct msm_vm *vm, int error, const char *reason)
{
	pid_t pid = pid_nr(vm->aspace->pid);

	if (cmpxchg(&vm->error, 0, error))
		return;

	msm_vm_tables_kill(&vm->tables);
	trace_msm_vm_dead(vm, pid, error, reason);
	drm_dbg_driver(vm->base.drm, "VM of pid %d is dead: %s (%d)\n", pid,
		       reason, error);
}

/**
 * msm_vm_refuse - note why an ioctl is refused
 * @vm: the VM
 * @err: errno for userspace
 * @fmt: the reason
 *
 * For the debug log and tracing only: userspace can cause it at will.
 *
 * Return: @err.
 */
int msm_vm_refuse(struct msm_vm *vm, int err, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	trace_msm_vm_refuse(vm, err, &vaf);
	drm_dbg_driver(vm->base.drm, "VM_BIND refused: %pV (%d)\n", &vaf, err);
	va_end(args);

	return err;
}

/**
 * msm_vm_module_init - set up what all VMs share
 *
 * Return: 0 or -ENOMEM.
 */
int msm_vm_module_init(void)
{
	int ret;

	ret = msm_vm_reserve_init();
	if (ret)
		return ret;

	ret = msm_vm_run_init();
	if (ret)
		msm_vm_reserve_exit();

	return ret;
}

/**
 * msm_vm_module_exit - wait for what is on its way out, and drop it
 *
 * The module's own references keep this from being called before the last VM
 * and the last fence have been let go of.
 */
void msm_vm_module_exit(void)
{
	msm_vm_run_exit();
	rcu_barrier();
	msm_vm_reserve_exit();
}
