// SPDX-License-Identifier: MIT
/* Memory that is not the GPU's, for tests that import it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/udmabuf.h>

#include "gpu_pages.h"
#include "msm_igt.h"
#include "vm_dmabuf.h"

#define SIZE_LIMIT	"/sys/module/udmabuf/parameters/size_limit_mb"

/* Memory that cannot shrink, stamped as @letter and mapped at @map */
static int stamped_memfd(char letter, u32 pages, u32 **map)
{
	u64 size = pages * GPU_PAGE;
	int fd;
	u32 i;

	fd = memfd_create("import", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	msm_igt_assert(!ftruncate(fd, size) &&
		       !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK),
		       "no memory to share: %d\n", errno);
	*map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	msm_igt_assert(*map != MAP_FAILED, "mmap: %d\n", errno);
	for (i = 0; i < pages; i++) {
		u32 *page = *map + i * (GPU_PAGE / sizeof(u32));

		page[0] = gpu_pages_stamp(letter, i, false);
		page[GPU_PAGE / sizeof(u32) - 1] =
			gpu_pages_stamp(letter, i, true);
	}
	return fd;
}

static int open_udmabuf(void)
{
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	msm_igt_require(device >= 0, "no /dev/udmabuf\n");
	return device;
}

/* Memory of this process as a dma-buf; stamped 'A' and mapped at @map. */
int vm_dmabuf_new(u32 pages, u32 **map)
{
	struct udmabuf_create req = { .flags = UDMABUF_FLAGS_CLOEXEC };
	int device, fd;

	req.memfd = stamped_memfd('A', pages, map);
	req.size = pages * GPU_PAGE;
	device = open_udmabuf();
	fd = ioctl(device, UDMABUF_CREATE, &req);
	msm_igt_assert(fd >= 0, "UDMABUF_CREATE: %d\n", errno);
	close(device);
	close(req.memfd);
	return fd;
}

/* Return: the limit before, MiB */
static u32 set_size_limit(u32 mib)
{
	FILE *file = fopen(SIZE_LIMIT, "r+");
	u32 before;

	msm_igt_require(file, SIZE_LIMIT ": %m\n");
	msm_igt_assert(fscanf(file, "%u", &before) == 1,
		       SIZE_LIMIT " holds no number\n");
	rewind(file);
	fprintf(file, "%u\n", mib);
	msm_igt_assert_ok(fclose(file));
	return before;
}

/**
 * vm_dmabuf_large - a dma-buf of any size in few pages
 * @times: how often it has the same VM_DMABUF_PIECE pages, stamped 'A', in turn
 * @tail: pages behind them, stamped 'B', which are there only once
 * @map: where @tail is mapped
 */
int vm_dmabuf_large(u32 times, u32 tail, u32 **map)
{
	struct udmabuf_create_list *req;
	int device, fd, err;
	u32 *piece, before, i;

	req = calloc(1, sizeof(*req) + (times + 1) * sizeof(req->list[0]));
	msm_igt_assert(req, "no memory\n");
	req->flags = UDMABUF_FLAGS_CLOEXEC;
	req->count = times + 1;
	req->list[0].memfd = stamped_memfd('A', VM_DMABUF_PIECE, &piece);
	req->list[0].size = VM_DMABUF_PIECE * GPU_PAGE;
	for (i = 1; i < times; i++)
		req->list[i] = req->list[0];
	req->list[times].memfd = stamped_memfd('B', tail, map);
	req->list[times].size = tail * GPU_PAGE;

	device = open_udmabuf();
	before = set_size_limit(1 << 20);
	fd = ioctl(device, UDMABUF_CREATE_LIST, req);
	err = errno;
	set_size_limit(before);
	msm_igt_assert(fd >= 0, "UDMABUF_CREATE_LIST: %d\n", err);
	close(device);
	close(req->list[0].memfd);
	close(req->list[times].memfd);
	munmap(piece, VM_DMABUF_PIECE * GPU_PAGE);
	free(req);
	return fd;
}
