/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_H__
#define __MSM_VM_H__

#include <linux/err.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>

#include "msm_vm_log.h"
#include "msm_vm_order.h"
#include "msm_vm_tables.h"

struct drm_device;
struct drm_file;
struct drm_printer;
struct msm_file_private;
struct msm_gem_address_space;
struct msm_gpu;
struct msm_pgtable;

/**
 * struct msm_vm - a GPU address space that userspace manages
 * @base: the VMA tree; holds the DRM device and the reservation object
 * @users: the context and each bind queue; see msm_vm_put()
 * @pt: the page table
 * @pt_lock: held while @pt is edited, on the fence signalling path; nothing
 *	may be allocated under it
 * @tables: which tables @pt has, and pages for more
 * @order: which bind jobs wait for which
 * @log: what was done to @pt lately
 * @jobs: bind jobs that exist, from create to the end of retire
 * @last_job: number of the bind job that was created last
 * @error: zero while the VM is live, then the reason why it is not
 * @closed: the context is gone, so no GPU job will use the VM any more; binds
 *	that were queued still run, but for their maps
 * @aspace: stands for this VM in the submit path: TTBR0 and fault counter; no
 *	address is ever taken from it
 * @sched: runs bind jobs, one at a time
 * @destroy: takes the VM apart when the last user has gone
 */
struct msm_vm {
	struct drm_gpuvm base;
	struct kref users;
	struct msm_pgtable *pt;
	struct mutex pt_lock;	/* of @pt */
	struct msm_vm_tables tables;
	struct msm_vm_order order;
	struct msm_vm_log log;
	atomic_t jobs;
	atomic64_t last_job;
	int error;
	bool closed;
	struct msm_gem_address_space *aspace;
	struct drm_gpu_scheduler sched;
	struct rcu_work destroy;
};

#define to_msm_vm(vm) container_of(vm, struct msm_vm, base)

/* &msm_file_private.vm of a context that has used the kernel-managed VM. */
#define MSM_VM_LEGACY ERR_PTR(-EBUSY)

int msm_vm_enable(struct msm_gpu *gpu, struct msm_file_private *ctx,
		  u64 va_limit);
bool msm_vm_has_null(struct msm_gpu *gpu);
struct msm_vm *msm_vm_of(struct msm_file_private *ctx);
bool msm_vm_claim_legacy(struct msm_file_private *ctx);
struct msm_gem_address_space *msm_vm_aspace(struct msm_file_private *ctx);
void msm_vm_show_fdinfo(struct msm_file_private *ctx, struct drm_printer *p);
void msm_vm_close(struct msm_file_private *ctx);

struct msm_vm *msm_vm_get(struct msm_vm *vm);
void msm_vm_put(struct msm_vm *vm);
bool msm_vm_usable(struct msm_vm *vm);
void msm_vm_kill(struct msm_vm *vm, int error, const char *reason);

int msm_ioctl_vm_bind(struct drm_device *dev, void *data, struct drm_file *file);

int msm_vm_module_init(void);
void msm_vm_module_exit(void);

#endif /* __MSM_VM_H__ */
