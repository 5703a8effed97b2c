/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_REFUSE_H__
#define __MSM_VM_REFUSE_H__

#include <linux/compiler.h>

struct msm_vm;

int __printf(3, 4) msm_vm_refuse(struct msm_vm *vm, int err, const char *fmt, ...);

#endif /* __MSM_VM_REFUSE_H__ */
