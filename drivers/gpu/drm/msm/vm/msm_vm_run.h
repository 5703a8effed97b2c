/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_RUN_H__
#define __MSM_VM_RUN_H__

#include <linux/fault-inject.h>

struct drm_device;
struct msm_vm;

extern struct fault_attr fail_vm_map;

int msm_vm_run_init(void);
void msm_vm_run_exit(void);
int msm_vm_run_setup(struct msm_vm *vm, struct drm_device *dev);
u64 msm_vm_run_clear(struct msm_vm *vm, u64 iova, u64 last);
void msm_vm_run_teardown(struct msm_vm *vm);
void msm_vm_run_destroy(struct msm_vm *vm);

#endif /* __MSM_VM_RUN_H__ */
