// SPDX-License-Identifier: MIT
/*
 * Taking memory away from buffers.
 *
 * The driver's shrinker lets go of the pages of a buffer, but they stay in the
 * page cache and would come back at the same place.  So a second step writes
 * them to swap: the process lives in a memory cgroup, which can be told to.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <drm/msm_drm.h>

#include "gpu_fence.h"
#include "gpu_knob.h"
#include "gpu_mem.h"

#define SHRINK	"/sys/kernel/debug/dri/128/shrink"
#define CGROUPS	"/tmp/msm-cgroup"
#define CGROUP	CGROUPS "/igt"

static int gpu_mem_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	int ret = 0;

	if (!file)
		return -errno;
	/* The kernel's answer comes with the flush */
	if (fputs(text, file) < 0 || fflush(file))
		ret = -errno;
	fclose(file);
	return ret;
}

/* Pages written to swap since boot */
static u64 gpu_mem_swapped(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char line[128];
	u64 count = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "pswpout %llu", &count) == 1)
			break;
	if (file)
		fclose(file);
	return count;
}

/**
 * gpu_mem_setup - put this process into a cgroup of its own
 *
 * Return: 0; -ENOSPC without swap, where nothing can be evicted; else why there
 * is no such cgroup.
 */
int gpu_mem_setup(void)
{
	struct sysinfo info;
	char pid[16];
	int ret;

	if (sysinfo(&info) || !info.totalswap)
		return -ENOSPC;

	mkdir(CGROUPS, 0700);
	if (access(CGROUPS "/cgroup.procs", F_OK) &&
	    mount("none", CGROUPS, "cgroup2", 0, NULL))
		return -errno;
	ret = gpu_mem_write(CGROUPS "/cgroup.subtree_control", "+memory");
	if (ret)
		return ret;
	mkdir(CGROUP, 0700);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return gpu_mem_write(CGROUP "/cgroup.procs", pid);
}

/* Have the driver evict and purge whatever it can. */
int gpu_mem_shrink(void)
{
	return gpu_mem_write(SHRINK, "100000");
}

/* Bytes of all buffers that have their pages */
int gpu_mem_resident(u64 *bytes)
{
	return gpu_knob_gem(" Resident: %*u objects, %llu", bytes);
}

/*
 * Write at least @pages of this process and its buffers to swap.  Pages that were
 * read from there a moment ago are on no list of reclaim for some 100 ms.
 */
int gpu_mem_swap_out(u64 pages)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS), ret;
	u64 before = gpu_mem_swapped();

	while (gpu_mem_swapped() < before + pages) {
		ret = gpu_mem_write(CGROUP "/memory.reclaim", "16M");
		if (ret && ret != -EAGAIN)
			return ret;
		if (ms <= 0)
			return -ETIME;
		usleep(10000);
		ms -= 10;
	}
	return 0;
}

/* @advice: MSM_MADV_*; @retained: does the buffer still have its contents? */
int gpu_mem_madvise(struct gpu_bo *bo, u32 advice, bool *retained)
{
	struct drm_msm_gem_madvise req = {
		.handle = bo->handle, .madv = advice,
	};
	int ret = gpu_ioctl(bo->dev->fd, DRM_IOCTL_MSM_GEM_MADVISE, &req);

	*retained = req.retained;
	return ret;
}
