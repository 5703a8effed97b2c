// SPDX-License-Identifier: MIT
/*
 * Memory pressure on buffers that are mapped.
 *
 * An idle buffer loses its pages and gets others, with the same contents, for
 * the next job; one in use, by a job or by a bind that still waits, keeps them.
 * The witness is the GPU: were an entry left behind it would show a page that
 * belongs to somebody else by now, were one missing it would fault.
 *
 * Most cases run twice, as private buffers share their lock with the VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_knob.h"
#include "gpu_mem.h"
#include "vm_test.h"
#include "vm_evict.h"

/* More than a VM's scratch buffer, so that it can be told apart by size */
#define PAGES	64u

static const u32 private_flag = MSM_BO_NO_SHARE;

static u64 resident_pages(void)
{
	u64 bytes;

	msm_igt_assert_ok(gpu_mem_resident(&bytes));
	return bytes / GPU_PAGE;
}

/* @arg: NULL, or &private_flag */
static void open_vm(struct gpu_vm *vm, const void *arg)
{
	int ret = gpu_mem_setup();

	msm_igt_require(ret != -ENOSPC, "no swap, nothing can be evicted\n");
	msm_igt_assert_ok(ret);
	vm_test_open(vm);
	vm->dev.bo_flags = arg ? *(const u32 *)arg : 0;
}

/*
 * The driver must let go of at least @pages, whose place others then take.  The
 * worker that ends a bind may still hold some for a moment.
 */
static void evict_now(struct gpu_vm *vm, u32 pages)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	u64 before = resident_pages();

	for (; ms > 0; ms -= 10) {
		msm_igt_assert_ok(gpu_mem_shrink());
		if (resident_pages() + pages <= before)
			break;
		usleep(10000);
	}
	msm_igt_assert(ms > 0, "%llu pages left of %llu, %u should go\n",
		       resident_pages(), before, pages);
	msm_igt_assert_ok(gpu_mem_swap_out(pages));
	gpu_bo_free(vm_test_bo(vm, 'Z', pages));
}

/* The driver must keep all but the scratch, which has nothing to do. */
static void expect_kept(struct gpu_vm *vm)
{
	u64 before = resident_pages(), after;

	msm_igt_assert_ok(gpu_mem_shrink());
	after = resident_pages();
	msm_igt_assert(before <= after + vm->scratch.size / GPU_PAGE,
		       "%llu pages left of %llu\n", after, before);
}

static void again(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;
	int i;

	open_vm(&vm, arg);
	a = vm_test_bo(&vm, 'A', PAGES);
	vm_test_map(&vm, vm.area, a);
	msm_igt_assert_ok(gpu_vm_map(&vm, vm.area + 128 * GPU_PAGE, a,
				     8 * GPU_PAGE, 4 * GPU_PAGE));
	vm_test_expect(&vm, vm.area, "A0-63 .");
	for (i = 0; i < 3; i++) {
		evict_now(&vm, PAGES);
		vm_test_expect(&vm, vm.area - GPU_PAGE, ". A0-63 .");
		vm_test_expect(&vm, vm.area + 127 * GPU_PAGE, ". A8-11 .");
	}
	vm_test_close(&vm);
}

static u64 stale_hits(void)
{
	u64 count = ~0ull;

	msm_igt_assert_ok(gpu_knob_stat("stale_hits", &count));
	return count;
}

/* Nothing but evict itself makes the GPU forget: an idle one would be reset. */
static void awake(const void *arg)
{
	struct gpu_vm vm;
	u64 before;

	open_vm(&vm, NULL);
	msm_igt_assert_ok(gpu_knob_keep_awake(true));
	vm_test_strict();
	vm_test_map(&vm, vm.area, vm_test_bo(&vm, 'A', PAGES));
	vm_test_expect(&vm, vm.area, "A0-63 .");
	before = stale_hits();
	evict_now(&vm, PAGES);
	vm_test_expect(&vm, vm.area, "A0-63 .");
	msm_igt_assert(stale_hits() == before, "%llu old translations used\n",
		       stale_hits() - before);
	msm_igt_assert_ok(gpu_knob_set("tlb_strict", 0));
	msm_igt_assert_ok(gpu_knob_keep_awake(false));
	vm_test_close(&vm);
}

/* A job that waits for the CPU has its buffers all the same. */
static void busy(const void *arg)
{
	struct gpu_gate gate;
	struct gpu_job job;
	struct gpu_vm vm;
	struct gpu_bo *a;

	open_vm(&vm, arg);
	a = vm_test_bo(&vm, 'A', PAGES);
	vm_test_map(&vm, vm.area, a);
	msm_igt_assert_ok(gpu_gate_new(&gate));
	gpu_job_begin(&job, &vm, 0);
	gpu_job_read(&job, 0, vm.area + 63 * GPU_PAGE);
	msm_igt_assert_ok(gpu_job_submit(&job, gate.fence));

	expect_kept(&vm);
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_job_finish(&job));
	msm_igt_assert(job.result[0] == gpu_pages_stamp('A', 63, false),
		       "GPU read %08x\n", job.result[0]);
	gpu_gate_free(&gate);

	evict_now(&vm, PAGES);
	vm_test_expect(&vm, vm.area, "A0-63");
	vm_test_close(&vm);
}

static bool is_retained(struct gpu_bo *bo, u32 advice)
{
	bool retained;

	msm_igt_assert_ok(gpu_mem_madvise(bo, advice, &retained));
	return retained;
}

/* As evict_now() for a buffer that is not needed: its contents must be gone. */
static void purge_now(struct gpu_bo *bo)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);

	/* First of all, as without pages there is nothing to purge. */
	while (is_retained(bo, MSM_MADV_DONTNEED) && ms > 0) {
		msm_igt_assert_ok(gpu_mem_shrink());
		usleep(10000);
		ms -= 10;
	}
	msm_igt_assert(ms > 0, "not purged\n");
}

/*
 * The VMA is gone, the entries are not: neither evict nor purge may take the
 * pages, nor may the close of the handle.
 */
static void queued(struct gpu_vm *vm, struct drm_msm_vm_bind_op op, bool purge)
{
	u64 before = vm_test_bo_count();
	struct gpu_gate gate;
	struct gpu_bo *a;
	int fence;

	a = vm_test_bo(vm, 'A', PAGES);
	vm_test_map(vm, vm->area, a);
	msm_igt_assert_ok(gpu_gate_new(&gate));
	msm_igt_assert_ok(gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1,
				       gate.fence, &fence));
	if (purge)
		msm_igt_assert(is_retained(a, MSM_MADV_DONTNEED), "gone\n");
	else
		gpu_bo_free(a);
	expect_kept(vm);
	gpu_bo_free(vm_test_bo(vm, 'Z', PAGES));
	vm_test_expect(vm, vm->area, "A0-63");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	gpu_gate_free(&gate);
	if (purge)
		purge_now(a);
	else
		vm_test_expect_bo_count(before);
}

static void queued_unmap(const void *arg)
{
	struct gpu_vm vm;

	open_vm(&vm, arg);
	queued(&vm, gpu_bind_op_unmap(vm.area, PAGES * GPU_PAGE), false);
	vm_test_expect(&vm, vm.area, ".2");
	queued(&vm, gpu_bind_op_unmap(vm.area, PAGES * GPU_PAGE), true);
	vm_test_expect(&vm, vm.area, ".2");
	vm_test_close(&vm);
}

static void queued_replace(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *b;

	open_vm(&vm, arg);
	b = vm_test_bo(&vm, 'B', PAGES);
	queued(&vm, gpu_bind_op_map(vm.area, b, 0, b->size), false);
	vm_test_expect(&vm, vm.area, "B0-63 .");
	queued(&vm, gpu_bind_op_map(vm.area, b, 0, b->size), true);
	vm_test_expect(&vm, vm.area, "B0-63 .");
	evict_now(&vm, PAGES);
	vm_test_expect(&vm, vm.area, "B0-63 .");
	vm_test_close(&vm);
}

/* The pieces of an evicted mapping are evicted, and come back as pieces. */
static void split(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a, *b;

	open_vm(&vm, arg);
	a = vm_test_bo(&vm, 'A', PAGES);
	b = vm_test_bo(&vm, 'B', 2);
	vm_test_map(&vm, vm.area, a);
	vm_test_expect(&vm, vm.area, "A0-63");
	evict_now(&vm, PAGES);
	vm_test_unmap(&vm, vm.area + 2 * GPU_PAGE, 2);
	msm_igt_assert_ok(gpu_vm_map(&vm, vm.area + 5 * GPU_PAGE, b, 0,
				     2 * GPU_PAGE));
	vm_test_unmap(&vm, vm.area, 1);
	vm_test_expect(&vm, vm.area, ". A1 .2 A4 B0-1 A7-63 .");
	evict_now(&vm, PAGES);
	vm_test_expect(&vm, vm.area, ". A1 .2 A4 B0-1 A7-63 .");
	vm_test_close(&vm);
}

/* Of one buffer one mapping is evicted and one is not. */
static void half(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a, *b;
	u64 second;

	open_vm(&vm, arg);
	second = vm.area + 2 * PAGES * GPU_PAGE;
	a = vm_test_bo(&vm, 'A', PAGES);
	b = vm_test_bo(&vm, 'B', PAGES);
	vm_test_map(&vm, vm.area, a);
	evict_now(&vm, PAGES);
	vm_test_map(&vm, second, a);
	evict_now(&vm, PAGES);
	vm_test_expect(&vm, vm.area, "A0-63 .");
	vm_test_expect(&vm, second, "A0-63 .");

	evict_now(&vm, PAGES);
	vm_test_map(&vm, vm.area, b);
	vm_test_expect(&vm, second, "A0-63 .");
	vm_test_expect(&vm, vm.area, "B0-63 .");

	evict_now(&vm, 2 * PAGES);
	vm_test_unmap(&vm, vm.area, PAGES);
	vm_test_map(&vm, second, a);
	vm_test_expect(&vm, vm.area, ".2");
	vm_test_expect(&vm, second, "A0-63 .");
	vm_test_close(&vm);
}

/*
 * What userspace does not need and reclaim has taken cannot come back: jobs are
 * refused until it is unmapped, and the context can be closed as ever.
 */
static void purge(const void *arg)
{
	u64 before = vm_test_bo_count();
	struct gpu_vm vm;
	struct gpu_bo *a, *b;
	u32 seen;
	int fds;

	open_vm(&vm, arg);
	a = vm_test_bo(&vm, 'A', PAGES);
	b = vm_test_bo(&vm, 'B', 4);
	vm_test_map(&vm, vm.area, a);
	vm_test_map(&vm, vm.area + PAGES * GPU_PAGE, b);
	vm_test_expect(&vm, vm.area + 60 * GPU_PAGE, "A60-63 B0-3");
	purge_now(a);

	fds = gpu_dev_count_fds();
	msm_igt_assert_ret(gpu_job_read_now(&vm, vm.area + PAGES * GPU_PAGE,
					    &seen), -EBUSY);
	msm_igt_assert_ret(gpu_job_read_now(&vm, vm.area, &seen), -EBUSY);
	msm_igt_assert_ret(gpu_dev_count_fds(), fds);
	vm_test_unmap(&vm, vm.area, PAGES);
	vm_test_expect(&vm, vm.area + 62 * GPU_PAGE, ".2 B0-3");

	purge_now(b);
	msm_igt_assert_ret(gpu_job_read_now(&vm, vm.area, &seen), -EBUSY);
	vm_test_close(&vm);
	vm_test_expect_bo_count(before);
}

/* Nor can it be mapped again, whether it is needed by now or not. */
static void map_purged(const void *arg)
{
	int ret = gpu_mem_setup();
	struct vm_canary c;
	struct gpu_bo *x;

	msm_igt_require(ret != -ENOSPC, "no swap, nothing can be evicted\n");
	msm_igt_assert_ok(ret);
	vm_canary_open(&c);
	x = vm_test_bo(&c.vm, 'X', 2);
	c.bos++;
	purge_now(x);
	msm_igt_assert_ret(gpu_vm_map(&c.vm, c.hole, x, 0, x->size), -EBUSY);
	vm_test_reason("no pages for BO");
	vm_canary_check(&c);
	msm_igt_assert(!is_retained(x, MSM_MADV_WILLNEED), "back again\n");
	msm_igt_assert_ret(gpu_vm_map(&c.vm, c.hole, x, 0, x->size), -EBUSY);
	vm_test_reason("no pages for BO");
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* Not needed and evicted, but not purged: needed again, it is all there. */
static void change_of_mind(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;
	u32 seen;

	open_vm(&vm, arg);
	a = vm_test_bo(&vm, 'A', PAGES);
	vm_test_map(&vm, vm.area, a);
	evict_now(&vm, PAGES);
	msm_igt_assert(is_retained(a, MSM_MADV_DONTNEED), "gone\n");
	msm_igt_assert_ret(gpu_job_read_now(&vm, vm.area, &seen), -EBUSY);
	msm_igt_assert(is_retained(a, MSM_MADV_WILLNEED), "gone\n");
	vm_test_expect(&vm, vm.area, "A0-63 .");
	vm_test_close(&vm);
}

static void exit_evicted(const void *arg)
{
	u64 before = vm_test_bo_count();
	struct gpu_vm vm;

	open_vm(&vm, arg);
	vm_test_map(&vm, vm.area, vm_test_bo(&vm, 'A', PAGES));
	evict_now(&vm, PAGES);
	vm_test_close(&vm);
	vm_test_expect_bo_count(before);
}

/* The same buffer, by a handle of another context */
static struct gpu_bo shared_with(struct gpu_vm *vm, struct gpu_bo *bo)
{
	struct drm_prime_handle req = {
		.flags = DRM_CLOEXEC, .handle = bo->handle,
	};

	msm_igt_assert_ok(gpu_ioctl(bo->dev->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD,
				    &req));
	msm_igt_assert_ok(gpu_ioctl(vm->dev.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE,
				    &req));
	close(req.fd);
	return (struct gpu_bo){
		.dev = &vm->dev, .handle = req.handle, .size = bo->size,
	};
}

/* One buffer in two VMs: evicted from both, brought back to each. */
static void two_vms(const void *arg)
{
	struct gpu_vm one, two;
	struct gpu_bo *a, other;

	open_vm(&one, NULL);
	vm_test_open(&two);
	a = vm_test_bo(&one, 'A', PAGES);
	other = shared_with(&two, a);
	vm_test_map(&one, one.area, a);
	vm_test_map(&two, two.area, &other);
	vm_test_expect(&one, one.area, "A0-63");
	vm_test_expect(&two, two.area, "A0-63");

	evict_now(&one, PAGES);
	vm_test_expect(&two, two.area, "A0-63");
	evict_now(&one, PAGES);
	vm_test_expect(&one, one.area, "A0-63");
	evict_now(&one, PAGES);
	vm_test_close(&one);
	vm_test_expect(&two, two.area, "A0-63");
	vm_test_close(&two);
}

/*
 * A closed context skips a map that was queued, so its VMA has neither entries
 * nor tables; a later bind keeps the VM for reclaim to find.
 */
static void closed_skipped(const void *arg)
{
	struct gpu_vm one, two;
	struct gpu_gate gates[2];
	struct gpu_bo *a, other;
	int fences[2], i;

	open_vm(&one, NULL);
	vm_test_open(&two);
	a = vm_test_bo(&one, 'A', PAGES);
	other = shared_with(&two, a);
	vm_test_map(&one, one.area, a);
	for (i = 0; i < 2; i++) {
		const struct drm_msm_vm_bind_op ops[] = {
			gpu_bind_op_map(two.area + GPU_VM_AREA_OFFSET, &other,
					0, other.size),
			gpu_bind_op_unmap(two.area, GPU_PAGE),
		};

		msm_igt_assert_ok(gpu_gate_new(&gates[i]));
		msm_igt_assert_ok(gpu_bind_ops(&two.dev, two.bind_queue,
					       &ops[i], 1, gates[i].fence,
					       &fences[i]));
	}
	vm_test_close(&two);
	for (i = 0; i < 2; i++) {
		msm_igt_assert_ok(gpu_gate_open(&gates[i]));
		msm_igt_assert_ok(gpu_fence_finish(fences[i]));
		gpu_gate_free(&gates[i]);
		evict_now(&one, PAGES);
		vm_test_expect(&one, one.area, "A0-63 .");
	}
	vm_test_close(&one);
}

/*
 * Who has mapped the dma-buf of an evicted buffer must not keep its old pages,
 * even if nobody has mapped the buffer itself.
 */
static void dmabuf_mapped(const void *arg)
{
	struct drm_msm_gem_new new = {
		.size = PAGES * GPU_PAGE, .flags = MSM_BO_WC,
	};
	struct drm_prime_handle req = { .flags = DRM_CLOEXEC | DRM_RDWR };
	u32 *map, seen, value = 0x600d0004;
	struct gpu_bo bo;
	struct gpu_vm vm;

	open_vm(&vm, NULL);
	msm_igt_assert_ok(gpu_ioctl(vm.dev.fd, DRM_IOCTL_MSM_GEM_NEW, &new));
	bo = (struct gpu_bo){
		.dev = &vm.dev, .handle = new.handle, .size = new.size,
	};
	req.handle = new.handle;
	msm_igt_assert_ok(gpu_ioctl(vm.dev.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD,
				    &req));
	map = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, req.fd, 0);
	msm_igt_assert(map != MAP_FAILED, "mmap: %d\n", errno);
	memset(map, 0xa5, bo.size);
	vm_test_map(&vm, vm.area, &bo);

	evict_now(&vm, PAGES);
	map[0] = value;
	msm_igt_assert_ok(gpu_job_read_now(&vm, vm.area, &seen));
	msm_igt_assert(seen == value, "GPU read %08x, CPU wrote %08x\n", seen,
		       value);
	munmap(map, bo.size);
	close(req.fd);
	vm_test_close(&vm);
}

static const struct msm_igt_subtest tests[] = {
	{ "again", "evict, submit, evict", again },
	{ "again-private", "evict, submit, evict", again,
	  &private_flag },
	{ "awake", "evict, submit, no reset of the SMMU between", awake },
	{ "busy", "a queued job keeps what it may use", busy },
	{ "busy-private", "a queued job keeps what it may use", busy,
	  &private_flag },
	{ "queued-unmap", "a queued unmap keeps the pages", queued_unmap },
	{ "queued-unmap-private", "a queued unmap keeps the pages", queued_unmap,
	  &private_flag },
	{ "queued-replace", "so does a queued map over it", queued_replace },
	{ "queued-replace-private", "so does a queued map over it", queued_replace,
	  &private_flag },
	{ "split", "changes of what is evicted", split },
	{ "split-private", "changes of what is evicted", split,
	  &private_flag },
	{ "half", "one mapping evicted, another not", half },
	{ "half-private", "one mapping evicted, another not", half,
	  &private_flag },
	{ "purge", "-EBUSY until unmapped", purge },
	{ "purge-private", "-EBUSY until unmapped", purge,
	  &private_flag },
	{ "map-purged", "-EBUSY for good", map_purged },
	{ "change-of-mind", "-EBUSY until needed", change_of_mind },
	{ "change-of-mind-private", "-EBUSY until needed", change_of_mind,
	  &private_flag },
	{ "exit-evicted", "close without bringing back", exit_evicted },
	{ "exit-evicted-private", "close without bringing back", exit_evicted,
	  &private_flag },
	{ "dmabuf-mapped", "the CPU's mapping of a dma-buf goes, too",
	  dmabuf_mapped },
	{ "two-vms", "evicted from all VMs", two_vms },
	{ "closed-skipped", "evicted from a closed VM that never mapped it",
	  closed_skipped },
};

static void restore(void)
{
	gpu_knob_keep_awake(false);
	vm_test_restore();
}

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_run(vm_evict_race_tests, vm_evict_race_count);
	msm_igt_fixture(restore);
	igt_exit();
}
