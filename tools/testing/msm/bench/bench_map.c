// SPDX-License-Identifier: MIT
/*
 * A gigabyte in one operation: per page, what the ioctl and the job take.
 *
 * The kernel gives a process that touches its memory in order mostly memory in
 * one piece, and one that touches it here and there pages here and there; so
 * that is how the two kinds of backing are made, as memory of this process that
 * is shared with the GPU.  How well that worked is counted, in pages per piece.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/udmabuf.h>

#include "bench.h"
#include "gpu_file.h"

#define PAGES		(GIB / GPU_PAGE)
#define UDMABUF_LIMIT	"/sys/module/udmabuf/parameters/size_limit_mb"
/* Odd, so that multiples of it reach each page of a power of two */
#define STEP		40503

/* Pages per physically contiguous piece of @map, which root may know */
static int count_pieces(const char *map, double *pages_per_piece)
{
	u64 frame, last = 0, pieces = 0, i;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	for (i = 0; i < PAGES && !ret; i++) {
		off_t where = ((unsigned long)map / GPU_PAGE + i) * sizeof(frame);

		if (pread(fd, &frame, sizeof(frame), where) != sizeof(frame))
			ret = -EIO;
		frame &= (1ull << 55) - 1;
		pieces += frame != last + 1;
		last = frame;
	}
	close(fd);
	*pages_per_piece = (double)PAGES / pieces;
	return ret;
}

static int touch(int memfd, bool scattered, double *pages_per_piece)
{
	char *map;
	u64 i;
	int ret;

	for (i = 0; i < PAGES; i++) {
		off_t page = scattered ? i * STEP % PAGES : i;

		if (pwrite(memfd, "x", 1, page * GPU_PAGE) != 1)
			return -errno;
	}
	map = mmap(NULL, GIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		   memfd, 0);
	if (map == MAP_FAILED)
		return -errno;
	ret = count_pieces(map, pages_per_piece);
	munmap(map, GIB);
	return ret;
}

/* Return: a dma-buf, or a negative errno. */
static int share(int memfd)
{
	struct udmabuf_create req = {
		.memfd = memfd, .flags = UDMABUF_FLAGS_CLOEXEC, .size = GIB,
	};
	int device, fd;

	if (fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	fd = gpu_file_write(UDMABUF_LIMIT, "1024");
	if (fd)
		return fd;
	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	fd = ioctl(device, UDMABUF_CREATE, &req);
	if (fd < 0)
		fd = -errno;
	close(device);
	return fd;
}

static int make_backing(struct gpu_vm *vm, bool scattered, struct gpu_bo *bo,
			double *pages_per_piece)
{
	int memfd = memfd_create("bench", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	struct drm_prime_handle req = { 0 };
	int ret;

	if (memfd < 0)
		return -errno;
	ret = ftruncate(memfd, GIB) ? -errno : 0;
	ret = ret ?: touch(memfd, scattered, pages_per_piece);
	req.fd = ret ?: share(memfd);
	close(memfd);
	if (req.fd < 0)
		return req.fd;
	ret = gpu_ioctl(vm->dev.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &req);
	close(req.fd);
	*bo = (struct gpu_bo){
		.dev = &vm->dev, .handle = req.handle, .size = GIB,
	};
	return ret;
}

/* The first round makes the page tables, which stay. */
static int rounds(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *map,
		  const char *name)
{
	struct drm_msm_vm_bind_op unmap = gpu_bind_op_unmap(vm->area, GIB);
	struct bench_cost up = { 0 }, down = { 0 }, first = { 0 };
	int i, ret;

	ret = bench_bind(vm, map, 1, &first);
	ret = ret ?: bench_bind(vm, &unmap, 1, &down);
	for (i = 0; i < ROUNDS && !ret; i++) {
		ret = bench_bind(vm, map, 1, &up);
		ret = ret ?: bench_bind(vm, &unmap, 1, &down);
	}
	if (ret)
		return ret;
	bench_figure((double)up.ioctl / PAGES, "map_%s_ioctl_per_page", name);
	bench_figure((double)first.run / PAGES, "map_%s_first_per_page", name);
	bench_figure((double)up.run / PAGES, "map_%s_run_per_page", name);
	bench_figure((double)down.run / PAGES, "unmap_%s_run_per_page", name);
	return 0;
}

static int map_memory(bool scattered, const char *name)
{
	struct drm_msm_vm_bind_op map;
	double pages_per_piece = 0;
	struct gpu_vm vm;
	struct gpu_bo bo = { 0 };
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	ret = make_backing(&vm, scattered, &bo, &pages_per_piece);
	if (!ret) {
		bench_figure(pages_per_piece, "map_%s_pages_per_piece", name);
		map = gpu_bind_op_map(vm.area, &bo, 0, GIB);
		ret = rounds(&vm, &map, name);
	}
	if (bo.handle)
		gpu_bo_close_handle(&bo);
	gpu_vm_close(&vm);
	bench_settle();
	return ret;
}

static int map_nothing(void)
{
	struct drm_msm_vm_bind_op map;
	struct gpu_vm vm;
	bool have;
	int ret;

	ret = gpu_vm_open(&vm);
	if (ret)
		return ret;
	map = gpu_bind_op_null(vm.area, GIB);
	ret = bench_null(&vm, &have);
	if (!ret && have)
		ret = rounds(&vm, &map, "null");
	else if (!ret)
		bench_absent("map_null", "no PRR");
	gpu_vm_close(&vm);
	return ret;
}

int bench_map(void)
{
	int ret = map_memory(false, "contiguous");

	ret = ret ?: map_memory(true, "scattered");
	return ret ?: map_nothing();
}
