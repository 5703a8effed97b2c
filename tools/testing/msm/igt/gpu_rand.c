// SPDX-License-Identifier: MIT
/*
 * Random numbers for tests that print their seed: xorshift64*, of which a seed
 * gives the same sequence on every machine.
 */
#include "gpu_rand.h"

void gpu_rand_seed(struct gpu_rand *rand, u64 seed)
{
	/* Seeds that differ by one must not begin alike. */
	rand->state = (seed + 1) * 0x9e3779b97f4a7c15ull ?: 1;
	gpu_rand_next(rand);
	gpu_rand_next(rand);
}

u64 gpu_rand_next(struct gpu_rand *rand)
{
	rand->state ^= rand->state >> 12;
	rand->state ^= rand->state << 25;
	rand->state ^= rand->state >> 27;
	return rand->state * 0x2545f4914f6cdd1dull;
}

/* 0 to @limit - 1, and 0 if there is no limit */
u32 gpu_rand_below(struct gpu_rand *rand, u32 limit)
{
	return limit ? (gpu_rand_next(rand) >> 32) % limit : 0;
}

bool gpu_rand_chance(struct gpu_rand *rand, u32 percent)
{
	return gpu_rand_below(rand, 100) < percent;
}
