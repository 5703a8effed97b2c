/* SPDX-License-Identifier: MIT */
#ifndef __VM_RACE_H__
#define __VM_RACE_H__

#include "msm_igt.h"

/* The part of msm_vm_life where several threads begin and end at once */
extern const struct msm_igt_subtest vm_race_tests[];
extern const size_t vm_race_count;

#endif /* __VM_RACE_H__ */
