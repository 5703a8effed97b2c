// SPDX-License-Identifier: MIT
/*
 * Device core dumps, where the driver reports GPU page faults.
 *
 * The driver keeps one dump; until somebody clears it, later faults leave
 * none.  So every fault is taken: read, then cleared.  Clearing only asks a
 * kernel worker to free the dump; a fault in the meantime goes unreported, so
 * whoever provokes one must be ready to try again.  The fault information
 * stands near the start; the rest (ring, buffers) can be megabytes that the
 * kernel formats again for every read, and is not read here.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_devcore.h"
#include "gpu_fence.h"

#define DUMPS		"/sys/class/devcoredump/devcd*/data"
#define HEAD_BYTES	4096
#define LINK		"/sys/bus/platform/devices/adreno/devcoredump"
#define FAR_BEHIND	0x40000000
#define POLL_MS		2
#define GONE_MS		2000

/* The file goes first, then its memory, a moment later and unseen. */
static void gpu_devcore_wait_gone(const char *path)
{
	int left = gpu_fence_scaled_ms(GONE_MS) / POLL_MS;

	while (left-- > 0 && !access(path, F_OK))
		usleep(POLL_MS * 1000);
}

static int gpu_devcore_take(const char *path, char *head)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int len, done;

	if (fd < 0)
		return -ENOENT;
	len = read(fd, head, HEAD_BYTES - 1);
	done = write(fd, "1", 1);
	close(fd);
	if (done != 1)
		return -ENOENT;
	gpu_devcore_wait_gone(path);
	return len < 0 ? 0 : len;
}

/* Return: bytes read into @head (may be 0), or -ENOENT when there is none. */
static int gpu_devcore_pop(char *head)
{
	int len = -ENOENT;
	glob_t dumps;

	if (!glob(DUMPS, 0, NULL, &dumps)) {
		len = gpu_devcore_take(dumps.gl_pathv[0], head);
		globfree(&dumps);
	}
	if (len >= 0)
		head[len] = '\0';
	return len;
}

/* Dumps that nobody has taken; each holds the module. */
u64 gpu_devcore_count(void)
{
	u64 count = 0;
	glob_t dumps;

	if (!glob(DUMPS, 0, NULL, &dumps)) {
		count = dumps.gl_pathc;
		globfree(&dumps);
	}
	return count;
}

/* Does the GPU's device name its dump? */
bool gpu_devcore_linked(void)
{
	return !access(LINK, F_OK);
}

/* The end is where the kernel has formatted all of it; without a dump, nothing. */
void gpu_devcore_read_end(void)
{
	glob_t dumps;
	char byte;
	int fd;

	if (glob(DUMPS, 0, NULL, &dumps))
		return;
	fd = open(dumps.gl_pathv[0], O_RDONLY | O_CLOEXEC);
	globfree(&dumps);
	if (fd < 0)
		return;
	while (pread(fd, &byte, 1, FAR_BEHIND) >= 0)
		;
	close(fd);
}

void gpu_devcore_clear(void)
{
	char head[HEAD_BYTES];
	int left = 16;

	while (left-- && gpu_devcore_pop(head) >= 0)
		;
}

static int gpu_devcore_parse(const char *head, struct gpu_fault *fault)
{
	const char *info = strstr(head, "fault-info:");
	const char *iova, *dir, *type;

	if (!info)
		return -ENODATA;
	iova = strstr(info, "  - iova=");
	dir = strstr(info, "  - dir=");
	type = strstr(info, "  - type=");
	if (!iova || sscanf(iova, "  - iova=%llx", &fault->iova) != 1 ||
	    !dir || sscanf(dir, "  - dir=%7s", fault->dir) != 1 ||
	    !type || sscanf(type, "  - type=%15s", fault->type) != 1)
		return -EBADMSG;
	return 0;
}

/**
 * gpu_devcore_take_fault - the fault that the driver recorded
 * @fault: filled on success
 * @ms: how long to wait for the dump, scaled; 0 only looks
 *
 * Return: 0; -ENOENT no dump; -ENODATA a dump of something else, for example
 * of a hang; -EBADMSG fault information that cannot be read.
 */
int gpu_devcore_take_fault(struct gpu_fault *fault, int ms)
{
	int left = gpu_fence_scaled_ms(ms) / POLL_MS;
	char head[HEAD_BYTES];

	memset(fault, 0, sizeof(*fault));
	while (gpu_devcore_pop(head) < 0) {
		if (left-- <= 0)
			return -ENOENT;
		usleep(POLL_MS * 1000);
	}
	return gpu_devcore_parse(head, fault);
}
