/* SPDX-License-Identifier: MIT */
#ifndef __VM_LONG_H__
#define __VM_LONG_H__

#include "gpu_vm.h"

int vm_long_bind(struct gpu_vm *vm);

#endif /* __VM_LONG_H__ */
