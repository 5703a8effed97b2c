/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_RESERVE_H__
#define __MSM_VM_RESERVE_H__

#include <linux/types.h>

struct list_head;

/**
 * struct msm_vm_span - a range of addresses that will be mapped
 * @first: first address
 * @last: last address, inclusive
 */
struct msm_vm_span {
	u64 first;
	u64 last;
};

u64 msm_vm_reserve_tables(struct msm_vm_span *spans, u32 nr, unsigned int ias);
int msm_vm_reserve_vmas(struct list_head *spare, u64 count);
void msm_vm_reserve_free_vmas(struct list_head *vmas);

int msm_vm_reserve_init(void);
void msm_vm_reserve_exit(void);

#endif /* __MSM_VM_RESERVE_H__ */
