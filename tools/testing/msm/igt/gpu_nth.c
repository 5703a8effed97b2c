// SPDX-License-Identifier: MIT
/*
 * Make the n-th thing that can fail in the kernel, on behalf of this thread,
 * fail: an allocation of slab or pages, or a copy from or to user space that
 * msm makes (Documentation/fault-injection/fault-injection.rst, fail-nth).
 *
 * The copies of the DRM core are left out: when it cannot hand the result of an
 * ioctl back, the ioctl has been carried out all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu_file.h"
#include "gpu_nth.h"

#define FAIL_NTH	"/proc/self/fail-nth"
#define FAULTS		"/sys/kernel/debug/"

static int gpu_nth_read(const char *path, const char *format, u64 *value)
{
	FILE *file = fopen(path, "r");
	int found;

	if (!file)
		return -errno;
	found = fscanf(file, format, value);
	fclose(file);
	return found == 1 ? 0 : -EIO;
}

/* If copies can fail: only those with the module's code on the stack do. */
static int gpu_nth_only_msm(void)
{
	char start[24], end[24];
	u64 text, size;
	int ret;

	ret = gpu_file_write(FAULTS "fail_usercopy/verbose", "0");
	if (ret == -ENOENT)
		return 0;
	ret = ret ?: gpu_nth_read("/sys/module/msm/sections/.text", "%llx",
				  &text);
	ret = ret ?: gpu_nth_read("/sys/module/msm/coresize", "%llu", &size);
	if (ret)
		return ret;
	snprintf(start, sizeof(start), "%llu", text);
	snprintf(end, sizeof(end), "%llu", text + size);
	ret = gpu_file_write(FAULTS "fail_usercopy/require-start", start);
	return ret ?: gpu_file_write(FAULTS "fail_usercopy/require-end", end);
}

/*
 * By default only allocations that must not sleep fail, and of pages only
 * groups; and each failure fills a screen of the log.
 *
 * Return: 0, -ENOENT on a kernel where allocations cannot fail, or another
 * errno.
 */
int gpu_nth_setup(void)
{
	static const struct {
		const char *path;
		const char *text;
	} knobs[] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
	};
	size_t i;
	int ret = access(FAIL_NTH, W_OK) ? -errno : 0;

	for (i = 0; i < ARRAY_SIZE(knobs) && !ret; i++) {
		char path[96];

		snprintf(path, sizeof(path), FAULTS "%s", knobs[i].path);
		ret = gpu_file_write(path, knobs[i].text);
	}
	return ret ?: gpu_nth_only_msm();
}

/* The file stays open, so that nothing but the calls under test is armed. */
static int gpu_nth_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	return fd;
}

int gpu_nth_arm(u32 nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return write(gpu_nth_fd(), text, len) == len ? 0 : -errno;
}

/**
 * gpu_nth_disarm - nothing fails any more
 * @failed: did something fail since gpu_nth_arm()?
 *
 * The counter is read back: 0 says that it has run out.
 *
 * Return: 0 or a negative errno.
 */
int gpu_nth_disarm(bool *failed)
{
	char text[16] = "";

	if (pread(gpu_nth_fd(), text, sizeof(text) - 1, 0) < 0)
		return -errno;
	*failed = !atoi(text);
	return write(gpu_nth_fd(), "0", 1) == 1 ? 0 : -errno;
}

/*
 * Count allocations of pages as well, or those of slabs alone.  A slab that runs
 * empty takes a page now and then, which shifts the count of what comes behind:
 * without pages it is the same each time.
 */
int gpu_nth_count_pages(bool pages)
{
	return gpu_file_write(FAULTS "fail_page_alloc/min-order",
			      pages ? "0" : "99");
}
