// SPDX-License-Identifier: MIT
/*
 * Why the kernel refused something: the driver's debug messages, as they come.
 *
 * One reader per program; what was written before gpu_reason_start(), and what
 * gpu_reason_seen() has looked at, is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_reason.h"

#define DRM_DEBUG	"/sys/module/drm/parameters/debug"
/* DRM_UT_DRIVER */
#define DRM_DEBUG_DRIVER	0x2u

static int log_fd = -1;
static u32 debug_before;

static int set_debug(u32 bits, u32 *before)
{
	FILE *file = fopen(DRM_DEBUG, "r+");
	int ret = 0;

	if (!file)
		return -errno;
	if (before && fscanf(file, "%i", (int *)before) != 1)
		ret = -EIO;
	rewind(file);
	fprintf(file, "%u", bits);
	if (fclose(file))
		ret = -errno;
	return ret;
}

/**
 * gpu_reason_start - make the driver say why, and listen from now on
 *
 * Return: 0, or a negative errno.
 */
int gpu_reason_start(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0 || lseek(log_fd, 0, SEEK_END) < 0)
		return -errno;
	return set_debug(DRM_DEBUG_DRIVER, &debug_before);
}

int gpu_reason_stop(void)
{
	close(log_fd);
	return set_debug(debug_before, NULL);
}

/*
 * A line that was written before may not be readable yet: the log is read in
 * order, and another CPU may be in the middle of the line before it.
 */
static bool more_lines(void)
{
	struct pollfd log = { .fd = log_fd, .events = POLLIN };

	return poll(&log, 1, gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS)) > 0;
}

/**
 * gpu_reason_seen - is @text in a line that came since the last call?
 * @text: what to look for, or "" to forget all lines up to now
 *
 * Return: 1 or 0, or a negative errno.
 */
int gpu_reason_seen(const char *text)
{
	char line[2048];
	int seen = 0;
	ssize_t size;

	for (;;) {
		size = read(log_fd, line, sizeof(line) - 1);
		if (size < 0 && errno == EAGAIN) {
			if (seen || !*text || !more_lines())
				return seen;
			continue;
		}
		/* Older lines were lost; what was said just now was not. */
		if (size < 0 && errno == EPIPE)
			continue;
		if (size < 0)
			return -errno;
		line[size] = 0;
		if (strstr(line, text))
			seen = 1;
	}
}
