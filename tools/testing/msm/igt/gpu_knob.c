// SPDX-License-Identifier: MIT
/*
 * The knobs and counters of the virtual Adreno in debugfs.
 *
 * They appear when the render node was opened for the first time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu_file.h"
#include "gpu_knob.h"

#define KNOBS	"/sys/kernel/debug/dri/128/vgpu"
#define GEM	"/sys/kernel/debug/dri/128/gem"
#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAIL_GEM	"/sys/kernel/debug/dri/128/fail_gem_alloc"
#define FAIL_MAP	"/sys/kernel/debug/dri/128/fail_vm_map"
#define FAILSLAB	"/sys/kernel/debug/failslab"
#define FAIL_PAGE	"/sys/kernel/debug/fail_page_alloc"
#define POWER	"/sys/bus/platform/devices/adreno/power/control"

static FILE *gpu_knob_open(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), KNOBS "/%s", name);
	return fopen(path, "r");
}

int gpu_knob_set(const char *name, u64 value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), KNOBS "/%s", name);
	snprintf(text, sizeof(text), "%llu", value);
	return gpu_file_write(path, text);
}

int gpu_knob_get(const char *name, u64 *value)
{
	FILE *file = gpu_knob_open(name);
	char text[32] = "";
	char *end;

	if (!file)
		return -errno;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	*value = strtoull(text, &end, 0);
	return end == text ? -EIO : 0;
}

/* The counter @name, which is 0 from boot on */
int gpu_knob_stat(const char *name, u64 *value)
{
	FILE *file = gpu_knob_open("stats");
	char key[64];
	int ret = -ENOENT;

	if (!file)
		return -errno;
	while (ret && fscanf(file, "%63s %llu%*[^\n]", key, value) >= 1)
		if (!strcmp(key, name))
			ret = 0;
	fclose(file);
	return ret;
}

/*
 * A number from the driver's summary of BOs, of all contexts; @format finds it in
 * its line.  A BO that is locked while the kernel counts is left out, so wait for
 * what is under way; its place in the list is three blanks before the next line.
 */
int gpu_knob_gem(const char *format, u64 *value)
{
	FILE *file = fopen(GEM, "r");
	char line[512];
	int ret = -ENOENT;

	if (!file)
		return -errno;
	while (ret && fgets(line, sizeof(line), file))
		if (sscanf(line, format, value) == 1)
			ret = 0;
	fclose(file);
	return ret;
}

int gpu_knob_bo_count(u64 *count)
{
	return gpu_knob_gem(" Total: %llu objects", count);
}

/* Was the kernel built with fault injection? */
bool gpu_knob_can_fail(void)
{
	return !access(FAIL_NTH, W_OK);
}

/* Sleeping allocations may fail, too; and no stack trace for each that does. */
static int gpu_knob_prepare_fail(void)
{
	static const char * const quiet[] = {
		FAILSLAB "/verbose", FAIL_GEM "/verbose",
	};
	int ret = gpu_file_write(FAILSLAB "/ignore-gfp-wait", "N");
	size_t i;

	for (i = 0; !ret && i < ARRAY_SIZE(quiet); i++)
		ret = gpu_file_write(quiet[i], "0");
	return ret;
}

/*
 * Let the @nth allocation of this thread from now on fail, or none with 0.  The
 * file stays open, as opening it allocates.
 */
int gpu_knob_fail_nth(int nth)
{
	static int fd = -1;
	char text[16];
	int ret;

	if (fd < 0) {
		ret = gpu_knob_prepare_fail();
		if (ret)
			return ret;
		fd = open(FAIL_NTH, O_WRONLY | O_CLOEXEC);
	}
	ret = snprintf(text, sizeof(text), "%d", nth);
	return write(fd, text, ret) == ret ? 0 : -errno;
}

static int gpu_knob_fail_set(const char *folder, const char *name, u32 value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(text, sizeof(text), "%d", (int)value);
	return gpu_file_write(path, text);
}

/*
 * Let one in @count allocations of slabs and of pages fail, of the threads that
 * ask for it, or none with 0.  @count is 100 or less.
 */
int gpu_knob_fail_one_in(u32 count)
{
	static const char * const folders[] = { FAILSLAB, FAIL_PAGE };
	int ret = gpu_knob_prepare_fail();
	size_t i;

	ret = ret ?: gpu_knob_fail_set(FAIL_PAGE, "min-order", 0);
	for (i = 0; !ret && i < ARRAY_SIZE(folders); i++) {
		/* First, or allocations of everybody fail meanwhile */
		ret = gpu_knob_fail_set(folders[i], "task-filter", 1);
		ret = ret ?: gpu_knob_fail_set(folders[i], "verbose", 0);
		ret = ret ?: gpu_knob_fail_set(folders[i], "ignore-gfp-wait", 0);
		ret = ret ?: gpu_knob_fail_set(folders[i], "times", -1);
		ret = ret ?: gpu_knob_fail_set(folders[i], "probability",
					       count ? 100 / count : 0);
	}
	return ret;
}

/* This thread asks for it, see gpu_knob_fail_one_in(). */
int gpu_knob_fail_randomly(bool on)
{
	return gpu_file_write("/proc/thread-self/make-it-fail",
			      on ? "1" : "0");
}

/* Without this an idle GPU is suspended, and its TLB is empty when it wakes. */
int gpu_knob_keep_awake(bool awake)
{
	return gpu_file_write(POWER, awake ? "on" : "auto");
}

/*
 * Let one step of a bind job fail, of any VM: the first that maps something after
 * jobs have mapped @before bytes, in steps of a page.  With @armed unset, none.
 */
int gpu_knob_fail_map(bool armed, u64 before)
{
	int ret = gpu_knob_fail_set(FAIL_MAP, "verbose", 0);

	ret = ret ?: gpu_knob_fail_set(FAIL_MAP, "probability", 0);
	ret = ret ?: gpu_knob_fail_set(FAIL_MAP, "space", before + 1);
	ret = ret ?: gpu_knob_fail_set(FAIL_MAP, "times", 1);
	return ret ?: gpu_knob_fail_set(FAIL_MAP, "probability",
					armed ? 100 : 0);
}
