// SPDX-License-Identifier: MIT
/*
 * The examples of the documentation, with the GPU as the witness that they do
 * what they say.
 */
#include <errno.h>
#include <unistd.h>

#include <drm/msm_drm.h>

#include "gpu_syncobj.h"
#include "vm_example.h"
#include "vm_test.h"

#define BUFFER	(4 * GPU_PAGE)

/* A context that was opened as the example does it */
static void example_vm(struct gpu_vm *vm)
{
	*vm = (struct gpu_vm){ .dev.fd = -1 };
	msm_igt_assert_ok(gpu_dev_open(&vm->dev));
	msm_igt_assert_ok(vm_example_open(vm->dev.fd, &vm->bind_queue,
					  &vm->va_start, &vm->va_size));
	msm_igt_assert_ok(gpu_bo_new(&vm->dev, GPU_JOB_SCRATCH_BYTES,
				     &vm->scratch));
	msm_igt_assert_ok(gpu_vm_map(vm, vm->va_start, &vm->scratch, 0,
				     vm->scratch.size));
	vm->area = vm->va_start + GPU_VM_AREA_OFFSET;
}

static void open_twice(const void *arg)
{
	struct gpu_vm vm;
	u64 start, size;
	u32 queue;

	example_vm(&vm);
	msm_igt_assert(vm.va_size >= 4 * GPU_VM_AREA_OFFSET, "only %llu bytes\n",
		       vm.va_size);
	msm_igt_assert_ret(vm_example_open(vm.dev.fd, &queue, &start, &size),
			   -EBUSY);
	gpu_vm_close(&vm);
}

/* The GPU writes through the new mapping, and faults when it is gone. */
static void alloc_submit_free(const void *arg)
{
	struct gpu_job job;
	struct gpu_vm vm;
	u32 handle, value;
	int bound, fence;

	example_vm(&vm);
	msm_igt_assert_ok(vm_example_alloc(vm.dev.fd, vm.bind_queue, BUFFER,
					   vm.area, &handle, &bound));
	gpu_job_begin(&job, &vm, 0);
	gpu_cmd_mem_write(&job.cmd, vm.area + 8, 0x5ca1ab1e);
	fence = bound;
	msm_igt_assert_ok(vm_example_submit(vm.dev.fd, job.cmd_iova,
					    4 * job.cmd.count, &fence));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	close(bound);
	msm_igt_assert_ok(gpu_job_read_now(&vm, vm.area + 8, &value));
	msm_igt_assert(value == 0x5ca1ab1e, "GPU read %08x\n", value);

	msm_igt_assert_ok(vm_example_free(vm.dev.fd, vm.bind_queue, BUFFER,
					  vm.area, handle));
	msm_igt_assert_ok(gpu_vm_bind(&vm, NULL, 0));
	vm_test_expect(&vm, vm.area, ".4");
	gpu_vm_close(&vm);
}

static void sparse(const void *arg)
{
	struct drm_msm_vm_bind_op ops[2];
	struct gpu_bo *bo;
	struct gpu_vm vm;
	u32 timeline;
	int ret;

	example_vm(&vm);
	ret = vm_example_sparse(vm.dev.fd, vm.bind_queue, vm.area, 6 * GPU_PAGE);
	msm_igt_require(ret != -EOPNOTSUPP, "no PRR\n");
	msm_igt_assert_ok(ret);
	bo = vm_test_bo(&vm, 'A', 4);
	msm_igt_assert_ok(gpu_syncobj_new(&vm.dev, &timeline));
	msm_igt_assert_ok(gpu_syncobj_signal(&vm.dev, timeline, 1));

	ops[0] = gpu_bind_op_map(vm.area + GPU_PAGE, bo, 2 * GPU_PAGE, GPU_PAGE);
	ops[1] = gpu_bind_op_map(vm.area + 3 * GPU_PAGE, bo, 0, 2 * GPU_PAGE);
	msm_igt_assert_ok(vm_example_sparse_bind(vm.dev.fd, vm.bind_queue,
						 timeline, ops, 2, 1, 2));
	ops[0] = gpu_bind_op_null(vm.area + 4 * GPU_PAGE, GPU_PAGE);
	msm_igt_assert_ok(vm_example_sparse_bind(vm.dev.fd, vm.bind_queue,
						 timeline, ops, 1, 2, 3));
	msm_igt_assert_ok(gpu_syncobj_wait(&vm.dev, timeline, 3,
					   GPU_FENCE_PATIENCE_MS));
	vm_test_expect(&vm, vm.area, "z A2 z A0 z z");

	/* Point 4 has not been submitted. */
	msm_igt_assert_ret(vm_example_sparse_bind(vm.dev.fd, vm.bind_queue,
						  timeline, ops, 1, 4, 5),
			   -EINVAL);
	vm_test_close(&vm);
}

static const struct msm_igt_subtest tests[] = {
	{ "open", "once, and for good", open_twice },
	{ "alloc-submit-free", "no wait but for fences", alloc_submit_free },
	{ "sparse", "pages bound and unbound in order", sparse },
};

int main(int argc, char **argv)
{
	vm_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
