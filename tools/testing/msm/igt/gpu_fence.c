// SPDX-License-Identifier: MIT
/*
 * Fence file descriptors: waiting with a limit, the status behind the signal,
 * and gates, which are fences that the CPU signals (sw_sync).
 *
 * Time is the guest's.  MSM_TIMEOUT_SCALE=N in the environment makes every
 * limit N times longer, for emulated machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "gpu_dev.h"
#include "gpu_fence.h"

int gpu_fence_scaled_ms(int ms)
{
	const char *text = getenv("MSM_TIMEOUT_SCALE");
	int scale = text ? atoi(text) : 1;

	return scale > 1 && scale <= 100 ? ms * scale : ms;
}

/* Return: 1 signalled, 0 not within @ms, or a negative errno. */
static int gpu_fence_poll(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ret;

	do {
		ret = poll(&pfd, 1, ms);
	} while (ret < 0 && errno == EINTR);

	if (ret < 0)
		return -errno;
	if (pfd.revents & POLLNVAL)
		return -EBADF;
	return ret;
}

/**
 * gpu_fence_wait - wait until a fence signals
 * @fd: sync_file
 * @ms: limit in milliseconds, scaled
 *
 * Return: 0 signalled without error; -ETIME not signalled; -EINPROGRESS poll
 * and sync_file disagree; else the error that the fence carries.
 */
int gpu_fence_wait(int fd, int ms)
{
	struct sync_file_info info = { 0 };
	int ret;

	ret = gpu_fence_poll(fd, gpu_fence_scaled_ms(ms));
	if (ret < 0)
		return ret;
	if (!ret)
		return -ETIME;

	ret = gpu_ioctl(fd, SYNC_IOC_FILE_INFO, &info);
	if (ret)
		return ret;
	if (!info.status)
		return -EINPROGRESS;
	return info.status < 0 ? info.status : 0;
}

/* Wait as long as anybody would, close, and report like gpu_fence_wait(). */
int gpu_fence_finish(int fd)
{
	int ret = gpu_fence_wait(fd, GPU_FENCE_PATIENCE_MS);

	close(fd);
	return ret;
}

/* Still unsignalled after @ms, which is not scaled. */
bool gpu_fence_busy_after(int fd, int ms)
{
	return gpu_fence_poll(fd, ms) == 0;
}

/* The interface of drivers/dma-buf/sw_sync.c, which has no uAPI header */
struct sw_sync_create_fence_data {
	u32 value;
	char name[32];
	s32 fence;
};

#define SW_SYNC_IOC_CREATE_FENCE \
	_IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC		_IOW('W', 1, u32)

/**
 * gpu_gate_new - make a closed gate
 *
 * Return: 0; -ENOENT when the kernel has no CONFIG_SW_SYNC or debugfs is not
 * mounted; else a negative errno.
 */
int gpu_gate_new(struct gpu_gate *gate)
{
	struct sw_sync_create_fence_data req = { .value = 1, .name = "gate" };
	int ret;

	gate->fence = -1;
	gate->timeline = open("/sys/kernel/debug/sync/sw_sync",
			      O_RDWR | O_CLOEXEC);
	if (gate->timeline < 0)
		return -errno;
	ret = gpu_ioctl(gate->timeline, SW_SYNC_IOC_CREATE_FENCE, &req);
	if (ret)
		close(gate->timeline);
	else
		gate->fence = req.fence;
	return ret;
}

int gpu_gate_open(struct gpu_gate *gate)
{
	u32 steps = 1;

	return gpu_ioctl(gate->timeline, SW_SYNC_IOC_INC, &steps);
}

/* Closing the timeline of a closed gate signals its fence with an error. */
void gpu_gate_free(struct gpu_gate *gate)
{
	close(gate->fence);
	close(gate->timeline);
}
