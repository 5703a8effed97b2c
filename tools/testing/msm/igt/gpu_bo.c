// SPDX-License-Identifier: MIT
/*
 * A buffer object and its CPU mapping.
 *
 * The handle and the CPU mapping each keep the pages alive.  To see whether a
 * GPU mapping alone does, drop both: gpu_bo_unmap_cpu(), gpu_bo_close_handle().
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm/msm_drm.h>

#include "gpu_bo.h"

/* GEM_INFO with a value in and out, see MSM_INFO_* */
int gpu_bo_info(struct gpu_bo *bo, u32 info, u64 *value)
{
	struct drm_msm_gem_info req = {
		.handle = bo->handle, .info = info, .value = *value,
	};
	int ret = gpu_ioctl(bo->dev->fd, DRM_IOCTL_MSM_GEM_INFO, &req);

	if (!ret)
		*value = req.value;
	return ret;
}

static int gpu_bo_map_cpu(struct gpu_bo *bo)
{
	u64 offset = 0;
	void *map;
	int ret;

	ret = gpu_bo_info(bo, MSM_INFO_GET_OFFSET, &offset);
	if (ret)
		return ret;
	map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   bo->dev->fd, offset);
	if (map == MAP_FAILED)
		return -errno;
	bo->map = map;
	return 0;
}

/* A write-combined buffer of @size bytes, mapped for the CPU. */
int gpu_bo_new(struct gpu_dev *dev, u64 size, struct gpu_bo *bo)
{
	struct drm_msm_gem_new req = {
		.size = size, .flags = MSM_BO_WC | dev->bo_flags,
	};
	int ret;

	*bo = (struct gpu_bo){ .dev = dev, .size = size };
	ret = gpu_ioctl(dev->fd, DRM_IOCTL_MSM_GEM_NEW, &req);
	if (ret)
		return ret;
	bo->handle = req.handle;
	ret = gpu_bo_map_cpu(bo);
	if (ret)
		gpu_bo_close_handle(bo);
	return ret;
}

/* The buffer as a dma-buf */
int gpu_bo_export(const struct gpu_bo *bo, int *fd)
{
	struct drm_prime_handle req = {
		.handle = bo->handle, .flags = DRM_CLOEXEC | DRM_RDWR,
	};
	int ret = gpu_ioctl(bo->dev->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &req);

	if (!ret)
		*fd = req.fd;
	return ret;
}

/* The same buffer as another context has it, mapped for the CPU there too. */
int gpu_bo_share(const struct gpu_bo *bo, struct gpu_dev *to, struct gpu_bo *out)
{
	struct drm_prime_handle req = { 0 };
	int ret = gpu_bo_export(bo, &req.fd);

	if (ret)
		return ret;
	ret = gpu_ioctl(to->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &req);
	close(req.fd);
	if (ret)
		return ret;
	*out = (struct gpu_bo){
		.dev = to, .handle = req.handle, .size = bo->size,
	};
	ret = gpu_bo_map_cpu(out);
	if (ret)
		gpu_bo_close_handle(out);
	return ret;
}

void gpu_bo_unmap_cpu(struct gpu_bo *bo)
{
	if (bo->map)
		munmap(bo->map, bo->size);
	bo->map = NULL;
}

int gpu_bo_close_handle(struct gpu_bo *bo)
{
	struct drm_gem_close req = { .handle = bo->handle };

	bo->handle = 0;
	return gpu_ioctl(bo->dev->fd, DRM_IOCTL_GEM_CLOSE, &req);
}

void gpu_bo_free(struct gpu_bo *bo)
{
	gpu_bo_unmap_cpu(bo);
	if (bo->handle)
		gpu_bo_close_handle(bo);
}
