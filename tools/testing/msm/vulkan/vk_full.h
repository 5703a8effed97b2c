/* SPDX-License-Identifier: MIT */
/*
 * A control group whose memory is all in use.
 */
#ifndef __VK_FULL_H__
#define __VK_FULL_H__

#include "vk_dev.h"

/* Bytes that the group may use beyond what it has when it gets its limit */
#define VK_FULL_ROOM	(2ull << 20)

/* Enough for the memory that one page of small kernel objects takes */
#define VK_FULL_FILES	64

/**
 * struct vk_full - what fills the group
 * @pages: locked memory, of which the first @size bytes are there
 * @size: in bytes
 * @files: open ones, @count of them: each takes some bytes of kernel memory
 * @count: of @files
 */
struct vk_full {
	u8 *pages;
	u64 size;
	int files[VK_FULL_FILES];
	u32 count;
};

void vk_full_limit(void);
void vk_full_begin(struct vk_full *full);
void vk_full_end(struct vk_full *full);

#endif /* __VK_FULL_H__ */
