/* SPDX-License-Identifier: MIT */
/*
 * What turnip gets from the VM_BIND ioctl: how often it calls, how long that
 * takes, and how often the kernel has no memory for it; and how often it gets
 * no BO.
 *
 * A program that is linked with this calls the kernel through a function of
 * its own, see build.sh.
 */
#ifndef __VK_IOCTL_H__
#define __VK_IOCTL_H__

#include "vk_dev.h"

/**
 * struct vk_ioctl - ioctls of this process so far
 * @calls: of VM_BIND
 * @no_memory: those that gave ENOMEM
 * @ns: spent in them
 * @no_bo: of GEM_NEW, that failed
 */
struct vk_ioctl {
	u64 calls;
	u64 no_memory;
	u64 ns;
	u64 no_bo;
};

u64 vk_now(void);
struct vk_ioctl vk_ioctl_read(void);

#endif /* __VK_IOCTL_H__ */
