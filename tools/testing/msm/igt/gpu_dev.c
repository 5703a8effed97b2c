// SPDX-License-Identifier: MIT
/*
 * An open msm context: parameters, the VM_BIND opt-in, submit queues.
 *
 * A context becomes a VM_BIND context only by gpu_dev_opt_in(), and only while
 * nothing has used its address space yet; so opt in directly after opening.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm/msm_drm.h>

#include "gpu_dev.h"

#define FIRST_RENDER_MINOR	128
#define LAST_RENDER_MINOR	143

/**
 * gpu_ioctl - ioctl() that restarts and returns the errno
 *
 * A call that is interrupted before it did anything is repeated, as every DRM
 * client does.
 *
 * Return: 0, or a negative errno.
 */
int gpu_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));

	return ret < 0 ? -errno : 0;
}

static bool gpu_dev_is_msm(int fd)
{
	char name[8] = "";
	struct drm_version version = {
		.name = name, .name_len = sizeof(name) - 1,
	};

	return !gpu_ioctl(fd, DRM_IOCTL_VERSION, &version) &&
	       !strcmp(name, "msm");
}

/**
 * gpu_dev_open - open the first render node that msm drives
 *
 * Return: 0; -ENODEV when there is none; -EOPNOTSUPP when the CPU's pages are
 * not the size the helpers count in.
 */
int gpu_dev_open(struct gpu_dev *dev)
{
	char path[32];
	int minor, fd;

	*dev = (struct gpu_dev){ .fd = -1 };
	if (sysconf(_SC_PAGESIZE) != GPU_PAGE)
		return -EOPNOTSUPP;

	for (minor = FIRST_RENDER_MINOR; minor <= LAST_RENDER_MINOR; minor++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", minor);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (gpu_dev_is_msm(fd)) {
			dev->fd = fd;
			return 0;
		}
		close(fd);
	}
	return -ENODEV;
}

void gpu_dev_close(struct gpu_dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	dev->fd = -1;
}

int gpu_dev_get_param(struct gpu_dev *dev, u32 param, u64 *value)
{
	struct drm_msm_param req = { .pipe = MSM_PIPE_3D0, .param = param };
	int ret = gpu_ioctl(dev->fd, DRM_IOCTL_MSM_GET_PARAM, &req);

	if (!ret)
		*value = req.value;
	return ret;
}

int gpu_dev_set_param(struct gpu_dev *dev, u32 param, u64 value)
{
	struct drm_msm_param req = {
		.pipe = MSM_PIPE_3D0, .param = param, .value = value,
	};

	return gpu_ioctl(dev->fd, DRM_IOCTL_MSM_SET_PARAM, &req);
}

int gpu_dev_opt_in(struct gpu_dev *dev)
{
	return gpu_dev_set_param(dev, MSM_PARAM_EN_VM_BIND, 1);
}

/* First usable iova and number of usable bytes of the context's VM. */
int gpu_dev_va_range(struct gpu_dev *dev, u64 *start, u64 *size)
{
	int ret = gpu_dev_get_param(dev, MSM_PARAM_VA_START, start);

	return ret ?: gpu_dev_get_param(dev, MSM_PARAM_VA_SIZE, size);
}

int gpu_dev_queue_new(struct gpu_dev *dev, u32 flags, u32 prio, u32 *id)
{
	struct drm_msm_submitqueue req = { .flags = flags, .prio = prio };
	int ret = gpu_ioctl(dev->fd, DRM_IOCTL_MSM_SUBMITQUEUE_NEW, &req);

	if (!ret)
		*id = req.id;
	return ret;
}

int gpu_dev_queue_close(struct gpu_dev *dev, u32 id)
{
	return gpu_ioctl(dev->fd, DRM_IOCTL_MSM_SUBMITQUEUE_CLOSE, &id);
}

/* "msm 1.13, chip id 06050002", and the minor version when asked for */
int gpu_dev_version(struct gpu_dev *dev, char *text, size_t size, int *minor)
{
	struct drm_version version = { 0 };
	u64 chip;
	int ret;

	ret = gpu_ioctl(dev->fd, DRM_IOCTL_VERSION, &version);
	ret = ret ?: gpu_dev_get_param(dev, MSM_PARAM_CHIP_ID, &chip);
	if (ret)
		return ret;
	snprintf(text, size, "msm %d.%d, chip id %08llx",
		 version.version_major, version.version_minor, chip);
	if (minor)
		*minor = version.version_minor;
	return 0;
}

#define HANGCHECK	"/sys/kernel/debug/dri/128/hangcheck_period_ms"

/**
 * gpu_dev_set_hangcheck_ms - how long the GPU may stand still
 * @ms: the new period
 * @before: NULL, or where the period until now goes
 *
 * For tests that hold the GPU on a memory word on purpose: on a slow machine
 * the default half second is shorter than the test.
 */
int gpu_dev_set_hangcheck_ms(u32 ms, u32 *before)
{
	FILE *file;
	int ret = 0;

	if (before) {
		file = fopen(HANGCHECK, "r");
		if (!file)
			return -errno;
		if (fscanf(file, "%u", before) != 1)
			ret = -EIO;
		fclose(file);
	}
	if (ret)
		return ret;

	file = fopen(HANGCHECK, "w");
	if (!file)
		return -errno;
	fprintf(file, "%u", ms);
	return fclose(file) ? -errno : 0;
}

/* Open file descriptors of this process, to see that an error leaks none. */
int gpu_dev_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* The next one in @dir that is of a GPU, or -1 */
static int gpu_dev_next_file(DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		char target[16] = "";

		if (readlinkat(dirfd(dir), entry->d_name, target,
			       sizeof(target) - 1) > 0 &&
		    !strncmp(target, "/dev/dri/", 9))
			return atoi(entry->d_name);
	}
	return -1;
}

/* Those among them that are of a GPU */
int gpu_dev_count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -errno;
	while (gpu_dev_next_file(dir) >= 0)
		count++;
	closedir(dir);
	return count;
}

/* Close these, whoever opened them: libigt keeps one, which is a context, too. */
int gpu_dev_close_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int fd;

	if (!dir)
		return -errno;
	while ((fd = gpu_dev_next_file(dir)) >= 0)
		close(fd);
	closedir(dir);
	return 0;
}
