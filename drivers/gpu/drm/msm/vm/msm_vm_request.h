/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_REQUEST_H__
#define __MSM_VM_REQUEST_H__

#include <linux/types.h>

/**
 * struct msm_vm_request - one validated change of a VM
 * @map: make a mapping, otherwise remove what is there
 * @null: map the page that reads zero and drops writes, there is no BO
 * @flags: MSM_VM_BIND_OP_* flags to remember with the mapping
 * @handle: GEM handle of the BO, zero if there is none
 * @iova: first address, page aligned, inside the VM
 * @range: bytes, page aligned, not zero; @iova + @range does not wrap
 * @offset: start in the BO, page aligned, zero if there is none
 * @obj_end: @offset + @range, which does not wrap: the size the BO must have
 *
 * Made by msm_vm_request_parse() only, which is the one place where numbers
 * from userspace are added up.
 */
struct msm_vm_request {
	bool map;
	bool null;
	u32 flags;
	u32 handle;
	u64 iova;
	u64 range;
	u64 offset;
	u64 obj_end;
};

#endif /* __MSM_VM_REQUEST_H__ */
