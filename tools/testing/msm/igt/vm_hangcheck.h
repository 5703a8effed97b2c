/* SPDX-License-Identifier: MIT */
#ifndef __VM_HANGCHECK_H__
#define __VM_HANGCHECK_H__

void vm_hangcheck_fault(const void *arg);
void vm_hangcheck_dump(const void *arg);
void vm_hangcheck_next(const void *arg);

#endif /* __VM_HANGCHECK_H__ */
