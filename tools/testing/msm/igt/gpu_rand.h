/* SPDX-License-Identifier: MIT */
#ifndef __GPU_RAND_H__
#define __GPU_RAND_H__

#include "gpu_types.h"

/**
 * struct gpu_rand - random numbers that depend on a seed only
 * @state: never zero
 */
struct gpu_rand {
	u64 state;
};

void gpu_rand_seed(struct gpu_rand *rand, u64 seed);
u64 gpu_rand_next(struct gpu_rand *rand);
u32 gpu_rand_below(struct gpu_rand *rand, u32 limit);
bool gpu_rand_chance(struct gpu_rand *rand, u32 percent);

#endif /* __GPU_RAND_H__ */
