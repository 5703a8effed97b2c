/* SPDX-License-Identifier: MIT */
#ifndef __GPU_TRACE_H__
#define __GPU_TRACE_H__

#include "gpu_types.h"

/**
 * struct gpu_trace_event - one line of a trace
 * @name: of the tracepoint
 * @text: what it says, blank separated KEY=VALUE
 */
struct gpu_trace_event {
	char name[32];
	char text[160];
};

int gpu_trace_start(const char *system);
void gpu_trace_stop(void);
int gpu_trace_read(struct gpu_trace_event *events, u32 max, u32 *count);
int gpu_trace_word(const struct gpu_trace_event *event, const char *key,
		   char *word, size_t size);
int gpu_trace_value(const struct gpu_trace_event *event, const char *key,
		    u64 *value);

#endif /* __GPU_TRACE_H__ */
