/* SPDX-License-Identifier: MIT */
#ifndef __VM_REFUSE_H__
#define __VM_REFUSE_H__

#include "gpu_types.h"
#include "msm_igt.h"

u64 vm_refuse_cut(const void *first, size_t size);

/* The parts of msm_vm_bind_uapi beside the VM_BIND ioctl itself */
extern const struct msm_igt_subtest vm_refuse_tests[];
extern const size_t vm_refuse_count;
extern const struct msm_igt_subtest vm_refuse_submit_tests[];
extern const size_t vm_refuse_submit_count;

#endif /* __VM_REFUSE_H__ */
