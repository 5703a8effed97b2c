/* SPDX-License-Identifier: MIT */
#ifndef __VM_EVICT_H__
#define __VM_EVICT_H__

#include "msm_igt.h"

extern const struct msm_igt_subtest vm_evict_race_tests[];
extern const size_t vm_evict_race_count;

#endif /* __VM_EVICT_H__ */
