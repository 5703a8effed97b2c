/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_UAPI_H__
#define __MSM_VM_UAPI_H__

#include <linux/types.h>

struct drm_msm_vm_bind_op;
struct msm_vm_request;

int msm_vm_request_parse(struct msm_vm_request *req,
			 const struct drm_msm_vm_bind_op *op,
			 u64 va_start, u64 va_size, const char **reason);

#endif /* __MSM_VM_UAPI_H__ */
