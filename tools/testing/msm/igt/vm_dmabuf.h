/* SPDX-License-Identifier: MIT */
#ifndef __VM_DMABUF_H__
#define __VM_DMABUF_H__

#include "gpu_dev.h"

int vm_dmabuf_new(u32 pages, u32 **map);

#endif /* __VM_DMABUF_H__ */
