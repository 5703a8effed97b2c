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
 * @kernel: bytes of kernel memory charged to the control group; 0 without one
 * @files: open in this process
 */
struct vk_account {
	u64 refs;
	u64 kernel;
	u64 files;
};

void vk_account_enter(void);
void vk_account_limit(u64 bytes);
void vk_account_read(struct vk_account *account);
void vk_account_settle(struct vk_account *account,
		       const struct vk_account *before, u64 slack);

#endif /* __VK_ACCOUNT_H__ */
