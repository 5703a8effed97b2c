/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_FENCE_H__
#define __MSM_VM_FENCE_H__

#include <linux/types.h>

struct dma_fence;

struct dma_fence *msm_vm_fence_create(u64 context);
void msm_vm_fence_number(struct dma_fence *fence, u64 seqno);
void msm_vm_fence_signal(struct dma_fence *fence, int error);

#endif /* __MSM_VM_FENCE_H__ */
