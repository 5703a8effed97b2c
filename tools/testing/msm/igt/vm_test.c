// SPDX-License-Identifier: MIT
/*
 * What the VM_BIND test programs share: opening with a reason when that is not
 * possible, steps that must succeed, and the canary for steps that must not.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gpu_account.h"
#include "gpu_devcore.h"
#include "gpu_fence.h"
#include "gpu_knob.h"
#include "gpu_reason.h"
#include "vm_test.h"

#define VM_BIND_MINOR	13

/*
 * No test here hangs the GPU on purpose, but an emulated one on a busy machine
 * is slower than the half second that the driver allows.
 */
#define HANGCHECK_MS	5000

#define SETTLE_MS	5000

static u32 hangcheck_before;

/*
 * VMs of the subtest before go in workers: who counts BOs may not count theirs.
 * One that failed leaves files open, after which there is nothing to wait for.
 */
static void settle(void)
{
	int ms = gpu_fence_scaled_ms(SETTLE_MS);
	static bool stuck;
	int files = gpu_dev_count_files();	/* libigt has one */
	u64 own = files + gpu_devcore_count(), refs = 0;

	msm_igt_assert(files >= 0, "no /proc/self/fd (%d)\n", files);
	if (stuck)
		return;
	for (; !gpu_account_refs(&refs) && refs > own && ms > 0; ms -= 10)
		usleep(10000);
	stuck = refs > own;
	if (stuck)
		msm_igt_info("something of the driver stays in use\n");
}

/*
 * Without an msm GPU, or on a kernel that does not claim VM_BIND, there is
 * nothing to test.  A kernel that claims it has to do it.
 */
void vm_test_fixture(void)
{
	struct gpu_dev dev;
	char text[64];
	int fd, minor = 0;

	fd = drm_open_driver_render(MSM_IGT_DRIVER_MSM);
	drm_close_driver(fd);
	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_dev_version(&dev, text, sizeof(text), &minor));
	gpu_dev_close(&dev);
	msm_igt_info("%s\n", text);
	msm_igt_require(minor >= VM_BIND_MINOR,
			"the kernel's msm is older than 1.%d\n", VM_BIND_MINOR);
	igt_emit_ignore_dmesg_regex(VM_TEST_DMESG);
	msm_igt_assert_ok(gpu_reason_start());
	gpu_devcore_clear();
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(HANGCHECK_MS,
						   &hangcheck_before));
	msm_igt_before_each(settle);
}

/*
 * Where no test unmaps what a job still uses: each use of an entry that the page
 * table does not have any more is an error in the log, which fails the test.
 */
void vm_test_strict(void)
{
	int ret = gpu_knob_set("tlb_strict", 1);

	msm_igt_assert(!ret || ret == -ENOENT, "tlb_strict: %d\n", ret);
}

void vm_test_restore(void)
{
	int ret = gpu_knob_set("tlb_strict", 0);

	msm_igt_assert(!ret || ret == -ENOENT, "tlb_strict: %d\n", ret);
	msm_igt_assert_ok(gpu_reason_stop());
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(hangcheck_before, NULL));
}

/* main() of a program that needs nothing else before and after its tests */
__noreturn void vm_test_main(int argc, char **argv,
			     const struct msm_igt_subtest *tests, size_t count)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_run(tests, count);
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}

void vm_test_open(struct gpu_vm *vm)
{
	msm_igt_assert_ok(gpu_vm_open(vm));
}

/*
 * The buffers of all tests.  A CPU mapping keeps its file open, so a context
 * is really closed only when the mappings of its buffers are gone.
 */
static struct gpu_bo buffers[256];

/* A stamped buffer, see gpu_pages_bo(); lives until vm_test_close(). */
struct gpu_bo *vm_test_bo(struct gpu_vm *vm, char letter, u32 pages)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(buffers) && (buffers[i].map || buffers[i].handle))
		i++;
	msm_igt_assert(i < ARRAY_SIZE(buffers), "too many buffers\n");
	msm_igt_assert_ok(gpu_pages_bo(&vm->dev, letter, pages, &buffers[i]));
	return &buffers[i];
}

void vm_test_close(struct gpu_vm *vm)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(buffers); i++) {
		if (buffers[i].dev != &vm->dev)
			continue;
		gpu_bo_unmap_cpu(&buffers[i]);
		buffers[i] = (struct gpu_bo){ 0 };
	}
	gpu_vm_close(vm);
}

/* BOs of all contexts */
u64 vm_test_bo_count(void)
{
	u64 count;

	msm_igt_assert_ok(gpu_knob_bo_count(&count));
	return count;
}

/* VMs go in a worker, and so do the BOs of a queued unmap. */
void vm_test_expect_bo_count(u64 want)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	u64 count;

	while ((count = vm_test_bo_count()) != want && ms > 0) {
		usleep(10000);
		ms -= 10;
	}
	msm_igt_assert(count == want, "%llu BOs, expected %llu\n", count, want);
}

/* The number that the next fd will have: one set aside is not in /proc. */
int vm_test_next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	msm_igt_assert(fd >= 0, "/dev/null: %d\n", -errno);
	close(fd);
	return fd;
}

static struct rlimit fds_before;

/* From now on this process gets no fd: all below the limit are in use. */
void vm_test_no_fds(void)
{
	struct rlimit none;

	msm_igt_assert_ok(getrlimit(RLIMIT_NOFILE, &fds_before));
	none = fds_before;
	none.rlim_cur = vm_test_next_fd();
	msm_igt_assert_ok(setrlimit(RLIMIT_NOFILE, &none));
}

void vm_test_fds_again(void)
{
	msm_igt_assert_ok(setrlimit(RLIMIT_NOFILE, &fds_before));
}

void vm_test_expect_at(struct gpu_vm *vm, u64 iova, const char *picture,
		       const char *func, int line)
{
	char text[GPU_PAGES_TEXT];

	if (!gpu_pages_check(vm, iova, picture, text))
		__igt_fail_assert(NULL, __FILE__, line, func, "picture",
				  "expected \"%s\": %s\n", picture, text);
}

/*
 * What was refused last was refused because of @reason.  NULL: the rule is not
 * of VM_BIND, and the kernel has no words for it.
 */
void vm_test_reason_at(const char *reason, const char *func, int line)
{
	int seen = gpu_reason_seen(reason ?: "");

	if (reason && seen != 1)
		__igt_fail_assert(NULL, __FILE__, line, func, "reason",
				  "not in the debug log: \"%s\" (%d)\n",
				  reason, seen);
}

/* Map all of @bo and wait. */
void vm_test_map(struct gpu_vm *vm, u64 iova, const struct gpu_bo *bo)
{
	msm_igt_assert_ok(gpu_vm_map(vm, iova, bo, 0, bo->size));
}

void vm_test_unmap(struct gpu_vm *vm, u64 iova, u32 pages)
{
	msm_igt_assert_ok(gpu_vm_unmap(vm, iova, pages * GPU_PAGE));
}

/* A closed gate */
struct gpu_gate vm_test_gate(void)
{
	struct gpu_gate gate;
	int ret = gpu_gate_new(&gate);

	msm_igt_require(ret != -ENOENT, "no sw_sync: CONFIG_SW_SYNC, debugfs\n");
	msm_igt_assert_ok(ret);
	return gate;
}

void vm_footprint_get(struct vm_footprint *footprint)
{
	footprint->fds = gpu_dev_count_fds();
	footprint->next_fd = vm_test_next_fd();
	msm_igt_assert_ok(gpu_vm_count(&footprint->counts));
}

/* As many files and VMAs, and no more pages set aside once workers have ended */
void vm_footprint_expect(const struct vm_footprint *before)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	struct vm_footprint now;

	for (;; ms -= 10) {
		vm_footprint_get(&now);
		if (now.counts.set_aside <= before->counts.set_aside || ms <= 0)
			break;
		usleep(10000);
	}
	msm_igt_assert_ret(now.fds, before->fds);
	msm_igt_assert_ret(now.next_fd, before->next_fd);
	msm_igt_assert(now.counts.mappings == before->counts.mappings &&
		       now.counts.set_aside <= before->counts.set_aside,
		       "%llu mappings, %llu pages set aside; before %llu, %llu\n",
		       now.counts.mappings, now.counts.set_aside,
		       before->counts.mappings, before->counts.set_aside);
}

static void vm_canary_expect(struct vm_canary *canary)
{
	vm_test_expect(&canary->vm, canary->base, "A0-3 .2 B0-1");
}

void vm_canary_open(struct vm_canary *canary)
{
	struct gpu_vm *vm = &canary->vm;

	vm_test_open(vm);
	canary->base = vm->area;
	canary->hole = canary->base + 4 * GPU_PAGE;
	canary->a = vm_test_bo(vm, 'A', 4);
	canary->b = vm_test_bo(vm, 'B', 2);
	vm_test_map(vm, canary->base, canary->a);
	vm_test_map(vm, canary->hole + 2 * GPU_PAGE, canary->b);
	vm_canary_expect(canary);
	vm_footprint_get(&canary->before);
	canary->bos = vm_test_bo_count();
	vm_test_reason(NULL);
}

/*
 * Nothing changed: no file descriptor, VMA, BO or reserved page appeared, the
 * GPU sees the same pages and the same hole, and the VM still takes binds.
 */
void vm_canary_check(struct vm_canary *canary)
{
	struct gpu_vm *vm = &canary->vm;

	vm_footprint_expect(&canary->before);
	vm_test_expect_bo_count(canary->bos);
	vm_canary_expect(canary);

	vm_test_map(vm, canary->hole, canary->b);
	vm_test_expect(vm, canary->base, "A0-3 B0-1 B0-1");
	vm_test_unmap(vm, canary->hole, 2);
	vm_canary_expect(canary);
	msm_igt_assert_ret(gpu_dev_count_fds(), canary->before.fds);
}

void vm_canary_close(struct vm_canary *canary)
{
	vm_test_close(&canary->vm);
}
