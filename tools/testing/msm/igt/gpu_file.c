// SPDX-License-Identifier: MIT
/*
 * The kernel's small files: procfs, debugfs, tracefs, cgroups.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gpu_file.h"

/**
 * gpu_file_write - write a word into a file of the kernel
 * @path: the file, which must exist
 * @text: all that is written, in one go
 *
 * Return: 0, or what open() or write() say as a negative errno.
 */
int gpu_file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
