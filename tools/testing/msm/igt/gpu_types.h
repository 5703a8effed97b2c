/* SPDX-License-Identifier: MIT */
/*
 * Integer types and the page size, for all helpers.
 *
 * The gpu_*.[ch] helpers talk to the msm driver through its uAPI header alone:
 * no libigt, no libdrm.  Each returns 0 or a negative errno and asserts
 * nothing; tests and the demo decide what an error means.
 */
#ifndef __GPU_TYPES_H__
#define __GPU_TYPES_H__

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

typedef __u8 u8;
typedef __s32 s32;
typedef __s64 s64;
typedef __u32 u32;
typedef __u64 u64;

/* The GPU's page and the granule of VM_BIND; also the CPU's, checked at open */
#define GPU_PAGE	4096ull

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* __GPU_TYPES_H__ */
