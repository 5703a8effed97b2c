/* SPDX-License-Identifier: MIT */
#ifndef __VM_SLOW_H__
#define __VM_SLOW_H__

#include "gpu_types.h"

#define VM_SLOW_BYTES	GPU_PAGE

int vm_slow_map(void **map);
int vm_slow_cover_argv(void *map);

#endif /* __VM_SLOW_H__ */
