/* SPDX-License-Identifier: MIT */
/*
 * What the kernel has in use for this process and its children.
 */
#ifndef __VK_ACCOUNT_H__
#define __VK_ACCOUNT_H__

#include "vk_dev.h"

/* For printf */
#define vk_llu(value)	((unsigned long long)(value))

/**
 * struct vk_account - what is in use
 * @refs: of the msm module: open devices, address spaces, fences
 * @files: open in this process
 * @vms: address spaces that debugfs shows
 * @kernel: bytes of kernel memory charged to the control group that cannot be
 *	reclaimed
 * @shmem: bytes of the pages of BOs charged to it
 * @slab: bytes of all slab caches that cannot be reclaimed
 */
struct vk_account {
	u64 refs;
	u64 files;
	u64 vms;
	u64 kernel;
	u64 shmem;
	u64 slab;
};

void vk_account_enter(void);
void vk_account_limit(u64 bytes);
void vk_account_read(struct vk_account *account);
void vk_account_settle(const struct vk_account *before, u64 slack);

#endif /* __VK_ACCOUNT_H__ */
