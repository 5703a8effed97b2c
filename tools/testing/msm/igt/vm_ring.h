/* SPDX-License-Identifier: MIT */
#ifndef __VM_RING_H__
#define __VM_RING_H__

void vm_ring_most(const void *arg);
void vm_ring_full(const void *arg);
void vm_ring_replay(const void *arg);

#endif /* __VM_RING_H__ */
