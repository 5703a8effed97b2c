// SPDX-License-Identifier: MIT
/*
 * What turnip gets from VM_BIND, and how often GEM_NEW fails.
 *
 * turnip calls the ioctl() of this program instead of the C library's, from
 * any of its threads.
 */
#include <errno.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "vk_ioctl.h"

/* DRM_IOCTL_MSM_GEM_NEW, DRM_IOCTL_MSM_VM_BIND: type and number */
#define DRM_TYPE	'd'
#define GEM_NEW_NR	(0x40 + 0x02)
#define VM_BIND_NR	(0x40 + 0x0d)

static struct vk_ioctl count;

/* In ns */
u64 vk_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

struct vk_ioctl vk_ioctl_read(void)
{
	return (struct vk_ioctl){
		.calls = __atomic_load_n(&count.calls, __ATOMIC_RELAXED),
		.no_memory = __atomic_load_n(&count.no_memory,
					     __ATOMIC_RELAXED),
		.no_bo = __atomic_load_n(&count.no_bo, __ATOMIC_RELAXED),
		.ns = __atomic_load_n(&count.ns, __ATOMIC_RELAXED),
	};
}

static void add(u64 *to, u64 value)
{
	__atomic_fetch_add(to, value, __ATOMIC_RELAXED);
}

static void count_bind(int ret, u64 ns)
{
	add(&count.calls, 1);
	add(&count.ns, ns);
	if (ret == -1 && errno == ENOMEM)
		add(&count.no_memory, 1);
}

/* What turnip calls */
int __attribute__((visibility("default"))) ioctl(int fd, unsigned long request,
						 ...)
{
	u64 start = vk_now();
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	ret = syscall(SYS_ioctl, fd, request, arg);
	if ((request >> 8 & 0xff) != DRM_TYPE)
		return ret;
	if ((request & 0xff) == VM_BIND_NR)
		count_bind(ret, vk_now() - start);
	if ((request & 0xff) == GEM_NEW_NR && ret == -1)
		add(&count.no_bo, 1);
	return ret;
}
