// SPDX-License-Identifier: GPL-2.0-only
/*
 * DRM_IOCTL_MSM_VM_BIND: from a struct of userspace to a job.
 *
 * Each rule for the arguments stands here, once, with its reason; what only the
 * objects can tell (a handle, a fence, a BO's state) is in msm_vm_job.c.
 *
 * Numbers from userspace are added up only in msm_vm_request_parse(); what
 * comes out of it cannot wrap any more.
 *
 * The ioctl is atomic: it changes nothing until all of it is certain to
 * succeed.
 */

#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <kunit/visibility.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include <uapi/drm/msm_drm.h>

#include "../msm_drv.h"
#include "../msm_gpu.h"
#include "msm_vm.h"
#include "msm_vm_job.h"
#include "msm_vm_queue.h"
#include "msm_vm_refuse.h"
#include "msm_vm_request.h"
#include "msm_vm_uapi.h"

static_assert(sizeof(struct drm_msm_vm_bind_op) == 40);
static_assert(sizeof(struct drm_msm_vm_bind) == 88);
static_assert(sizeof(struct drm_msm_syncobj) == 16);
static_assert(sizeof(struct drm_msm_gem_submit_cmd) == 32);
static_assert(_IOC_NR(DRM_IOCTL_MSM_VM_BIND) == DRM_COMMAND_BASE + 0x0d);
static_assert(MSM_PARAM_HAS_PRR == 0x15 && MSM_PARAM_EN_VM_BIND == 0x16);

static const char *check_op(const struct drm_msm_vm_bind_op *op)
{
	if (op->op > MSM_VM_BIND_OP_MAP_NULL)
		return "unknown op";
	if (op->flags & ~MSM_VM_BIND_OP_FLAGS)
		return "unknown op flags";
	if (op->pad)
		return "pad is not zero";
	if (op->op == MSM_VM_BIND_OP_MAP)
		return op->handle ? NULL : "MAP without a handle";
	if (op->handle)
		return "handle without MAP";
	if (op->obj_offset)
		return "obj_offset without MAP";

	return NULL;
}

static const char *check_range(struct msm_vm_request *req, u64 va_start,
			       u64 va_size)
{
	u64 end;

	if (!PAGE_ALIGNED(req->iova) || !PAGE_ALIGNED(req->range) ||
	    !PAGE_ALIGNED(req->offset))
		return "not page aligned";
	if (!req->range)
		return "range is zero";
	if (check_add_overflow(req->iova, req->range, &end))
		return "iova + range wraps";
	if (check_add_overflow(req->offset, req->range, &req->obj_end))
		return "obj_offset + range wraps";
	if (req->iova < va_start || end > va_start + va_size)
		return "outside of the VM";

	return NULL;
}

/**
 * msm_vm_request_parse - validate one op
 * @req: takes the result
 * @op: as it came from userspace
 * @va_start: first address of the VM
 * @va_size: bytes of the VM; @va_start + @va_size does not wrap
 * @reason: why it was refused, one line
 *
 * Return: 0, or -EINVAL with @reason set.
 */
int msm_vm_request_parse(struct msm_vm_request *req,
			 const struct drm_msm_vm_bind_op *op,
			 u64 va_start, u64 va_size, const char **reason)
{
	*req = (struct msm_vm_request) {
		.map = op->op != MSM_VM_BIND_OP_UNMAP,
		.null = op->op == MSM_VM_BIND_OP_MAP_NULL,
		.flags = op->flags,
		.handle = op->handle,
		.iova = op->iova,
		.range = op->range,
		.offset = op->obj_offset,
	};

	*reason = check_op(op);
	if (!*reason)
		*reason = check_range(req, va_start, va_size);

	return *reason ? -EINVAL : 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_request_parse);

static int parse_op(struct msm_vm_job *job, u32 i,
		    const struct drm_msm_vm_bind_op *op)
{
	struct drm_gpuvm *vm = &job->vm->base;
	const char *reason;
	int ret;

	ret = msm_vm_request_parse(&job->ops[i].req, op, vm->mm_start,
				   vm->mm_range, &reason);
	if (ret)
		return msm_vm_refuse(job->vm, ret, "op %u: %s", i, reason);

	if (job->ops[i].req.null && !msm_pgtable_has_null(job->vm->pt))
		return msm_vm_refuse(job->vm, -EINVAL,
				     "op %u: MAP_NULL without PRR", i);

	return 0;
}

/* Mainline ignores op_stride, so there are clients that leave it zero. */
static int parse_ops(struct msm_vm_job *job, const struct drm_msm_vm_bind *args)
{
	u32 stride = args->op_stride ?: sizeof(struct drm_msm_vm_bind_op);
	u64 addr = args->ops;
	u32 i;

	if (args->nr_ops == 1)
		return parse_op(job, 0, &args->op);

	if (args->nr_ops && stride < sizeof(struct drm_msm_vm_bind_op))
		return msm_vm_refuse(job->vm, -EINVAL, "op_stride %u", stride);
	/* The tail of each op is read, so it must have an end. */
	if (args->nr_ops && stride > PAGE_SIZE)
		return msm_vm_refuse(job->vm, -E2BIG, "op_stride %u", stride);

	for (i = 0; i < args->nr_ops; i++, addr += stride) {
		struct drm_msm_vm_bind_op op;
		int ret;

		ret = copy_struct_from_user(&op, sizeof(op),
					    u64_to_user_ptr(addr), stride);
		if (ret)
			return msm_vm_refuse(job->vm, ret, "op %u: %s", i,
					     ret == -E2BIG ? "tail is not zero" : "copy");
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();

		ret = parse_op(job, i, &op);
		if (ret)
			return ret;
	}

	return 0;
}

/* Return: the queue, referenced, or an ERR_PTR. */
static struct msm_vm_queue *find_queue(struct msm_vm *vm,
				       struct msm_file_private *ctx, u32 id)
{
	struct msm_gpu_submitqueue *sq = msm_submitqueue_get(ctx, id);
	struct msm_vm_queue *queue;

	if (!sq)
		return ERR_PTR(msm_vm_refuse(vm, -ENOENT, "no queue %u", id));

	if (sq->vm_queue)
		queue = msm_vm_queue_get(sq->vm_queue);
	else
		queue = ERR_PTR(msm_vm_refuse(vm, -EINVAL,
					      "queue %u is not for binds", id));
	msm_submitqueue_put(sq);

	return queue;
}

static int check_args(struct msm_vm *vm, const struct drm_msm_vm_bind *args)
{
	if (!msm_vm_usable(vm))
		return msm_vm_refuse(vm, -EPIPE, "the VM is dead");
	if (args->flags & ~MSM_VM_BIND_FLAGS)
		return msm_vm_refuse(vm, -EINVAL, "flags 0x%x", args->flags);

	return 0;
}

static int prepare(struct msm_vm_job *job, const struct drm_msm_vm_bind *args,
		   struct drm_file *file)
{
	int ret;

	ret = parse_ops(job, args);
	if (!ret)
		ret = msm_vm_job_resolve(job, file);
	if (!ret)
		ret = msm_vm_job_reserve(job, file);
	if (!ret && args->flags & MSM_VM_BIND_FENCE_FD_IN)
		ret = msm_vm_job_wait_for(job, args->fence_fd);
	if (!ret)
		ret = msm_vm_job_sync(job, file, args);
	if (!ret && args->flags & MSM_VM_BIND_FENCE_FD_OUT)
		ret = msm_vm_job_want_fd(job);
	if (!ret)
		ret = msm_vm_job_lock(job);

	return ret;
}

/**
 * msm_ioctl_vm_bind - DRM_IOCTL_MSM_VM_BIND
 * @dev: the DRM device
 * @data: &struct drm_msm_vm_bind
 * @file: the caller
 *
 * Return: 0; or, with nothing changed, -ENXIO without a GPU, -EPIPE when the
 * VM is dead, -ENOENT for an unknown queue or in-syncobj, -EFAULT for an array,
 * -E2BIG for the array of ops, -EBUSY for a BO marked as not needed, -EMFILE,
 * -ENOMEM, -EINTR and -ERESTARTSYS for signals, and -EINVAL for everything else
 * that is wrong; the debug log has the reason.
 */
int msm_ioctl_vm_bind(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct msm_drm_private *priv = dev->dev_private;
	struct msm_file_private *ctx = file->driver_priv;
	struct drm_msm_vm_bind *args = data;
	struct msm_vm_queue *queue;
	struct msm_vm_job *job;
	struct msm_vm *vm;
	int ret;

	if (!priv->gpu) {
		drm_dbg_driver(dev, "VM_BIND refused: no GPU\n");
		return -ENXIO;
	}

	vm = msm_vm_of(ctx);
	if (!vm) {
		drm_dbg_driver(dev, "VM_BIND refused: not opted in\n");
		return -EINVAL;
	}

	ret = check_args(vm, args);
	if (ret)
		return ret;

	queue = find_queue(vm, ctx, args->queue_id);
	if (IS_ERR(queue))
		return PTR_ERR(queue);

	job = msm_vm_job_create(queue, args->nr_ops);
	msm_vm_queue_put(queue);
	if (IS_ERR(job))
		return msm_vm_refuse(vm, PTR_ERR(job), "no memory for %u ops",
				     args->nr_ops);

	ret = prepare(job, args, file);
	if (ret) {
		msm_vm_job_abort(job);
		return ret;
	}

	msm_vm_job_commit(job, args);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_ioctl_vm_bind);
