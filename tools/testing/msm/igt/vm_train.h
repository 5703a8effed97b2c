/* SPDX-License-Identifier: MIT */
#ifndef __VM_TRAIN_H__
#define __VM_TRAIN_H__

#include "gpu_job.h"
#include "vm_test.h"

/* More than the 8 that the driver lets onto the ring at once */
#define VM_TRAIN_JOBS	12
#define VM_TRAIN_MARK	0x600d1000

/* In the output buffer: the dword that job 0 waits for, and one mark per job */
#define VM_TRAIN_FLAG	1
#define VM_TRAIN_OUT	4

/**
 * struct vm_train - jobs of one VM, each with commands and a mark of its own
 * @vm: the VM
 * @cmds: commands, one page per job, at the start of the VM's area
 * @out: what they wait for and write, behind @cmds
 * @jobs: the jobs, empty at first
 */
struct vm_train {
	struct gpu_vm vm;
	struct gpu_bo *cmds;
	struct gpu_bo *out;
	struct gpu_job jobs[VM_TRAIN_JOBS];
};

void vm_train_open(struct vm_train *train);
void vm_train_close(struct vm_train *train);
void vm_train_wait(struct vm_train *train);
void vm_train_go(struct vm_train *train);
void vm_train_hang(struct vm_train *train, u32 i);
void vm_train_mark(struct vm_train *train, u32 i);
bool vm_train_marked(struct vm_train *train, u32 i);
int vm_train_try(struct vm_train *train, u32 i, int in_fence);
void vm_train_submit(struct vm_train *train, u32 i);
int vm_train_finish(struct vm_train *train, u32 i);
void vm_train_hang_now(struct vm_train *train);
void vm_train_assert_dead(struct vm_train *train);
void vm_train_assert_alive(struct vm_train *train, u32 i);

#endif /* __VM_TRAIN_H__ */
