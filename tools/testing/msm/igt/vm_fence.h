/* SPDX-License-Identifier: MIT */
#ifndef __VM_FENCE_H__
#define __VM_FENCE_H__

#include "msm_igt.h"

/* The fence parts of msm_vm_bind: those that are named, and those that are not */
extern const struct msm_igt_subtest vm_fence_tests[];
extern const size_t vm_fence_count;
extern const struct msm_igt_subtest vm_implicit_tests[];
extern const size_t vm_implicit_count;

#endif /* __VM_FENCE_H__ */
