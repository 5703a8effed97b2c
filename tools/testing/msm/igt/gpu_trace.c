// SPDX-License-Identifier: MIT
/*
 * The kernel's tracepoints, read through tracefs.
 *
 * Events go into a trace instance of our own, so that nobody else's tracing
 * gets in the way, with the clock that all CPUs share: lines come in the order
 * in which things happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpu_file.h"
#include "gpu_trace.h"

#define TRACING		"/sys/kernel/tracing"
#define INSTANCE	TRACING "/instances/msm-igt"

/**
 * gpu_trace_start - record all events of a trace system from now on
 * @system: a folder in tracefs' events/
 *
 * Return: 0, -ENOENT on a kernel that cannot trace, or another errno.
 */
int gpu_trace_start(const char *system)
{
	char path[128];
	int ret;

	gpu_trace_stop();
	if (mkdir(INSTANCE, 0700))
		return -errno;
	snprintf(path, sizeof(path), INSTANCE "/events/%s/enable", system);
	ret = gpu_file_write(INSTANCE "/trace_clock", "global");
	ret = ret ?: gpu_file_write(path, "1");
	if (ret)
		gpu_trace_stop();
	return ret;
}

void gpu_trace_stop(void)
{
	rmdir(INSTANCE);
}

/* "TASK-PID [CPU] FLAGS TIME: NAME: TEXT"; the rest of the file is comments. */
static bool gpu_trace_parse(const char *line, struct gpu_trace_event *event)
{
	const char *time = line[0] == '#' ? NULL : strchr(line, ']');

	time = time ? strstr(time, ": ") : NULL;
	return time && sscanf(time, ": %31[^:]: %159[^\n]", event->name,
			      event->text) == 2;
}

/**
 * gpu_trace_read - what was recorded since gpu_trace_start()
 * @events: gets the first @max of it
 * @count: how many
 *
 * Return: 0, or -ENOSPC if there are more; else a negative errno.
 */
int gpu_trace_read(struct gpu_trace_event *events, u32 max, u32 *count)
{
	FILE *file = fopen(INSTANCE "/trace", "r");
	struct gpu_trace_event event;
	char line[512];
	int ret = 0;

	*count = 0;
	if (!file)
		return -errno;
	while (!ret && fgets(line, sizeof(line), file)) {
		if (!gpu_trace_parse(line, &event))
			continue;
		if (*count == max)
			ret = -ENOSPC;
		else
			events[(*count)++] = event;
	}
	fclose(file);
	return ret;
}

/* What stands behind KEY=, up to the next blank */
int gpu_trace_word(const struct gpu_trace_event *event, const char *key,
		   char *word, size_t size)
{
	size_t len = strlen(key);
	const char *at = event->text;

	while (strncmp(at, key, len) || at[len] != '=') {
		at = strchr(at, ' ');
		if (!at)
			return -ENOENT;
		at++;
	}
	snprintf(word, size, "%.*s", (int)strcspn(at + len + 1, " "),
		 at + len + 1);
	return 0;
}

/* The number behind KEY=; hexadecimal when it starts with 0x */
int gpu_trace_value(const struct gpu_trace_event *event, const char *key,
		    u64 *value)
{
	char word[32] = "", *end;
	int ret = gpu_trace_word(event, key, word, sizeof(word));

	*value = strtoull(word, &end, 0);
	return ret ?: *end || end == word ? -EINVAL : 0;
}
