/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_HANG_H__
#define __MSM_VM_HANG_H__

struct msm_gem_submit;

void msm_vm_hang_blame(struct msm_gem_submit *submit);
void msm_vm_hang_mute(struct msm_gem_submit *submit);

#endif /* __MSM_VM_HANG_H__ */
