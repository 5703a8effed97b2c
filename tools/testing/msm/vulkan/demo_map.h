/* SPDX-License-Identifier: MIT */
/*
 * A picture of an address space over time, as SVG: addresses from top to
 * bottom, page-table edits from left to right.
 */
#ifndef __DEMO_MAP_H__
#define __DEMO_MAP_H__

#include "vm_log.h"

#define DEMO_MAP_STEPS	16

/**
 * struct demo_steps - what the program was doing
 * @name: of each step
 * @first: the first edit of it
 * @count: of them
 */
struct demo_steps {
	const char *name[DEMO_MAP_STEPS];
	u32 first[DEMO_MAP_STEPS];
	u32 count;
};

bool demo_map_write(const char *path, const struct vm_log *log,
		    const struct demo_steps *steps);

#endif /* __DEMO_MAP_H__ */
