/* SPDX-License-Identifier: MIT */
#ifndef __VM_DMABUF_H__
#define __VM_DMABUF_H__

#include "gpu_dev.h"

/* Pages of which a large dma-buf is made again and again: 8 MiB */
#define VM_DMABUF_PIECE	2048

int vm_dmabuf_new(u32 pages, u32 **map);
int vm_dmabuf_large(u32 times, u32 tail, u32 **map);

#endif /* __VM_DMABUF_H__ */
