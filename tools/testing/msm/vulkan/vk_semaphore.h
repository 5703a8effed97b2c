/* SPDX-License-Identifier: MIT */
/*
 * Semaphores: made, waited for and signalled by the CPU, and as edges between
 * submits and binds.
 */
#ifndef __VK_SEMAPHORE_H__
#define __VK_SEMAPHORE_H__

#include "vk_test.h"

/**
 * struct vk_edge - what one submit or bind waits for and signals
 * @wait: a semaphore or nothing
 * @wait_point: of @wait, if that is a timeline
 * @signal: a semaphore or nothing
 * @signal_point: of @signal, if that is a timeline
 */
struct vk_edge {
	VkSemaphore wait;
	u64 wait_point;
	VkSemaphore signal;
	u64 signal_point;
};

VkSemaphore vk_binary(struct vk_dev *vk);
VkSemaphore vk_timeline(struct vk_dev *vk, u64 point);
void vk_timeline_signal(struct vk_dev *vk, VkSemaphore line, u64 point);
void vk_timeline_wait(struct vk_dev *vk, VkSemaphore line, u64 point);
void vk_timeline_expect(struct vk_dev *vk, VkSemaphore line, u64 point);
void vk_still_waits(struct vk_dev *vk, const char *what);

void vk_edge_submit(struct vk_dev *vk, const struct vk_edge *edge, bool fence);
void vk_edge_bind(struct vk_dev *vk, const struct vk_edge *edge,
		  VkBuffer buffer, const VkSparseMemoryBind *bind, bool fence);

#endif /* __VK_SEMAPHORE_H__ */
