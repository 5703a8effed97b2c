/* SPDX-License-Identifier: MIT */
#ifndef __GPU_ACCOUNT_H__
#define __GPU_ACCOUNT_H__

#include "gpu_types.h"

/**
 * struct gpu_account_group - a control group with the memory controller
 * @path: its folder
 */
struct gpu_account_group {
	char path[96];
};

int gpu_account_refs(u64 *count);
int gpu_account_slab(const char *cache, u64 *count);
int gpu_account_slab_bytes(u64 *bytes);
int gpu_account_pss_bytes(u64 *bytes);
int gpu_account_group_new(struct gpu_account_group *group, const char *name);
int gpu_account_group_enter(const struct gpu_account_group *group);
int gpu_account_group_stat(const struct gpu_account_group *group,
			   const char *kind, u64 *bytes);
int gpu_account_group_limit(const struct gpu_account_group *group, u64 bytes);
void gpu_account_group_free(struct gpu_account_group *group);

#endif /* __GPU_ACCOUNT_H__ */
