/* SPDX-License-Identifier: MIT */
#ifndef __BENCH_H__
#define __BENCH_H__

#include "gpu_fence.h"
#include "gpu_job.h"
#include "gpu_knob.h"

#define GIB	(1024 * 1024 * 1024ull)
#define ROUNDS	3

/**
 * struct bench_cost - of one VM_BIND, nanoseconds
 * @ioctl: until the ioctl returns; its job is held back
 * @run: from the moment the job may run until its fence has signalled
 */
struct bench_cost {
	u64 ioctl;
	u64 run;
};

u64 bench_now(void);
void bench_settle(void);
void bench_figure(double value, const char *format, ...);
void bench_absent(const char *name, const char *reason);

int bench_bind(struct gpu_vm *vm, const struct drm_msm_vm_bind_op *ops,
	       u32 count, struct bench_cost *least);
int bench_page_bos(struct gpu_vm *vm, struct drm_msm_vm_bind_op *ops,
		   u32 count, u32 flags);
void bench_shuffle(struct drm_msm_vm_bind_op *ops, u32 count);
int bench_null(struct gpu_vm *vm, bool *have);

int bench_map(void);
int bench_ops(void);
int bench_queue(void);
int bench_tables(void);
int bench_hole(void);
int bench_flushes(void);
int bench_submit(void);
int bench_memory(void);

#endif /* __BENCH_H__ */
