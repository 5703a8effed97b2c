/* SPDX-License-Identifier: MIT */
#ifndef __VM_REPORT_H__
#define __VM_REPORT_H__

#include "msm_igt.h"

/* The part of msm_vm_fault about who is said to have submitted what */
extern const struct msm_igt_subtest vm_report_tests[];
extern const size_t vm_report_count;

#endif /* __VM_REPORT_H__ */
