// SPDX-License-Identifier: MIT
/*
 * MAP_NULL: addresses that read zero and drop writes, as sparse resources need
 * them where no memory is bound.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_bind.h"
#include "gpu_fence.h"
#include "gpu_knob.h"
#include "msm_igt.h"
#include "vm_long.h"
#include "vm_test.h"

#define VMS	"/sys/kernel/debug/dri/128/vm"
#define MIB	(1024ull * 1024)
#define GIB	(1024 * MIB)

static void open_sparse(struct gpu_vm *vm)
{
	u64 prr = 0;

	vm_test_open(vm);
	msm_igt_assert_ok(gpu_dev_get_param(&vm->dev, MSM_PARAM_HAS_PRR, &prr));
	msm_igt_require(prr, "MSM_PARAM_HAS_PRR is 0: an SMMU without PRR\n");
}

static void map_null(struct gpu_vm *vm, u64 iova, u64 range)
{
	const struct drm_msm_vm_bind_op op = gpu_bind_op_null(iova, range);

	msm_igt_assert_ok(gpu_vm_bind(vm, &op, 1));
}

static void basic(const void *arg)
{
	struct gpu_vm vm;

	open_sparse(&vm);
	map_null(&vm, vm.area, 4 * GPU_PAGE);
	vm_test_expect(&vm, vm.area - GPU_PAGE, ". z4 .");
	vm_test_unmap(&vm, vm.area, 4);
	vm_test_expect(&vm, vm.area, ".4");
	vm_test_close(&vm);
}

/* What a sparse buffer does all its life: bind, rebind, unbind parts of it. */
static void residency(const void *arg)
{
	struct drm_msm_vm_bind_op ops[3];
	struct gpu_bo *a, *b;
	struct gpu_vm vm;

	open_sparse(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	b = vm_test_bo(&vm, 'B', 4);
	map_null(&vm, vm.area, 8 * GPU_PAGE);
	msm_igt_assert_ok(gpu_vm_map(&vm, vm.area + 2 * GPU_PAGE, a, 0,
				     4 * GPU_PAGE));
	vm_test_expect(&vm, vm.area, "z2 A0-3 z2 .");

	map_null(&vm, vm.area + 3 * GPU_PAGE, 2 * GPU_PAGE);
	vm_test_expect(&vm, vm.area, "z2 A0 z2 A3 z2 .");

	ops[0] = gpu_bind_op_map(vm.area, b, GPU_PAGE, GPU_PAGE);
	ops[1] = gpu_bind_op_null(vm.area + 2 * GPU_PAGE, GPU_PAGE);
	ops[2] = gpu_bind_op_map(vm.area + 4 * GPU_PAGE, a, 0, 3 * GPU_PAGE);
	msm_igt_assert_ok(gpu_vm_bind(&vm, ops, 3));
	vm_test_expect(&vm, vm.area, "B1 z3 A0-2 z .");

	vm_test_unmap(&vm, vm.area, 8);
	vm_test_expect(&vm, vm.area, ".8");
	vm_test_close(&vm);
}

/* Cut NULL ranges in every way. */
static void split(const void *arg)
{
	struct gpu_bo *a;
	struct gpu_vm vm;

	open_sparse(&vm);
	a = vm_test_bo(&vm, 'A', 8);
	map_null(&vm, vm.area, 8 * GPU_PAGE);
	vm_test_unmap(&vm, vm.area, 1);
	vm_test_unmap(&vm, vm.area + 7 * GPU_PAGE, 1);
	vm_test_unmap(&vm, vm.area + 3 * GPU_PAGE, 2);
	vm_test_expect(&vm, vm.area, ". z2 .2 z2 .");

	map_null(&vm, vm.area + 2 * GPU_PAGE, 4 * GPU_PAGE);
	vm_test_expect(&vm, vm.area, ". z6 .");
	map_null(&vm, vm.area + 2 * GPU_PAGE, 4 * GPU_PAGE);
	map_null(&vm, vm.area, 8 * GPU_PAGE);
	vm_test_expect(&vm, vm.area, "z8");

	vm_test_map(&vm, vm.area, a);
	vm_test_expect(&vm, vm.area, "A0-7");
	vm_test_close(&vm);
}

/* Zero is not what is left of somebody's data: write through another alias. */
static void writes_go_nowhere(const void *arg)
{
	const u64 far = 3 * GIB;
	struct gpu_vm vm;
	u32 seen = 1;

	open_sparse(&vm);
	map_null(&vm, vm.area, GPU_PAGE);
	map_null(&vm, vm.area + far, GPU_PAGE);
	msm_igt_assert_ok(gpu_job_write_now(&vm, vm.area + 0x40, 0xdeadbeef));
	msm_igt_assert_ok(gpu_job_read_now(&vm, vm.area + far + 0x40, &seen));
	msm_igt_assert(!seen, "GPU read %08x\n", seen);
	vm_test_close(&vm);
}

/* Across every kind of table, larger than 4 GiB can count in 32 bits. */
static void large(const void *arg)
{
	const u64 range = *(const u64 *)arg;
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 iova;

	open_sparse(&vm);
	a = vm_test_bo(&vm, 'A', 1);
	iova = vm.area + GIB - 2 * GPU_PAGE;
	map_null(&vm, iova, range);
	vm_test_expect(&vm, iova - GPU_PAGE, ". z4");
	vm_test_expect(&vm, iova + range - 2 * GPU_PAGE, "z2 .");

	vm_test_map(&vm, iova + range / 2, a);
	vm_test_expect(&vm, iova + range / 2 - GPU_PAGE, "z A0 z");
	msm_igt_assert_ok(gpu_vm_unmap(&vm, iova, range));
	vm_test_expect(&vm, iova, ".2");
	vm_test_expect(&vm, iova + range - GPU_PAGE, ".2");
	vm_test_close(&vm);
}

/*
 * The SMMU sleeps when the GPU does, and its registers lose what they held; what
 * programs them again has to know of the page.
 */
static void after_suspend(const void *arg)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	struct gpu_vm vm;
	u64 on;

	open_sparse(&vm);
	map_null(&vm, vm.area, 2 * GPU_PAGE);
	vm_test_expect(&vm, vm.area, "z2 .");
	do {
		usleep(10000);
		ms -= 10;
		msm_igt_require(!gpu_knob_stat("prr_enabled", &on),
				"only the virtual GPU says whether it sleeps\n");
	} while (on && ms > 0);
	msm_igt_assert(!on, "the SMMU does not go to sleep\n");
	vm_test_expect(&vm, vm.area, "z2 .");
	vm_test_close(&vm);
}

static const u64 one_gib = GIB + 4 * GPU_PAGE;
static const u64 five_gib = 5 * GIB;

/* It has no buffer, so nothing to name one with; and no memory to offset. */
static void bad_input(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	struct gpu_bo *a;
	struct gpu_vm vm;

	open_sparse(&vm);
	a = vm_test_bo(&vm, 'A', 1);
	vm_test_map(&vm, vm.area, a);

	op = gpu_bind_op_null(vm.area, GPU_PAGE);
	op.handle = a->handle;
	msm_igt_assert_ret(gpu_vm_bind(&vm, &op, 1), -EINVAL);
	op = gpu_bind_op_null(vm.area, GPU_PAGE);
	op.obj_offset = GPU_PAGE;
	msm_igt_assert_ret(gpu_vm_bind(&vm, &op, 1), -EINVAL);
	op = gpu_bind_op_null(vm.area, 0);
	msm_igt_assert_ret(gpu_vm_bind(&vm, &op, 1), -EINVAL);
	op = gpu_bind_op_null(vm.va_start + vm.va_size, GPU_PAGE);
	msm_igt_assert_ret(gpu_vm_bind(&vm, &op, 1), -EINVAL);
	vm_test_expect(&vm, vm.area, "A0 .");

	/* without effect, as in mainline */
	op = gpu_bind_op_null(vm.area, GPU_PAGE);
	op.flags = MSM_VM_BIND_OP_DUMP;
	msm_igt_assert_ok(gpu_vm_bind(&vm, &op, 1));
	vm_test_expect(&vm, vm.area, "z .");
	vm_test_close(&vm);
}

/* The page comes with the first VM and goes with the last one. */
static void come_and_go(const void *arg)
{
	struct gpu_vm one, two;
	int i;

	for (i = 0; i < 8; i++) {
		open_sparse(&one);
		map_null(&one, one.area, GPU_PAGE);
		open_sparse(&two);
		map_null(&two, two.area, GPU_PAGE);
		vm_test_close(&one);
		vm_test_expect(&two, two.area, "z .");
		vm_test_close(&two);
	}
}

/* Return: whether the part of the file that is about this process has @line. */
static bool listed(const char *line)
{
	FILE *file = fopen(VMS, "r");
	char ours[32], text[128];
	bool here = false, found = false;

	msm_igt_require(file, VMS ": %m\n");
	snprintf(ours, sizeof(ours), "VM of pid %d,", getpid());
	while (fgets(text, sizeof(text), file)) {
		if (!strncmp(text, "VM of", 5))
			here = !strncmp(text, ours, strlen(ours));
		found |= here && strstr(text, line);
	}
	fclose(file);
	return found;
}

static bool listed_at(const char *format, u64 first, u64 end)
{
	char line[64];

	snprintf(line, sizeof(line), format, first, end);
	return listed(line);
}

static void debugfs(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 at, end;

	open_sparse(&vm);
	at = vm.area;
	end = at + 4 * GPU_PAGE;
	a = vm_test_bo(&vm, 'A', 1);
	map_null(&vm, at, 4 * GPU_PAGE);
	msm_igt_assert(listed_at("%012llx-%012llx null", at, end), "tree\n");
	msm_igt_assert(listed_at("%012llx-%012llx\n", at, end), "log\n");
	vm_test_map(&vm, at, a);
	at += GPU_PAGE;
	msm_igt_assert(listed_at("%012llx-%012llx null", at, end), "split\n");
	msm_igt_assert(listed("mappings: 3"), "scratch, A and what is null\n");
	msm_igt_assert(listed("log: map-null:"), "the first edit\n");
	vm_test_close(&vm);
}

/* Nobody will use what is still to be mapped. */
static void close_running(const void *arg)
{
	struct gpu_vm vm;
	int fence;

	open_sparse(&vm);
	fence = vm_long_bind(&vm);
	vm_test_close(&vm);
	msm_igt_assert_ok(gpu_fence_finish(fence));
}

static const struct msm_igt_subtest tests[] = {
	{ "basic", "reads are not zero, writes are not dropped, or faults", basic },
	{ "residency", "memory and NULL next to each other mix up", residency },
	{ "split", "a cut NULL range loses pages or keeps too many", split },
	{ "writes-go-nowhere", "a write is seen through another address",
	  writes_go_nowhere },
	{ "large", "ends of a large range are off", large, &one_gib },
	{ "larger-than-4g", "a size is cut to 32 bits", large, &five_gib },
	{ "bad-input", "arguments without meaning are taken", bad_input },
	{ "come-and-go", "the page is freed under a VM", come_and_go },
	{ "null-after-suspend", "the SMMU wakes up without the page", after_suspend },
	{ "close-running", "a bind goes on for nobody", close_running },
	{ "debugfs", "what is shown is not what is mapped", debugfs },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_fixture(vm_test_strict);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}
