// SPDX-License-Identifier: MIT
/*
 * Kernel memory that VM_BIND takes is the client's: it is charged to its memory
 * cgroup, and where that is full the ioctl fails and nothing has changed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gpu_account.h"
#include "vm_test.h"

#define MIB		(1024 * 1024ull)
/* Apart from each other by what a page table spans */
#define TABLE_SPAN	(2 * MIB)
#define LIMIT		(2 * MIB)
/* Bytes that need 2 GiB of page tables */
#define HUGE		(1024 * 1024 * MIB)

#define BOS		1000
/* Less than what connects a BO with a VM takes, in any configuration */
#define VM_BO_BYTES	96
/*
 * Less than what the driver itself keeps of a job.  That the scheduler's fences
 * are charged, too, shows in what is printed only: 2658 bytes, else 2321.
 */
#define JOBS		1500
#define JOB_BYTES	1200
/* What is charged is added up when enough has come together, or every 2 s */
#define CHARGE_NOISE	(1024 * 1024)
#define CHARGE_PERIOD	2500000

static struct gpu_account_group group;

/* What is left of the test before is charged to that one's group. */
static void enter_new_group(void)
{
	char name[32];
	static u32 count;
	int ret;

	snprintf(name, sizeof(name), "msm-vm-memcg-%d-%u", getpid(), count++);
	ret = gpu_account_group_new(&group, name);
	msm_igt_require(ret != -ENOENT, "no memory controller\n");
	msm_igt_assert_ok(ret);
	msm_igt_assert_ok(gpu_account_group_enter(&group));
}

/* Without what was freed, but waits for a second use or in KASAN's quarantine */
static u64 kernel_bytes(void)
{
	u64 bytes = 0;

	msm_igt_assert_ok(gpu_account_slab_bytes(&bytes));
	usleep(CHARGE_PERIOD);
	msm_igt_assert_ok(gpu_account_group_stat(&group, "kernel", &bytes));
	return bytes;
}

static u64 fdinfo(const struct gpu_vm *vm, const char *key)
{
	u64 kib = 0;

	msm_igt_assert_ok(gpu_vm_fdinfo(vm, key, &kib));
	return kib;
}

/* @count MAPs of a page, @apart from each other, away from the canary */
static struct drm_msm_vm_bind_op *make_ops(const struct vm_canary *canary,
					   u32 count, u64 apart)
{
	struct drm_msm_vm_bind_op *ops = calloc(count, sizeof(*ops));
	u32 i;

	msm_igt_assert(ops, "no memory\n");
	for (i = 0; i < count; i++)
		ops[i] = gpu_bind_op_map(canary->base + GPU_VM_AREA_OFFSET +
					 i * apart, canary->a, 0, GPU_PAGE);
	return ops;
}

/**
 * struct many - MAPs in one request, too many for the limit
 * @count: how many
 * @apart: bytes from one to the next
 */
struct many {
	u32 count;
	u64 apart;
};

/* Page tables of 4 MiB; VMAs of 1.7 MiB or more beside an array of 1.5; one of 11 */
static const struct many many_tables = { 1024, TABLE_SPAN };
static const struct many many_vmas = { 5500, GPU_PAGE };
static const struct many many_ops = { 40000, GPU_PAGE };

/* More than the limit allows: an error, nothing changed, and again without. */
static void refused(const void *arg)
{
	const struct many *many = arg;
	const u32 count = many->count;
	struct drm_msm_vm_bind_op *ops;
	struct vm_canary canary;
	u64 tables;

	enter_new_group();
	vm_canary_open(&canary);
	ops = make_ops(&canary, count, many->apart);
	tables = fdinfo(&canary.vm, "msm-vm-tables");

	msm_igt_assert_ok(gpu_account_group_limit(&group, LIMIT));
	msm_igt_assert_ret(gpu_vm_bind(&canary.vm, ops, count), -ENOMEM);
	msm_igt_assert_ret(fdinfo(&canary.vm, "msm-vm-reserved"), 0);
	msm_igt_assert_ret(fdinfo(&canary.vm, "msm-vm-tables"), tables);
	vm_canary_check(&canary);

	msm_igt_assert_ok(gpu_account_group_limit(&group, 0));
	msm_igt_assert_ok(gpu_vm_bind(&canary.vm, ops, count));
	vm_test_expect(&canary.vm, ops[count - 1].iova, "A0 .");
	free(ops);
	vm_canary_close(&canary);
}

/* One operation whose page tables nobody has memory for */
static void huge_null(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	struct vm_canary canary;
	u64 tables;

	enter_new_group();
	vm_canary_open(&canary);
	msm_igt_require(canary.vm.va_size > 2 * HUGE, "a small VM\n");
	op = gpu_bind_op_null(canary.base + GPU_VM_AREA_OFFSET, HUGE);
	tables = fdinfo(&canary.vm, "msm-vm-tables");
	msm_igt_assert_ok(gpu_account_group_limit(&group, LIMIT));
	msm_igt_assert_ret(gpu_vm_bind(&canary.vm, &op, 1), -ENOMEM);
	msm_igt_assert_ok(gpu_account_group_limit(&group, 0));
	msm_igt_assert_ret(fdinfo(&canary.vm, "msm-vm-tables"), tables);
	vm_canary_check(&canary);
	vm_canary_close(&canary);
}

/* What mapping the ops adds, once all else that they need is there */
static u64 charge_of(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops)
{
	u64 before;

	msm_igt_assert_ok(gpu_vm_bind(vm, ops, BOS));
	msm_igt_assert_ok(gpu_vm_unmap(vm, ops[0].iova, BOS * GPU_PAGE));
	before = kernel_bytes();
	msm_igt_assert_ok(gpu_vm_bind(vm, ops, BOS));
	return kernel_bytes() - before;
}

/* As many mappings of many BOs cost more than those of one. */
static void mapped_bos(const void *arg)
{
	static struct drm_msm_vm_bind_op ops[BOS];
	struct gpu_vm vm;
	struct gpu_bo *bo;
	u64 one, many;
	u32 i;

	enter_new_group();
	vm_test_open(&vm);
	bo = vm_test_bo(&vm, 'A', 2);
	for (i = 0; i < BOS; i++)
		ops[i] = gpu_bind_op_map(vm.area + i * GPU_PAGE, bo, 0, GPU_PAGE);
	one = charge_of(&vm, ops);
	vm_test_unmap(&vm, vm.area, BOS);

	for (i = 0; i < BOS; i++) {
		struct drm_msm_gem_new req = {
			.size = GPU_PAGE, .flags = MSM_BO_WC,
		};

		msm_igt_assert_ok(gpu_ioctl(vm.dev.fd, DRM_IOCTL_MSM_GEM_NEW,
					    &req));
		ops[i].handle = req.handle;
	}
	many = charge_of(&vm, ops);
	msm_igt_info("%llu bytes for a VMA, %llu with a BO of its own\n",
		     one / BOS, many / BOS);
	msm_igt_assert(many > one + BOS * VM_BO_BYTES,
		       "%llu and %llu bytes\n", one, many);
	vm_test_close(&vm);
}

/* Binds without operations that wait: all they take is their jobs. */
static void waiting_jobs(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	u64 before, after;
	struct gpu_vm vm;
	u32 i;

	enter_new_group();
	vm_test_open(&vm);
	before = kernel_bytes();
	for (i = 0; i < JOBS; i++)
		msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, NULL, 0,
					       gate.fence, NULL));
	after = kernel_bytes();
	msm_igt_info("%llu bytes for a job that waits\n", (after - before) / JOBS);
	msm_igt_assert(after > before + JOBS * JOB_BYTES,
		       "%llu bytes\n", after - before);

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_vm_bind(&vm, NULL, 0));
	gpu_gate_free(&gate);
	after = kernel_bytes();
	msm_igt_assert(after <= before + CHARGE_NOISE,
		       "%llu bytes are left\n", after - before);
	vm_test_close(&vm);
}

static const struct msm_igt_subtest tests[] = {
	{ "limit-tables", "no page tables beyond the limit", refused,
	  &many_tables },
	{ "limit-vmas", "no VMAs beyond the limit", refused, &many_vmas },
	{ "limit-ops", "no operations beyond the limit", refused, &many_ops },
	{ "huge-null", "no page tables for 1 TiB of nothing", huge_null },
	{ "mapped-bos", "each BO that is mapped is charged", mapped_bos },
	{ "waiting-jobs", "each job that waits is charged", waiting_jobs },
};

int main(int argc, char **argv)
{
	vm_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
