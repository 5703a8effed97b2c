/* SPDX-License-Identifier: MIT */
#ifndef __VM_SWEEP_H__
#define __VM_SWEEP_H__

#include "gpu_fence.h"
#include "gpu_job.h"
#include "gpu_syncobj.h"

/**
 * struct sweep_state - what sequences work on
 * @vm: buffer A is mapped at vm.area, 8 pages; nothing behind it
 * @a: buffer of 8 pages
 * @b: buffer of 4 pages
 * @job: made ready for sequences that submit
 * @extra: a second context, for sequences that open or close one
 * @bos: BOs of all contexts between two rounds
 * @border: end of a table of each level, none of which is there
 * @gate: what a bind of the sequence waits for
 * @queue: a queue that the sequence made, or 0
 * @bo: a buffer that the sequence made or works on
 * @dmabuf: somebody else's memory
 * @syncs: of a sequence with syncobjs
 * @step: for the message when a sequence of several calls fails
 * @node: path of the render node
 */
struct sweep_state {
	struct gpu_vm vm;
	struct gpu_bo *a;
	struct gpu_bo *b;
	struct gpu_job job;
	struct gpu_vm extra;
	u64 bos;
	u64 border;
	struct gpu_gate gate;
	u32 queue;
	struct gpu_bo bo;
	int dmabuf;
	struct gpu_syncs syncs;
	const char *step;
	char node[64];
};

/**
 * struct sweep - a sequence
 * @prepare: NULL, or makes ready what @act needs; nothing fails here
 * @act: the calls under test, 0 or a negative errno; must leave no half
 * @failed: NULL, or looks at what @act must not have changed when it failed
 * @finish: NULL, or completes a successful @act and checks it
 * @undo: NULL, or brings a successful @act back to @before
 * @void_: closing, which has no way to report an error: should need no memory
 * @before: what the GPU sees before, and after an @act that failed
 * @after: what it sees after a successful one
 */
struct sweep {
	int (*prepare)(struct sweep_state *s);
	int (*act)(struct sweep_state *s);
	void (*failed)(struct sweep_state *s);
	int (*finish)(struct sweep_state *s);
	int (*undo)(struct sweep_state *s);
	bool void_;
	const char *before;
	const char *after;
};

/* Parts of sequences that submit a job, which reads the first page of buffer A */
int vm_sweep_prepare_submit(struct sweep_state *s);
int vm_sweep_finish_submit(struct sweep_state *s);

/* Sequences that open and close */
extern const struct sweep vm_sweep_create;
extern const struct sweep vm_sweep_queue;
extern const struct sweep vm_sweep_close;

/* Sequences with syncobjs */
extern const struct sweep vm_sweep_sync_bind;
extern const struct sweep vm_sweep_sync_submit;

#endif /* __VM_SWEEP_H__ */
