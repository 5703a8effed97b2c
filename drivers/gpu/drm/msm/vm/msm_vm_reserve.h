/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_RESERVE_H__
#define __MSM_VM_RESERVE_H__

#include <linux/types.h>

struct drm_gpuvm_bo;
struct list_head;

int msm_vm_reserve_vmas(struct list_head *spare, u64 count);
void msm_vm_reserve_free_vmas(struct list_head *vmas);
struct drm_gpuvm_bo *msm_vm_reserve_vm_bo(void);

int msm_vm_reserve_init(void);
void msm_vm_reserve_exit(void);

#endif /* __MSM_VM_RESERVE_H__ */
