/* SPDX-License-Identifier: MIT */
#ifndef __VM_STRESS_H__
#define __VM_STRESS_H__

#include "gpu_job.h"
#include "gpu_rand.h"

/* Each has a slot for its jobs, see gpu_job_begin(). */
#define STRESS_THREADS	GPU_JOB_SLOTS
#define STRESS_BOS	4
#define STRESS_BO_PAGES	16u
#define STRESS_PAGES	64u
#define STRESS_TEXT	160

/**
 * struct stress_page - what the model says of a page
 * @kind: STRESS_HOLE, STRESS_NULL, or STRESS_BO and the index of the buffer
 * @page: of the buffer
 */
struct stress_page {
	u8 kind;
	u8 page;
};

enum { STRESS_HOLE, STRESS_NULL, STRESS_BO };

/**
 * struct stress_worker - a thread that works in its part of a shared VM
 * @vm: the VM
 * @slot: of its jobs
 * @base: where its part begins, STRESS_PAGES long
 * @rand: decides
 * @faulty: allocations fail now and then
 * @bind_queue: its own
 * @queue: its own
 * @bo: its buffers, stamped with their letters
 * @model: what is mapped, in pages from @base
 * @binds: how many succeeded
 * @looks: pages that the GPU has read
 * @refused: for want of memory
 * @text: what went wrong
 */
struct stress_worker {
	struct gpu_vm *vm;
	u32 slot;
	u64 base;
	struct gpu_rand rand;
	bool faulty;
	u32 bind_queue;
	u32 queue;
	struct gpu_bo bo[STRESS_BOS];
	struct stress_page model[STRESS_PAGES];
	u64 binds;
	u64 looks;
	u64 refused;
	char text[STRESS_TEXT];
};

int stress_worker_open(struct stress_worker *w, struct gpu_vm *vm, u32 slot,
		       u64 seed);
bool stress_worker_step(struct stress_worker *w);

#endif /* __VM_STRESS_H__ */
