// SPDX-License-Identifier: MIT
/*
 * Buffers out of the ordinary: of 4 GiB and more, and of another device.
 *
 * A buffer gets memory as a whole when it is first used.  That is too much for a
 * small machine, so the tests of large ones stop short of using one; those that
 * do use it import the same pages many times.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_legacy.h"
#include "gpu_mem.h"
#include "vm_dmabuf.h"
#include "vm_test.h"

#define GIB	(1024 * 1024 * 1024ull)
/* Cut to 32 bits this is one page. */
#define LARGE	(4 * GIB + GPU_PAGE)
/* The kernel's limit: an array of pages of less than 2 GiB */
#define TOO_LARGE	(1024 * GIB)

/* The size as the kernel knows it: of the dma-buf, and of the largest mmap */
static void large_size(const void *arg)
{
	struct drm_prime_handle req = { .flags = DRM_CLOEXEC };
	struct gpu_dev dev;
	struct gpu_bo bo;
	s64 size;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, LARGE, &bo));
	req.handle = bo.handle;
	msm_igt_assert_ok(gpu_ioctl(dev.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &req));
	size = lseek(req.fd, 0, SEEK_END);
	close(req.fd);
	gpu_bo_free(&bo);
	gpu_dev_close(&dev);
	msm_igt_assert(size == LARGE, "%llx bytes, not %llx\n", size, LARGE);
}

static void too_large(const void *arg)
{
	static const u64 sizes[] = {
		TOO_LARGE, 1ull << 62, ~0ull - GPU_PAGE, ~0ull,
	};
	struct vm_canary c;
	struct gpu_bo bo;
	u64 before;
	size_t i;

	vm_canary_open(&c);
	before = vm_test_bo_count();
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		msm_igt_assert_ret(gpu_bo_new(&c.vm.dev, sizes[i], &bo),
				   -EINVAL);
	vm_test_expect_bo_count(before);
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* Addresses that the kernel gives out must not overlap. */
static void large_legacy(const void *arg)
{
	static const u64 sizes[] = { LARGE, 3 * GIB, GPU_PAGE };
	u64 iova[ARRAY_SIZE(sizes)];
	struct gpu_bo bo[ARRAY_SIZE(sizes)];
	struct gpu_dev dev;
	size_t i, j;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		msm_igt_assert_ok(gpu_bo_new(&dev, sizes[i], &bo[i]));
		msm_igt_assert_ok(gpu_legacy_iova(&bo[i], &iova[i]));
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < i; j++)
			msm_igt_assert(iova[i] >= iova[j] + sizes[j] ||
				       iova[j] >= iova[i] + sizes[i],
				       "%llx + %llx overlaps %llx + %llx\n",
				       iova[i], sizes[i], iova[j], sizes[j]);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		gpu_bo_free(&bo[i]);
	gpu_dev_close(&dev);
}

/* What lies behind the end does not become the start of the buffer. */
static void large_beyond(const void *arg)
{
	struct vm_canary c;
	struct gpu_bo bo;

	vm_canary_open(&c);
	msm_igt_assert_ok(gpu_bo_new(&c.vm.dev, LARGE, &bo));
	msm_igt_assert_ret(gpu_vm_map(&c.vm, c.hole, &bo, LARGE, GPU_PAGE),
			   -EINVAL);
	msm_igt_assert_ret(gpu_vm_map(&c.vm, c.hole, &bo, GPU_PAGE, LARGE),
			   -EINVAL);
	gpu_bo_free(&bo);
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* Nearly all addresses that the device has for mmap(), which nobody asked for */
static void large_others(const void *arg)
{
	struct drm_msm_gem_new req = {
		.size = TOO_LARGE - 512 * GPU_PAGE, .flags = MSM_BO_WC,
	};
	struct gpu_dev one, two;
	struct gpu_bo bo;

	msm_igt_assert_ok(gpu_dev_open(&one));
	msm_igt_assert_ok(gpu_dev_open(&two));
	msm_igt_assert_ok(gpu_ioctl(one.fd, DRM_IOCTL_MSM_GEM_NEW, &req));
	msm_igt_assert_ok(gpu_bo_new(&two, 1024 * GPU_PAGE, &bo));
	gpu_bo_free(&bo);
	gpu_dev_close(&two);
	gpu_dev_close(&one);
}

/* Who asks for an offset that is not there is told, and nothing else breaks. */
static void no_offset(const void *arg)
{
	struct drm_msm_gem_new large = {
		.size = TOO_LARGE - 512 * GPU_PAGE, .flags = MSM_BO_WC,
	};
	struct drm_prime_handle req = { .flags = DRM_CLOEXEC };
	struct gpu_bo all, one;
	struct vm_canary c;
	u64 offset = 0;

	vm_canary_open(&c);
	msm_igt_assert_ok(gpu_ioctl(c.vm.dev.fd, DRM_IOCTL_MSM_GEM_NEW,
				    &large));
	all = (struct gpu_bo){ .dev = &c.vm.dev, .handle = large.handle };
	msm_igt_assert_ok(gpu_bo_info(&all, MSM_INFO_GET_OFFSET, &offset));
	large.size = 1024 * GPU_PAGE;
	msm_igt_assert_ok(gpu_ioctl(c.vm.dev.fd, DRM_IOCTL_MSM_GEM_NEW,
				    &large));
	one = (struct gpu_bo){ .dev = &c.vm.dev, .handle = large.handle };
	c.bos += 2;

	offset = 0;
	req.handle = one.handle;
	msm_igt_assert_ret(gpu_bo_info(&one, MSM_INFO_GET_OFFSET, &offset),
			   -ENOSPC);
	msm_igt_assert_ret(gpu_ioctl(c.vm.dev.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD,
				     &req), -ENOSPC);
	vm_canary_check(&c);

	gpu_bo_close_handle(&all);
	c.bos--;
	msm_igt_assert_ok(gpu_bo_info(&one, MSM_INFO_GET_OFFSET, &offset));
	msm_igt_assert_ok(gpu_ioctl(c.vm.dev.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD,
				    &req));
	close(req.fd);
	gpu_bo_close_handle(&one);
	c.bos--;
	vm_canary_check(&c);
	vm_canary_close(&c);
}

/* One UNMAP across 8 GiB: it takes what is inside, and nothing else. */
static void large_unmap(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 i;

	vm_test_open(&vm);
	msm_igt_require(vm.va_size >= 16 * GIB, "a VM of %llu GiB only\n",
			vm.va_size / GIB);
	a = vm_test_bo(&vm, 'A', 4);
	for (i = 0; i <= 8; i += 4)
		vm_test_map(&vm, vm.area + i * GIB, a);
	msm_igt_assert_ok(gpu_vm_unmap(&vm, vm.area + 2 * GPU_PAGE,
				       8 * GIB));
	vm_test_expect(&vm, vm.area, "A0-1 .2");
	vm_test_expect(&vm, vm.area + 4 * GIB, ".4");
	vm_test_expect(&vm, vm.area + 8 * GIB, ".2 A2-3");
	vm_test_close(&vm);
}

/* @fd becomes @bo, which the CPU cannot see. */
static void import_bo(struct gpu_dev *dev, int fd, u64 size, struct gpu_bo *bo)
{
	struct drm_prime_handle req = { .fd = fd };

	msm_igt_assert_ok(gpu_ioctl(dev->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE,
				    &req));
	*bo = (struct gpu_bo){ .dev = dev, .handle = req.handle, .size = size };
	close(fd);
}

/* Import and map; nothing but the mapping keeps the import afterwards. */
static void map_import(struct gpu_vm *vm, int fd, u32 pages)
{
	struct gpu_bo bo;

	import_bo(&vm->dev, fd, pages * GPU_PAGE, &bo);
	vm_test_map(vm, vm->area, &bo);
	gpu_bo_close_handle(&bo);
}

static void import(const void *arg)
{
	const bool unmap = arg;
	struct gpu_vm vm;
	u64 before;
	u32 *map;

	before = vm_test_bo_count();
	vm_test_open(&vm);
	map_import(&vm, vm_dmabuf_new(4, &map), 4);
	vm_test_expect(&vm, vm.area, "A0-3 .");
	msm_igt_assert_ok(gpu_job_write_now(&vm, vm.area + 0x40, 0x600d0003));
	msm_igt_assert(map[0x10] == 0x600d0003, "CPU read %08x\n", map[0x10]);
	if (unmap) {
		u64 mapped = vm_test_bo_count();

		vm_test_unmap(&vm, vm.area, 4);
		vm_test_expect_bo_count(mapped - 1);
		vm_test_expect(&vm, vm.area, ".4");
	}
	vm_test_close(&vm);
	vm_test_expect_bo_count(before);
	munmap(map, 4 * GPU_PAGE);
}

/* 4 GiB of A0-2047 again and again, and then B0-1 */
#define TAIL	2u
#define IMPORT	(4 * GIB + TAIL * GPU_PAGE)

/* Offsets and ends that 32 bits cannot hold: what is there, what is not */
static void import_large_parts(struct gpu_vm *vm, const struct gpu_bo *bo)
{
	msm_igt_assert_ok(gpu_vm_map(vm, vm->area, bo, 4 * GIB,
				     TAIL * GPU_PAGE));
	vm_test_expect(vm, vm->area, "B0-1 .");
	msm_igt_assert_ok(gpu_vm_map(vm, vm->area, bo, 4 * GIB - GPU_PAGE,
				     2 * GPU_PAGE));
	vm_test_expect(vm, vm->area, "A2047 B0 .");

	msm_igt_assert_ret(gpu_vm_map(vm, vm->area, bo, 4 * GIB + GPU_PAGE,
				      2 * GPU_PAGE), -EINVAL);
	vm_test_reason("beyond the end of BO");
	msm_igt_assert_ret(gpu_vm_map(vm, vm->area, bo, 0, IMPORT + GPU_PAGE),
			   -EINVAL);
	vm_test_reason("beyond the end of BO");
	msm_igt_assert_ret(gpu_vm_map(vm, vm->area, bo, IMPORT, GPU_PAGE),
			   -EINVAL);
	vm_test_reason("beyond the end of BO");
	vm_test_expect(vm, vm->area, "A2047 B0 .");
}

/* All of it, to its last page; cut where only 64 bits tell, and let go. */
static void import_large_whole(struct gpu_vm *vm, u64 iova,
			       const struct gpu_bo *bo, u32 *map)
{
	struct gpu_bo *c = vm_test_bo(vm, 'C', 1);
	u64 behind = iova + 4 * GIB;

	vm_test_map(vm, iova, bo);
	vm_test_expect(vm, iova - GPU_PAGE, ". A0-1");
	vm_test_expect(vm, iova + 2 * GIB - GPU_PAGE, "A2047 A0");
	vm_test_expect(vm, behind - GPU_PAGE, "A2047 B0-1 .");
	msm_igt_assert_ok(gpu_job_write_now(vm, behind + GPU_PAGE + 0x40,
					    0x600d0004));
	map += (GPU_PAGE + 0x40) / sizeof(*map);
	msm_igt_assert(*map == 0x600d0004, "CPU read %08x\n", *map);

	vm_test_map(vm, behind, c);
	vm_test_expect(vm, behind - GPU_PAGE, "A2047 C0 B1 .");
	msm_igt_assert_ok(gpu_vm_unmap(vm, iova, 4 * GIB - GPU_PAGE));
	vm_test_expect(vm, iova, ".");
	vm_test_expect(vm, behind - 2 * GPU_PAGE, ". A2047 C0 B1 .");
}

static void import_large_vm(int fd, u32 *map)
{
	struct gpu_vm vm;
	struct gpu_bo bo;

	vm_test_open(&vm);
	msm_igt_require(vm.va_size >= 16 * GIB, "a VM of %llu GiB only\n",
			vm.va_size / GIB);
	import_bo(&vm.dev, fd, IMPORT, &bo);
	import_large_parts(&vm, &bo);
	import_large_whole(&vm, vm.area + GIB - GPU_PAGE, &bo, map);
	gpu_bo_close_handle(&bo);
	vm_test_expect(&vm, vm.area, "A2047 B0 .");
	vm_test_close(&vm);
}

/* The same where the kernel chooses the address: a job copies from the end. */
static void import_large_legacy(int fd)
{
	struct gpu_bo bo, result;
	struct gpu_bo *bos[] = { &result, &bo };
	struct gpu_cmd cmd;
	struct gpu_dev dev;
	u64 from, to;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &result));
	import_bo(&dev, fd, IMPORT, &bo);
	msm_igt_assert_ok(gpu_legacy_iova(&bo, &from));
	msm_igt_assert_ok(gpu_legacy_iova(&result, &to));
	gpu_legacy_cmd(&cmd, &result);
	gpu_cmd_mem_to_mem(&cmd, to + 0x800, from + 4 * GIB - GPU_PAGE);
	gpu_cmd_mem_to_mem(&cmd, to + 0x804, from + IMPORT - sizeof(u32));
	gpu_cmd_drain(&cmd);
	msm_igt_assert_ok(gpu_legacy_run(&dev, &cmd, bos, 2));
	msm_igt_assert(result.map[0x200] == gpu_pages_stamp('A', 2047, false) &&
		       result.map[0x201] == gpu_pages_stamp('B', 1, true),
		       "GPU read %08x, %08x\n", result.map[0x200],
		       result.map[0x201]);
	gpu_bo_free(&result);
	gpu_dev_close(&dev);
}

/*
 * A minute under emulation: udmabuf pins a million pages one by one.  So both
 * kinds of context use the same ones.
 */
static void import_large(const void *arg)
{
	u64 before = vm_test_bo_count();
	int fd, again;
	u32 *map;

	fd = vm_dmabuf_large(4 * GIB / (VM_DMABUF_PIECE * GPU_PAGE), TAIL,
			     &map);
	again = dup(fd);
	import_large_legacy(fd);
	import_large_vm(again, map);
	vm_test_expect_bo_count(before);
	munmap(map, TAIL * GPU_PAGE);
}

/* The kernel's log of the whole run has no warning, or the suite fails. */
static void touch_purgeable(const void *arg)
{
	struct gpu_dev dev;
	struct gpu_bo bo;
	bool retained;
	int status;
	pid_t pid;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &bo));
	msm_igt_assert_ok(gpu_mem_madvise(&bo, MSM_MADV_DONTNEED, &retained));
	pid = fork();
	msm_igt_assert(pid >= 0, "fork: %d\n", -errno);
	if (!pid) {
		signal(SIGBUS, SIG_DFL);
		bo.map[0] = 1;
		_exit(0);
	}
	msm_igt_assert(waitpid(pid, &status, 0) == pid, "no child\n");
	msm_igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
		       "status %x, not SIGBUS\n", status);
	gpu_bo_free(&bo);
	gpu_dev_close(&dev);
}

static const struct msm_igt_subtest tests[] = {
	{ "large-size", "4 GiB and a page are not a page", large_size },
	{ "too-large", "an error, not a kernel warning", too_large },
	{ "large-legacy", "kernel-chosen addresses do not overlap",
	  large_legacy },
	{ "large-beyond", "no MAP behind the end", large_beyond },
	{ "large-others", "leaves room for mmap() of others", large_others },
	{ "no-offset", "mmap offsets of all are gone", no_offset },
	{ "large-unmap", "across 8 GiB", large_unmap },
	{ "import-unmap", "only the mapping keeps it, until UNMAP", import,
	  "unmap" },
	{ "import-close", "only the mapping keeps it, until the VM goes",
	  import },
	{ "import-large", "more than 4 GiB, used to its last page",
	  import_large },
	{ "touch-purgeable", "SIGBUS, not a kernel warning", touch_purgeable },
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
