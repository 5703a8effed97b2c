// SPDX-License-Identifier: MIT
/*
 * A process that calls the driver at random, on several open files.
 *
 * Handles, queues and fds are remembered, so that most calls meet something
 * that exists; what one context has is also tried on others.  Nothing here
 * waits for long: the process may be killed at any time all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <drm/drm.h>

#include "gpu_fence.h"
#include "gpu_mem.h"
#include "vm_fuzz.h"

/* One of @list, or rarely something else */
u32 fuzz_handle(struct fuzz_client *c, const u32 *list, u32 count)
{
	if (gpu_rand_chance(&c->rand, 2))
		return gpu_rand_next(&c->rand);
	if (gpu_rand_chance(&c->rand, 2))
		return gpu_rand_below(&c->rand, 16);
	return list[gpu_rand_below(&c->rand, count)];
}

/* Page tables of all levels begin around here. */
u64 fuzz_iova(struct fuzz_client *c)
{
	static const u64 base[] = { 0, 0, 0, 0, 0x1ff000, 0x3ffff000, 0x7fffff0000 };
	u64 start = c->now->va_start ?: 1ull << 32;

	return start + base[gpu_rand_below(&c->rand, ARRAY_SIZE(base))] +
	       gpu_rand_below(&c->rand, FUZZ_WINDOW) * GPU_PAGE;
}

int fuzz_fd(struct fuzz_client *c)
{
	int fd = c->fd[gpu_rand_below(&c->rand, FUZZ_FDS)];

	return fd ?: (int)gpu_rand_below(&c->rand, 64) - 1;
}

/* In place of another one */
void fuzz_keep_fd(struct fuzz_client *c, int fd)
{
	int *place = &c->fd[gpu_rand_below(&c->rand, FUZZ_FDS)];

	if (*place > 0)
		close(*place);
	*place = fd;
}

static int call(struct fuzz_client *c, unsigned long request, void *arg)
{
	return gpu_ioctl(c->now->fd, request, arg);
}

/* A few milliseconds from now, or nonsense */
static s64 soon_ns(struct fuzz_client *c)
{
	struct timespec ts;

	if (gpu_rand_chance(&c->rand, 5))
		return -(s64)gpu_rand_next(&c->rand) / 2;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec +
	       gpu_rand_below(&c->rand, 5000000);
}

static struct drm_msm_timespec soon(struct fuzz_client *c)
{
	s64 ns = soon_ns(c);

	return (struct drm_msm_timespec) { ns / 1000000000, ns % 1000000000 };
}

/* Contexts */

static void context_close(struct fuzz_context *ctx)
{
	if (ctx->fd > 0)
		close(ctx->fd);
	*ctx = (struct fuzz_context) { .fd = -1 };
}

/* Something of everything, so that calls meet what exists from the start */
static void fill(struct fuzz_client *c)
{
	u32 i;

	for (i = 0; i < FUZZ_BOS; i++) {
		struct drm_msm_gem_new req = {
			.size = (1 + i) * GPU_PAGE,
			.flags = MSM_BO_WC | (c->now->va_start && i & 1 ? MSM_BO_NO_SHARE : 0),
		};

		if (!call(c, DRM_IOCTL_MSM_GEM_NEW, &req)) {
			c->now->bo[i] = req.handle;
			c->now->bo_pages[i] = 1 + i;
		}
	}
	for (i = 0; i < FUZZ_SYNCOBJS; i++) {
		struct drm_syncobj_create req = { .flags = i & 1 };

		if (!call(c, DRM_IOCTL_SYNCOBJ_CREATE, &req))
			c->now->syncobj[i] = req.handle;
	}
	for (i = 0; i < FUZZ_QUEUES; i++) {
		struct drm_msm_submitqueue req = { .flags = MSM_SUBMITQUEUE_VM_BIND };

		if (!call(c, DRM_IOCTL_MSM_SUBMITQUEUE_NEW, &req))
			c->now->bind_queue[i] = req.id;
	}
}

static int do_reopen(struct fuzz_client *c)
{
	struct gpu_dev dev;
	int ret;

	context_close(c->now);
	ret = gpu_dev_open(&dev);
	c->now->fd = dev.fd;
	if (ret)
		return ret;

	if (gpu_rand_chance(&c->rand, 80)) {
		ret = gpu_dev_opt_in(&dev);
		ret = ret ?: gpu_dev_get_param(&dev, MSM_PARAM_VA_START,
					       &c->now->va_start);
	}
	fill(c);
	return ret;
}

static int do_get_param(struct fuzz_client *c)
{
	struct drm_msm_param req = {
		.pipe = gpu_rand_chance(&c->rand, 95) ? MSM_PIPE_3D0 : gpu_rand_next(&c->rand),
		.param = gpu_rand_below(&c->rand, 0x1a),
		.len = gpu_rand_chance(&c->rand, 95) ? 0 : gpu_rand_next(&c->rand),
		.pad = gpu_rand_chance(&c->rand, 98) ? 0 : gpu_rand_next(&c->rand),
	};

	return call(c, DRM_IOCTL_MSM_GET_PARAM, &req);
}

static int do_set_param(struct fuzz_client *c)
{
	char text[32] = "a name that is not from here";
	struct drm_msm_param req = {
		.pipe = MSM_PIPE_3D0,
		.param = gpu_rand_below(&c->rand, 0x1a),
		.value = gpu_rand_below(&c->rand, 3),
	};

	if (req.param == MSM_PARAM_COMM || req.param == MSM_PARAM_CMDLINE) {
		req.value = gpu_rand_chance(&c->rand, 90) ? (unsigned long)text :
							    gpu_rand_next(&c->rand);
		req.len = gpu_rand_below(&c->rand, sizeof(text) + 1);
	}
	return call(c, DRM_IOCTL_MSM_SET_PARAM, &req);
}

/* Queues */

static int do_queue_new(struct fuzz_client *c)
{
	bool bind = gpu_rand_chance(&c->rand, 50);
	u32 *list = bind ? c->now->bind_queue : c->now->queue;
	struct drm_msm_submitqueue req = {
		.flags = bind ? MSM_SUBMITQUEUE_VM_BIND : 0,
		.prio = bind ? 0 : gpu_rand_below(&c->rand, 4),
	};
	int ret;

	if (gpu_rand_chance(&c->rand, 5))
		req.flags = gpu_rand_next(&c->rand);
	ret = call(c, DRM_IOCTL_MSM_SUBMITQUEUE_NEW, &req);
	if (!ret)
		list[gpu_rand_below(&c->rand, FUZZ_QUEUES)] = req.id;
	return ret;
}

static int do_queue_close(struct fuzz_client *c)
{
	bool bind = gpu_rand_chance(&c->rand, 50);
	u32 id = fuzz_handle(c, bind ? c->now->bind_queue : c->now->queue, FUZZ_QUEUES);

	return call(c, DRM_IOCTL_MSM_SUBMITQUEUE_CLOSE, &id);
}

static int do_queue_query(struct fuzz_client *c)
{
	u64 faults[2];
	struct drm_msm_submitqueue_query req = {
		.data = (unsigned long)faults,
		.id = fuzz_handle(c, c->now->queue, FUZZ_QUEUES),
		.param = gpu_rand_below(&c->rand, 2),
		.len = gpu_rand_below(&c->rand, sizeof(faults) + 1),
	};

	return call(c, DRM_IOCTL_MSM_SUBMITQUEUE_QUERY, &req);
}

static int do_wait_fence(struct fuzz_client *c)
{
	struct drm_msm_wait_fence req = {
		.fence = gpu_rand_below(&c->rand, 16),
		.flags = gpu_rand_chance(&c->rand, 95) ? 0 : gpu_rand_next(&c->rand),
		.timeout = soon(c),
		.queueid = fuzz_handle(c, c->now->queue, FUZZ_QUEUES),
	};

	return call(c, DRM_IOCTL_MSM_WAIT_FENCE, &req);
}

/* Buffers */

static void keep_bo(struct fuzz_client *c, u32 handle, u32 pages)
{
	u32 i = gpu_rand_below(&c->rand, FUZZ_BOS);
	struct drm_gem_close close = { .handle = c->now->bo[i] };

	if (close.handle)
		call(c, DRM_IOCTL_GEM_CLOSE, &close);
	c->now->bo[i] = handle;
	c->now->bo_pages[i] = pages;
}

static int do_gem_new(struct fuzz_client *c)
{
	static const u32 cache[] = { MSM_BO_WC, MSM_BO_CACHED, MSM_BO_CACHED_COHERENT };
	u32 pages = 1 + gpu_rand_below(&c->rand, 32);
	struct drm_msm_gem_new req = {
		.size = pages * GPU_PAGE,
		.flags = cache[gpu_rand_below(&c->rand, ARRAY_SIZE(cache))],
	};
	int ret;

	if (gpu_rand_chance(&c->rand, 30))
		req.flags |= MSM_BO_NO_SHARE;
	if (gpu_rand_chance(&c->rand, 5))
		req.flags = gpu_rand_next(&c->rand);
	/* Nobody has so much memory, so no page of it is ever got. */
	if (gpu_rand_chance(&c->rand, 3))
		req.size = 1ull << (41 + gpu_rand_below(&c->rand, 23));
	ret = call(c, DRM_IOCTL_MSM_GEM_NEW, &req);
	if (!ret)
		keep_bo(c, req.handle, pages);
	return ret;
}

static int do_gem_close(struct fuzz_client *c)
{
	struct drm_gem_close req = {
		.handle = fuzz_handle(c, c->now->bo, FUZZ_BOS),
	};

	return call(c, DRM_IOCTL_GEM_CLOSE, &req);
}

static int do_gem_info(struct fuzz_client *c)
{
	char text[64] = "name";
	struct drm_msm_gem_info req = {
		.handle = fuzz_handle(c, c->now->bo, FUZZ_BOS),
		.info = gpu_rand_below(&c->rand, 9),
		.value = (unsigned long)text,
		.len = gpu_rand_below(&c->rand, sizeof(text)),
	};

	if (req.info <= MSM_INFO_GET_IOVA)
		req.value = 0;
	if (req.info == MSM_INFO_SET_IOVA)
		req.value = fuzz_iova(c);
	if (gpu_rand_chance(&c->rand, 2))
		req.value = gpu_rand_next(&c->rand);
	return call(c, DRM_IOCTL_MSM_GEM_INFO, &req);
}

static int do_madvise(struct fuzz_client *c)
{
	struct drm_msm_gem_madvise req = {
		.handle = fuzz_handle(c, c->now->bo, FUZZ_BOS),
		.madv = gpu_rand_below(&c->rand, 3),
	};

	return call(c, DRM_IOCTL_MSM_GEM_MADVISE, &req);
}

static int do_cpu_prep(struct fuzz_client *c)
{
	struct drm_msm_gem_cpu_prep req = {
		.handle = fuzz_handle(c, c->now->bo, FUZZ_BOS),
		.op = gpu_rand_below(&c->rand, 32),
		.timeout = soon(c),
	};

	return call(c, DRM_IOCTL_MSM_GEM_CPU_PREP, &req);
}

static int do_mmap(struct fuzz_client *c)
{
	u32 i = gpu_rand_below(&c->rand, FUZZ_MAPS), b = gpu_rand_below(&c->rand, FUZZ_BOS);
	struct drm_msm_gem_info req = { .handle = c->now->bo[b] };
	u64 size = c->now->bo_pages[b] * GPU_PAGE;
	void *map;
	int ret;

	if (c->map[i])
		munmap(c->map[i], c->map_pages[i] * GPU_PAGE);
	c->map[i] = NULL;
	ret = call(c, DRM_IOCTL_MSM_GEM_INFO, &req);
	if (ret)
		return ret;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->now->fd,
		   req.value);
	if (map == MAP_FAILED)
		return -errno;
	c->map[i] = map;
	c->map_pages[i] = c->now->bo_pages[b];
	return 0;
}

/* Sharing */

static int do_export(struct fuzz_client *c)
{
	struct drm_prime_handle req = {
		.handle = fuzz_handle(c, c->now->bo, FUZZ_BOS),
		.flags = DRM_CLOEXEC | DRM_RDWR,
		.fd = -1,
	};
	int ret = call(c, DRM_IOCTL_PRIME_HANDLE_TO_FD, &req);

	if (!ret)
		fuzz_keep_fd(c, req.fd);
	return ret;
}

static int do_import(struct fuzz_client *c)
{
	struct drm_prime_handle req = { .fd = fuzz_fd(c) };
	int ret = call(c, DRM_IOCTL_PRIME_FD_TO_HANDLE, &req);

	if (!ret)
		keep_bo(c, req.handle, 1 + gpu_rand_below(&c->rand, 32));
	return ret;
}

/* Syncobjs */

static int do_syncobj_new(struct fuzz_client *c)
{
	struct drm_syncobj_create req = { .flags = gpu_rand_below(&c->rand, 2) };
	int ret = call(c, DRM_IOCTL_SYNCOBJ_CREATE, &req);

	if (!ret)
		c->now->syncobj[gpu_rand_below(&c->rand, FUZZ_SYNCOBJS)] = req.handle;
	return ret;
}

static int do_syncobj_destroy(struct fuzz_client *c)
{
	struct drm_syncobj_destroy req = {
		.handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS),
	};

	return call(c, DRM_IOCTL_SYNCOBJ_DESTROY, &req);
}

static int do_syncobj_signal(struct fuzz_client *c)
{
	u32 handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS);
	u64 point = gpu_rand_below(&c->rand, 16);
	struct drm_syncobj_timeline_array req = {
		.handles = (unsigned long)&handle,
		.points = (unsigned long)&point,
		.count_handles = 1,
	};

	return call(c, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &req);
}

static int do_syncobj_wait(struct fuzz_client *c)
{
	u32 handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS);
	u64 point = gpu_rand_below(&c->rand, 16);
	struct drm_syncobj_timeline_wait req = {
		.handles = (unsigned long)&handle,
		.points = (unsigned long)&point,
		.count_handles = 1,
		.flags = gpu_rand_below(&c->rand, 8),
		.timeout_nsec = soon_ns(c),
	};

	return call(c, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &req);
}

static int do_syncobj_transfer(struct fuzz_client *c)
{
	struct drm_syncobj_transfer req = {
		.src_handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS),
		.dst_handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS),
		.src_point = gpu_rand_below(&c->rand, 16),
		.dst_point = gpu_rand_below(&c->rand, 16),
	};

	return call(c, DRM_IOCTL_SYNCOBJ_TRANSFER, &req);
}

static int do_syncobj_export(struct fuzz_client *c)
{
	struct drm_syncobj_handle req = {
		.handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS),
		.flags = gpu_rand_below(&c->rand, 2),
		.fd = -1,
	};
	int ret = call(c, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &req);

	if (!ret)
		fuzz_keep_fd(c, req.fd);
	return ret;
}

static int do_syncobj_import(struct fuzz_client *c)
{
	struct drm_syncobj_handle req = {
		.handle = fuzz_handle(c, c->now->syncobj, FUZZ_SYNCOBJS),
		.flags = gpu_rand_below(&c->rand, 2),
		.fd = fuzz_fd(c),
	};
	int ret = call(c, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &req);

	if (!ret)
		c->now->syncobj[gpu_rand_below(&c->rand, FUZZ_SYNCOBJS)] = req.handle;
	return ret;
}

/* Fences that signal late, or only when the process ends */
static int do_gate(struct fuzz_client *c)
{
	struct gpu_gate gate;
	int ret = gpu_gate_new(&gate);

	if (ret)
		return ret;
	fuzz_keep_fd(c, gate.fence);
	fuzz_keep_fd(c, gate.timeline);
	return 0;
}

static int do_shrink(struct fuzz_client *c)
{
	return gpu_mem_shrink();
}

/* What an ioctl makes of bytes of no meaning */
static int do_noise(struct fuzz_client *c)
{
	static const u8 numbers[] = {
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0a, 0x0b,
		0x0c, 0x0d, 0x0e, 0x3f,
	};
	u32 nr = numbers[gpu_rand_below(&c->rand, ARRAY_SIZE(numbers))];
	u64 noise[16];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(noise); i++)
		noise[i] = gpu_rand_chance(&c->rand, 50) ? 0 : gpu_rand_next(&c->rand) >>
			   gpu_rand_below(&c->rand, 64);
	if (nr == DRM_MSM_GEM_NEW)
		noise[0] |= 1ull << 62;
	if (nr == DRM_MSM_GEM_SUBMIT)
		noise[0] &= ~(u64)MSM_SUBMIT_SUDO;
	return call(c, _IOC(gpu_rand_below(&c->rand, 4), DRM_IOCTL_BASE,
			    DRM_COMMAND_BASE + nr,
			    gpu_rand_below(&c->rand, sizeof(noise) + 1)), noise);
}

const struct fuzz_call fuzz_calls[] = {
	{ "VM_BIND", 300, fuzz_vm_bind },
	{ "SUBMIT", 30, fuzz_submit },
	{ "GEM_NEW", 80, do_gem_new },
	{ "GEM_CLOSE", 30, do_gem_close },
	{ "GEM_INFO", 40, do_gem_info },
	{ "GEM_MADVISE", 20, do_madvise },
	{ "GEM_CPU_PREP", 20, do_cpu_prep },
	{ "mmap", 20, do_mmap },
	{ "PRIME_HANDLE_TO_FD", 20, do_export },
	{ "PRIME_FD_TO_HANDLE", 30, do_import },
	{ "SUBMITQUEUE_NEW", 30, do_queue_new },
	{ "SUBMITQUEUE_CLOSE", 10, do_queue_close },
	{ "SUBMITQUEUE_QUERY", 5, do_queue_query },
	{ "WAIT_FENCE", 10, do_wait_fence },
	{ "GET_PARAM", 20, do_get_param },
	{ "SET_PARAM", 10, do_set_param },
	{ "SYNCOBJ_CREATE", 20, do_syncobj_new },
	{ "SYNCOBJ_DESTROY", 5, do_syncobj_destroy },
	{ "SYNCOBJ_SIGNAL", 15, do_syncobj_signal },
	{ "SYNCOBJ_WAIT", 10, do_syncobj_wait },
	{ "SYNCOBJ_TRANSFER", 10, do_syncobj_transfer },
	{ "SYNCOBJ_HANDLE_TO_FD", 10, do_syncobj_export },
	{ "SYNCOBJ_FD_TO_HANDLE", 10, do_syncobj_import },
	{ "sw_sync", 5, do_gate },
	{ "shrink", 3, do_shrink },
	{ "open", 8, do_reopen },
	{ "noise", 30, do_noise },
};

const u32 fuzz_call_count = ARRAY_SIZE(fuzz_calls);

void fuzz_client_init(struct fuzz_client *c, u64 seed, struct fuzz_count *count)
{
	u32 i;

	*c = (struct fuzz_client) { .count = count };
	gpu_rand_seed(&c->rand, seed);
	for (i = 0; i < FUZZ_CONTEXTS; i++) {
		c->now = &c->context[i];
		c->now->fd = -1;
		do_reopen(c);
	}
}

void fuzz_client_step(struct fuzz_client *c)
{
	u32 total = 0, i, at;
	int ret;

	for (i = 0; i < fuzz_call_count; i++)
		total += fuzz_calls[i].weight;
	at = gpu_rand_below(&c->rand, total);
	for (i = 0; at >= fuzz_calls[i].weight; i++)
		at -= fuzz_calls[i].weight;

	c->now = &c->context[gpu_rand_below(&c->rand, FUZZ_CONTEXTS)];
	ret = fuzz_calls[i].run(c);
	__sync_fetch_and_add(ret ? &c->count[i].bad : &c->count[i].good, 1);
}
