/* SPDX-License-Identifier: MIT */
#ifndef __VM_LEVEL_H__
#define __VM_LEVEL_H__

#include "gpu_types.h"

/**
 * struct vm_level - what the kernel has in use for all clients
 * @refs: references to the module: open files, VMs, fences
 * @vmas: objects of the slab cache of VMAs; 0 if the kernel does not tell
 * @vms: VMs of open files, as debugfs shows them
 * @bos: buffers
 * @taint: of the kernel: bits that a warning or an error sets for good
 */
struct vm_level {
	u64 refs;
	u64 vmas;
	u64 vms;
	u64 bos;
	u64 taint;
};

void vm_level_get(struct vm_level *level);
void vm_level_expect(const struct vm_level *before);

#endif /* __VM_LEVEL_H__ */
