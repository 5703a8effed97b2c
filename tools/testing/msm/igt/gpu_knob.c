// SPDX-License-Identifier: MIT
/*
 * The knobs and counters of the virtual Adreno in debugfs.
 *
 * They appear when the render node was opened for the first time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_knob.h"

#define KNOBS	"/sys/kernel/debug/dri/128/vgpu"
#define POWER	"/sys/bus/platform/devices/adreno/power/control"

static FILE *gpu_knob_open(const char *name, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), KNOBS "/%s", name);
	return fopen(path, mode);
}

static int gpu_knob_write(FILE *file, const char *text)
{
	int ret = 0;

	if (!file)
		return -errno;
	/* The kernel's answer comes with the flush */
	if (fputs(text, file) < 0 || fflush(file))
		ret = -errno;
	fclose(file);
	return ret;
}

int gpu_knob_set(const char *name, u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return gpu_knob_write(gpu_knob_open(name, "w"), text);
}

int gpu_knob_get(const char *name, u64 *value)
{
	FILE *file = gpu_knob_open(name, "r");
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
	FILE *file = gpu_knob_open("stats", "r");
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

/* Without this an idle GPU is suspended, and its TLB is empty when it wakes. */
int gpu_knob_keep_awake(bool awake)
{
	return gpu_knob_write(fopen(POWER, "w"), awake ? "on" : "auto");
}
