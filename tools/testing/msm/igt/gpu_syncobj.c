// SPDX-License-Identifier: MIT
/*
 * Syncobjs: the DRM core's ioctls, and lists of them for SUBMIT and VM_BIND.
 *
 * Point 0 means the syncobj's one fence, any other a point of its timeline, as
 * in the uAPI.
 */
#include <errno.h>
#include <time.h>

#include <drm/drm.h>

#include "gpu_fence.h"
#include "gpu_syncobj.h"

/* @syncs must live until the ioctl. */
void gpu_syncs_bind(const struct gpu_syncs *syncs, struct drm_msm_vm_bind *req)
{
	req->in_syncobjs = (unsigned long)syncs->in;
	req->nr_in_syncobjs = syncs->nr_in;
	req->out_syncobjs = (unsigned long)syncs->out;
	req->nr_out_syncobjs = syncs->nr_out;
	req->syncobj_stride = sizeof(syncs->in[0]);
}

void gpu_syncs_submit(const struct gpu_syncs *syncs,
		      struct drm_msm_gem_submit *req)
{
	if (syncs->nr_in)
		req->flags |= MSM_SUBMIT_SYNCOBJ_IN;
	if (syncs->nr_out)
		req->flags |= MSM_SUBMIT_SYNCOBJ_OUT;
	req->in_syncobjs = (unsigned long)syncs->in;
	req->nr_in_syncobjs = syncs->nr_in;
	req->out_syncobjs = (unsigned long)syncs->out;
	req->nr_out_syncobjs = syncs->nr_out;
	req->syncobj_stride = sizeof(syncs->in[0]);
}

/* A syncobj without a fence */
int gpu_syncobj_new(struct gpu_dev *dev, u32 *handle)
{
	struct drm_syncobj_create req = { 0 };
	int ret = gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_CREATE, &req);

	if (!ret)
		*handle = req.handle;
	return ret;
}

int gpu_syncobj_destroy(struct gpu_dev *dev, u32 handle)
{
	struct drm_syncobj_destroy req = { .handle = handle };

	return gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_DESTROY, &req);
}

static int wait_until(struct gpu_dev *dev, u32 handle, u64 point, s64 ns)
{
	struct drm_syncobj_timeline_wait req = {
		.handles = (unsigned long)&handle,
		.points = (unsigned long)&point,
		.timeout_nsec = ns,
		.count_handles = 1,
	};

	return gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &req);
}

/* The point in time that is @ms from now */
static s64 in_ms(int ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec + ms * 1000000ll;
}

/**
 * gpu_syncobj_wait - wait until a fence that is there signals
 * @ms: limit in milliseconds, scaled; 0 only looks
 *
 * Return: 0 signalled; -ETIME not within @ms; -EINVAL there is no fence, or no
 * such point.
 */
int gpu_syncobj_wait(struct gpu_dev *dev, u32 handle, u64 point, int ms)
{
	return wait_until(dev, handle, point,
			  ms ? in_ms(gpu_fence_scaled_ms(ms)) : 0);
}

/* There is a fence, and after @ms, which is not scaled, it still waits. */
bool gpu_syncobj_busy_after(struct gpu_dev *dev, u32 handle, u64 point, int ms)
{
	return wait_until(dev, handle, point, in_ms(ms)) == -ETIME;
}

/* The last point that was reached */
int gpu_syncobj_query(struct gpu_dev *dev, u32 handle, u64 *point)
{
	struct drm_syncobj_timeline_array req = {
		.handles = (unsigned long)&handle,
		.points = (unsigned long)point,
		.count_handles = 1,
	};

	return gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_QUERY, &req);
}

int gpu_syncobj_signal(struct gpu_dev *dev, u32 handle, u64 point)
{
	struct drm_syncobj_timeline_array timeline = {
		.handles = (unsigned long)&handle,
		.points = (unsigned long)&point,
		.count_handles = 1,
	};
	struct drm_syncobj_array binary = {
		.handles = (unsigned long)&handle, .count_handles = 1,
	};

	if (point)
		return gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL,
				 &timeline);
	return gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_SIGNAL, &binary);
}

static int import(struct gpu_dev *dev, u32 handle, int sync_file)
{
	struct drm_syncobj_handle req = {
		.handle = handle, .fd = sync_file,
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
	};

	return gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &req);
}

/* Put the fence of @sync_file, which stays the caller's, into a syncobj. */
int gpu_syncobj_put_fence(struct gpu_dev *dev, u32 handle, u64 point,
			  int sync_file)
{
	struct drm_syncobj_transfer req = {
		.dst_handle = handle, .dst_point = point,
	};
	int ret;

	if (!point)
		return import(dev, handle, sync_file);

	ret = gpu_syncobj_new(dev, &req.src_handle);
	if (ret)
		return ret;
	ret = import(dev, req.src_handle, sync_file);
	ret = ret ?: gpu_ioctl(dev->fd, DRM_IOCTL_SYNCOBJ_TRANSFER, &req);
	return gpu_syncobj_destroy(dev, req.src_handle) ?: ret;
}

/* A file descriptor for the syncobj itself, not for its fence */
int gpu_syncobj_share(struct gpu_dev *from, u32 handle, int *fd)
{
	struct drm_syncobj_handle req = { .handle = handle };
	int ret = gpu_ioctl(from->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &req);

	if (!ret)
		*fd = req.fd;
	return ret;
}

int gpu_syncobj_open(struct gpu_dev *to, int fd, u32 *handle)
{
	struct drm_syncobj_handle req = { .fd = fd };
	int ret = gpu_ioctl(to->fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &req);

	if (!ret)
		*handle = req.handle;
	return ret;
}
