/* SPDX-License-Identifier: MIT */
#ifndef __VM_FUZZ_H__
#define __VM_FUZZ_H__

#include "gpu_rand.h"
#include "gpu_vm.h"

#define FUZZ_CONTEXTS	3
#define FUZZ_BOS	12
#define FUZZ_QUEUES	4
#define FUZZ_SYNCOBJS	6
#define FUZZ_FDS	12
#define FUZZ_MAPS	4
/* Addresses that binds and command streams like */
#define FUZZ_WINDOW	64u

/**
 * struct fuzz_context - an open file and what it has; zero is an empty place
 * @fd: -1 when closed
 * @va_start: where its addresses begin, once it has a VM of its own
 * @bo: handles
 * @bo_pages: their sizes
 * @queue: submitqueues
 * @bind_queue: those for binds
 * @syncobj: handles
 */
struct fuzz_context {
	int fd;
	u64 va_start;
	u32 bo[FUZZ_BOS];
	u32 bo_pages[FUZZ_BOS];
	u32 queue[FUZZ_QUEUES];
	u32 bind_queue[FUZZ_QUEUES];
	u32 syncobj[FUZZ_SYNCOBJS];
};

/**
 * struct fuzz_count - how often something was tried; of all processes
 * @good: calls that succeeded
 * @bad: calls that did not
 */
struct fuzz_count {
	u64 good;
	u64 bad;
};

/**
 * struct fuzz_client - a process that does random things
 * @rand: decides
 * @context: open files
 * @now: the one that is used
 * @fd: fences, syncobjs, dma-bufs; 0 when there is none
 * @map: CPU mappings of buffers
 * @map_pages: their sizes
 * @count: for each entry of the table of calls, shared with the parent
 */
struct fuzz_client {
	struct gpu_rand rand;
	struct fuzz_context context[FUZZ_CONTEXTS];
	struct fuzz_context *now;
	int fd[FUZZ_FDS];
	u32 *map[FUZZ_MAPS];
	u32 map_pages[FUZZ_MAPS];
	struct fuzz_count *count;
};

/**
 * struct fuzz_call - something to do
 * @name: for the report
 * @weight: how often
 * @run: does it; returns 0 or a negative errno, all of which are fine
 */
struct fuzz_call {
	const char *name;
	u32 weight;
	int (*run)(struct fuzz_client *c);
};

extern const struct fuzz_call fuzz_calls[];
extern const u32 fuzz_call_count;

void fuzz_client_init(struct fuzz_client *c, u64 seed, struct fuzz_count *count);
void fuzz_client_step(struct fuzz_client *c);

/* For the tables of calls */
u32 fuzz_handle(struct fuzz_client *c, const u32 *list, u32 count);
u64 fuzz_iova(struct fuzz_client *c);
int fuzz_fd(struct fuzz_client *c);
void fuzz_keep_fd(struct fuzz_client *c, int fd);
int fuzz_vm_bind(struct fuzz_client *c);
int fuzz_submit(struct fuzz_client *c);

/* Random commands, see vm_fuzz_stream.c */
u32 fuzz_stream(struct gpu_rand *rand, u32 *dwords, u32 max, u64 window,
		bool wild);

#endif /* __VM_FUZZ_H__ */
