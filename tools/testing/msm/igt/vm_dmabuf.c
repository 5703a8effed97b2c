// SPDX-License-Identifier: MIT
/* Memory that is not the GPU's, for tests that import it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/udmabuf.h>

#include "gpu_pages.h"
#include "msm_igt.h"
#include "vm_dmabuf.h"

/* Memory of this process as a dma-buf; stamped 'A' and mapped at @map. */
int vm_dmabuf_new(u32 pages, u32 **map)
{
	struct udmabuf_create req = { .flags = UDMABUF_FLAGS_CLOEXEC };
	int device, fd;
	u32 i;

	req.memfd = memfd_create("import", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	req.size = pages * GPU_PAGE;
	msm_igt_assert(!ftruncate(req.memfd, req.size) &&
		       !fcntl(req.memfd, F_ADD_SEALS, F_SEAL_SHRINK),
		       "no memory to share: %d\n", errno);
	*map = mmap(NULL, req.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    req.memfd, 0);
	msm_igt_assert(*map != MAP_FAILED, "mmap: %d\n", errno);
	for (i = 0; i < pages; i++) {
		u32 *page = *map + i * (GPU_PAGE / sizeof(u32));

		page[0] = gpu_pages_stamp('A', i, false);
		page[GPU_PAGE / sizeof(u32) - 1] = gpu_pages_stamp('A', i, true);
	}

	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	msm_igt_require(device >= 0, "no /dev/udmabuf\n");
	fd = ioctl(device, UDMABUF_CREATE, &req);
	msm_igt_assert(fd >= 0, "UDMABUF_CREATE: %d\n", errno);
	close(device);
	close(req.memfd);
	return fd;
}
