/* SPDX-License-Identifier: MIT */
#ifndef __VM_FENCE_H__
#define __VM_FENCE_H__

#include "msm_igt.h"

/* The fence part of msm_vm_bind */
extern const struct msm_igt_subtest vm_fence_tests[];
extern const size_t vm_fence_count;

#endif /* __VM_FENCE_H__ */
