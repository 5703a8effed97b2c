// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of DRM_IOCTL_MSM_VM_BIND up to the point where objects are
 * looked up, under libFuzzer.
 *
 * Input: struct input; what follows it is the memory of the caller, at USER.
 * What is missing is zero.  The oracle says what is legal in arithmetic of 128
 * bits, in which nothing wraps.
 *
 * msm_vm_job_resolve() stands for all that comes behind: it compares what it is
 * given with what the caller asked for.
 */
#include "shim_msm.h"

#include <uapi/drm/msm_drm.h>

#include "msm/vm/msm_vm.h"
#include "msm/vm/msm_vm_job.h"
#include "msm/vm/msm_vm_queue.h"

#define EFAULT		14
#define PASSED		(-EOPNOTSUPP)
#define USER		0x7f0000000000ull
#define MAX_OPS		16

enum { QUEUE_NONE, QUEUE_GPU, QUEUE_BIND, QUEUES };

struct input {
	struct drm_msm_vm_bind_op op;
	u64 va_start;
	u64 va_size;
	u32 op_stride;
	u32 flags;
	u8 queue;
	u8 nr_ops;
	u8 shift;	/* of the array in the caller's memory */
	u8 has_null;
};

static struct input in;
static const u8 *user;
static size_t user_size;
static struct drm_msm_vm_bind args;
static struct msm_vm vm;
static struct msm_vm_queue bind_queue;
static struct msm_gpu_submitqueue queues[QUEUES] = {
	[QUEUE_BIND] = { .vm_queue = &bind_queue },
};

/* What is around the code under test */

static bool is_user(u64 addr, size_t size)
{
	return addr >= USER && addr - USER <= user_size &&
	       size <= user_size - (addr - USER);
}

static bool tail_is_zero(u64 addr, size_t size)
{
	for (; size; size--)
		if (user[addr++ - USER])
			return false;
	return true;
}

/* Here the struct of the caller is never the smaller one. */
int copy_struct_from_user(void *to, size_t size, const void *from, size_t from_size)
{
	u64 addr = (uintptr_t)from;

	shim_check(from_size >= size, "%zu", from_size);
	if (!is_user(addr, from_size))
		return -EFAULT;
	if (!tail_is_zero(addr + size, from_size - size))
		return -E2BIG;
	memcpy(to, user + (addr - USER), size);
	return 0;
}

struct msm_vm *msm_vm_of(struct msm_file_private *ctx)
{
	return &vm;
}

bool msm_vm_usable(struct msm_vm *vm)
{
	return true;
}

int msm_vm_refuse(struct msm_vm *vm, int err, const char *fmt, ...)
{
	shim_check(err < 0, "refused with %d", err);
	return err;
}

bool msm_pgtable_has_null(struct msm_pgtable *pt)
{
	return in.has_null & 1;
}

struct msm_gpu_submitqueue *msm_submitqueue_get(struct msm_file_private *ctx,
						u32 id)
{
	return id == QUEUE_NONE ? NULL : &queues[id];
}

void msm_submitqueue_put(struct msm_gpu_submitqueue *queue)
{
}

struct msm_vm_queue *msm_vm_queue_get(struct msm_vm_queue *queue)
{
	kref_get(&queue->ref);
	return queue;
}

void msm_vm_queue_put(struct msm_vm_queue *queue)
{
	shim_check(!refcount_dec_and_test(&queue->ref.refcount), "no reference");
}

struct msm_vm_job *msm_vm_job_create(struct msm_vm_queue *queue, u32 nr_ops)
{
	struct msm_vm_job *job = shim_alloc(sizeof(*job));

	job->vm = &vm;
	job->nr_ops = nr_ops;
	job->ops = shim_alloc(nr_ops * sizeof(*job->ops));
	return job;
}

void msm_vm_job_abort(struct msm_vm_job *job)
{
	kfree(job->ops);
	kfree(job);
}

/* The oracle */

static bool legal(const struct drm_msm_vm_bind_op *op)
{
	bool map = op->op == MSM_VM_BIND_OP_MAP;
	u128 end = (u128)op->iova + op->range;
	u128 offset_end = (u128)op->obj_offset + op->range;

	if (!map && op->op != MSM_VM_BIND_OP_UNMAP &&
	    (op->op != MSM_VM_BIND_OP_MAP_NULL || !(in.has_null & 1)))
		return false;
	if (op->pad || (op->flags & ~MSM_VM_BIND_OP_DUMP))
		return false;
	if (map != !!op->handle || (!map && op->obj_offset))
		return false;
	if (op->iova % 4096 || op->range % 4096 || op->obj_offset % 4096)
		return false;
	if (!op->range || offset_end >> 64 || end >> 64)
		return false;
	return op->iova >= in.va_start &&
	       end <= (u128)in.va_start + in.va_size;
}

static int get_op(u32 i, struct drm_msm_vm_bind_op *op)
{
	u64 stride = args.op_stride ?: sizeof(*op);
	u64 addr = args.ops + i * stride;

	if (args.nr_ops == 1) {
		*op = args.op;
		return 0;
	}
	if (!is_user(addr, stride))
		return -EFAULT;
	if (!tail_is_zero(addr + sizeof(*op), stride - sizeof(*op)))
		return -E2BIG;
	memcpy(op, user + (addr - USER), sizeof(*op));
	return 0;
}

static int expected(void)
{
	struct drm_msm_vm_bind_op op;
	u32 i;
	int ret;

	if (args.flags & ~(MSM_VM_BIND_FENCE_FD_IN | MSM_VM_BIND_FENCE_FD_OUT))
		return -EINVAL;
	if (args.queue_id != QUEUE_BIND)
		return args.queue_id == QUEUE_NONE ? -ENOENT : -EINVAL;
	if (args.nr_ops > 1 && args.op_stride && args.op_stride < sizeof(op))
		return -EINVAL;
	if (args.nr_ops > 1 && args.op_stride > PAGE_SIZE)
		return -E2BIG;
	for (i = 0; i < args.nr_ops; i++) {
		ret = get_op(i, &op);
		if (ret)
			return ret;
		if (!legal(&op))
			return -EINVAL;
	}
	return PASSED;
}

static void check(const struct msm_vm_request *req,
		  const struct drm_msm_vm_bind_op *op)
{
	shim_check(req->map == (op->op != MSM_VM_BIND_OP_UNMAP), "map");
	shim_check(req->null == (op->op == MSM_VM_BIND_OP_MAP_NULL), "null");
	shim_check(req->flags == op->flags, "flags");
	shim_check(req->handle == op->handle, "handle");
	shim_check(req->iova == op->iova, "iova");
	shim_check(req->range == op->range, "range");
	shim_check(req->offset == op->obj_offset, "offset");
	shim_check(req->obj_end == op->obj_offset + op->range, "end");
}

int msm_vm_job_resolve(struct msm_vm_job *job, struct drm_file *file)
{
	struct drm_msm_vm_bind_op op;
	u32 i;

	shim_check(job->nr_ops == args.nr_ops, "%u ops", job->nr_ops);
	for (i = 0; i < job->nr_ops; i++) {
		shim_check(!get_op(i, &op), "op %u", i);
		check(&job->ops[i].req, &op);
	}
	return PASSED;
}

/* Nothing gets here after msm_vm_job_resolve() has said no. */

int msm_vm_job_reserve(struct msm_vm_job *job, struct drm_file *file)
{
	shim_bug("not refused");
}

int msm_vm_job_wait_for(struct msm_vm_job *job, int fence_fd)
{
	shim_bug("not refused");
}

int msm_vm_job_sync(struct msm_vm_job *job, struct drm_file *file,
		    const struct drm_msm_vm_bind *args)
{
	shim_bug("not refused");
}

int msm_vm_job_want_fd(struct msm_vm_job *job)
{
	shim_bug("not refused");
}

int msm_vm_job_lock(struct msm_vm_job *job)
{
	shim_bug("not refused");
}

void msm_vm_job_commit(struct msm_vm_job *job, struct drm_msm_vm_bind *args)
{
	shim_bug("not refused");
}

static void setup(const u8 *data, size_t size)
{
	memset(&in, 0, sizeof(in));
	memcpy(&in, data, min(size, sizeof(in)));
	user_size = size - min(size, sizeof(in));
	user = data + size - user_size;

	args = (struct drm_msm_vm_bind) {
		.flags = in.flags,
		.queue_id = in.queue ? QUEUE_BIND : in.flags % QUEUES,
		.nr_ops = in.nr_ops % MAX_OPS,
		.op_stride = in.op_stride,
	};
	if (args.nr_ops == 1)
		args.op = in.op;
	else
		args.ops = USER + in.shift;
	kref_init(&bind_queue.ref);
	vm.base.mm_start = in.va_start;
	vm.base.mm_range = in.va_size;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct msm_drm_private priv = { .gpu = &priv };
	struct drm_device dev = { .dev_private = &priv };
	struct msm_file_private ctx = { 0 };
	struct drm_file file = { .driver_priv = &ctx };
	struct drm_msm_vm_bind before;
	u64 end;
	int ret;

	setup(data, size);
	/* The kernel's part of the deal */
	if (check_add_overflow(in.va_start, in.va_size, &end))
		return 0;

	before = args;
	ret = msm_ioctl_vm_bind(&dev, &args, &file);
	shim_check(ret == expected(), "returned %d, not %d", ret, expected());
	shim_check(!memcmp(&before, &args, sizeof(args)), "arguments changed");
	shim_check(kref_read(&bind_queue.ref) == 1, "queue: %d references",
		   kref_read(&bind_queue.ref));
	return 0;
}
