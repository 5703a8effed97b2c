// SPDX-License-Identifier: MIT
/*
 * Memory that whoever reads it waits for: a mapping of a file of FUSE, whose
 * server answers everything but READ.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "vm_slow.h"

/* More than FUSE_MIN_READ_BUFFER, which each read must have room for */
#define REQUEST_BYTES	(64 * 1024)

static void answer(int fd, const struct fuse_in_header *in, int error,
		   const void *body, size_t size)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + size, .error = error, .unique = in->unique,
	};
	struct iovec parts[2] = {
		{ &out, sizeof(out) }, { (void *)body, size },
	};

	if (writev(fd, parts, size ? 2 : 1) < 0 && errno != ENOENT)
		_exit(2);
}

static void answer_init(int fd, const struct fuse_in_header *in)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31,
		.max_write = GPU_PAGE,
	};

	answer(fd, in, 0, &init, sizeof(init));
}

static void answer_attr(int fd, const struct fuse_in_header *in)
{
	struct fuse_attr_out attr = {
		.attr_valid = 1 << 20,
		.attr = {
			.ino = in->nodeid, .size = VM_SLOW_BYTES,
			.mode = S_IFREG | 0444, .nlink = 1,
		},
	};

	answer(fd, in, 0, &attr, sizeof(attr));
}

/* Until it is killed, or the file system is gone */
static void serve(int fd)
{
	static char request[REQUEST_BYTES];
	const struct fuse_in_header *in = (void *)request;
	struct fuse_open_out file = {};

	while (read(fd, request, sizeof(request)) > 0) {
		switch (in->opcode) {
		case FUSE_INIT:
			answer_init(fd, in);
			break;
		case FUSE_GETATTR:
			answer_attr(fd, in);
			break;
		case FUSE_OPEN:
			answer(fd, in, 0, &file, sizeof(file));
			break;
		case FUSE_READ:
		case FUSE_FORGET:
		case FUSE_INTERRUPT:
			break;
		default:
			answer(fd, in, -EOPNOTSUPP, NULL, 0);
		}
	}
	_exit(0);
}

/* Mount over the file @path, for this process only, which gets a server. */
static int mount_on(const char *path)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[80];
	pid_t pid;

	if (fd < 0)
		return -errno;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=100000,user_id=0,group_id=0", fd);
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("slow", path, "fuse", MS_NOSUID | MS_NODEV, options))
		return -errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd);
	}
	close(fd);
	return pid < 0 ? -errno : 0;
}

static int map_file(const char *path, void **map)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	/* Ask for the size: beyond it, nobody waits. */
	if (fstat(fd, &st) || st.st_size != VM_SLOW_BYTES)
		ret = -EIO;
	*map = mmap(NULL, VM_SLOW_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
	if (*map == MAP_FAILED)
		ret = -errno;
	close(fd);
	return ret;
}

/**
 * vm_slow_map - map memory that never comes
 * @map: where
 *
 * Only in a child that is a process group of its own: who waits for the memory
 * goes on when the server is killed, and that is a child of the caller.
 *
 * Return: 0; -ENOENT without FUSE; else a negative errno.
 */
int vm_slow_map(void **map)
{
	char path[] = "/tmp/msm-slow-XXXXXX";
	int fd = mkstemp(path), ret;

	if (fd < 0)
		return -errno;
	close(fd);
	ret = mount_on(path);
	return ret ?: map_file(path, map);
}

/* What the kernel takes for the command line of this process is at @map. */
int vm_slow_cover_argv(void *map)
{
	unsigned long start = (unsigned long)map;

	/* In this order, for the start may not be behind the end. */
	if (prctl(PR_SET_MM, PR_SET_MM_ARG_START, start, 0, 0) ||
	    prctl(PR_SET_MM, PR_SET_MM_ARG_END, start + VM_SLOW_BYTES, 0, 0))
		return -errno;
	return 0;
}
