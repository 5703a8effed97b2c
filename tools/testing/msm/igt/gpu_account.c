// SPDX-License-Identifier: MIT
/*
 * What the kernel has in use for clients: references to the driver, objects of
 * a slab cache, and the memory that is charged to a control group.
 *
 * Much is given back by workers some time after the client has gone, so whoever
 * compares waits for the number to come down.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpu_account.h"
#include "gpu_file.h"

#define REFS	"/sys/module/msm/refcnt"
#define SLAB	"/sys/kernel/slab/"
#define CGROUP	"/sys/fs/cgroup"

/* The number behind @key at the start of a line of @path */
static int gpu_account_line(const char *path, const char *key, u64 *value)
{
	FILE *file = fopen(path, "r");
	size_t len = strlen(key);
	char line[256];
	int ret = -ENODATA;

	if (!file)
		return -errno;
	while (ret && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) &&
		    sscanf(line + len, "%llu", value) == 1)
			ret = 0;
	fclose(file);
	return ret;
}

/* Open files, VMs and fences of VMs: each holds the module. */
int gpu_account_refs(u64 *count)
{
	return gpu_account_line(REFS, "", count);
}

/**
 * gpu_account_slab - objects of a slab cache that are in use
 *
 * Return: 0, or -ENOENT when the kernel does not tell, or has put the cache
 * together with others.
 */
int gpu_account_slab(const char *cache, u64 *count)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), SLAB "%s", cache);
	if (lstat(path, &st) || S_ISLNK(st.st_mode))
		return -ENOENT;
	/* Else what each CPU has at hand counts as in use */
	strncat(path, "/shrink", sizeof(path) - strlen(path) - 1);
	if (gpu_file_write(path, "1"))
		return -ENOENT;
	snprintf(path, sizeof(path), SLAB "%s/objects", cache);
	return gpu_account_line(path, "", count);
}

/* Give back what the caches of the kernel keep at hand, and KASAN's quarantine. */
static void gpu_account_shrink_slabs(void)
{
	char path[320];
	struct dirent *entry;
	DIR *dir = opendir(SLAB);

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), SLAB "%s/shrink", entry->d_name);
		/* Aliases of a cache are links to it; "." and ".." have none. */
		if (entry->d_type != DT_LNK)
			gpu_file_write(path, "1");
	}
	if (dir)
		closedir(dir);
}

/* What all slab caches take that cannot be reclaimed */
int gpu_account_slab_bytes(u64 *bytes)
{
	int ret;

	gpu_account_shrink_slabs();
	ret = gpu_account_line("/proc/meminfo", "SUnreclaim:", bytes);
	*bytes *= 1024;
	return ret;
}

/* This process's share of the memory that it has mapped */
int gpu_account_pss_bytes(u64 *bytes)
{
	int ret = gpu_account_line("/proc/self/smaps_rollup", "Pss:", bytes);

	*bytes *= 1024;
	return ret;
}

/**
 * gpu_account_group_new - make a control group
 * @group: gets its path
 * @name: of a folder that does not exist
 *
 * Return: 0; -ENOENT when the kernel has no memory controller; else a negative
 * errno.
 */
int gpu_account_group_new(struct gpu_account_group *group, const char *name)
{
	int ret;

	if (access(CGROUP "/cgroup.controllers", F_OK) &&
	    mount("cgroup2", CGROUP, "cgroup2", 0, NULL))
		return errno == ENODEV ? -ENOENT : -errno;
	ret = gpu_file_write(CGROUP "/cgroup.subtree_control", "+memory");
	if (ret)
		return ret == -EINVAL ? -ENOENT : ret;
	snprintf(group->path, sizeof(group->path), CGROUP "/%s", name);
	return mkdir(group->path, 0755) ? -errno : 0;
}

/* The calling process and its children to come */
int gpu_account_group_enter(const struct gpu_account_group *group)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group->path);
	return gpu_file_write(path, "0");
}

/* Bytes of @kind, a word of memory.stat, that are charged to it */
int gpu_account_group_stat(const struct gpu_account_group *group,
			   const char *kind, u64 *bytes)
{
	char path[128], key[32];

	snprintf(path, sizeof(path), "%s/memory.stat", group->path);
	snprintf(key, sizeof(key), "%s ", kind);
	return gpu_account_line(path, key, bytes);
}

/* Bytes that may be charged to it from now on beyond what is; 0: no limit */
int gpu_account_group_limit(const struct gpu_account_group *group, u64 bytes)
{
	char path[128], text[32] = "max";
	u64 now;
	int ret;

	snprintf(path, sizeof(path), "%s/memory.current", group->path);
	ret = gpu_account_line(path, "", &now);
	if (ret)
		return ret;
	if (bytes)
		snprintf(text, sizeof(text), "%llu", now + bytes);
	snprintf(path, sizeof(path), "%s/memory.max", group->path);
	return gpu_file_write(path, text);
}

void gpu_account_group_free(struct gpu_account_group *group)
{
	rmdir(group->path);
}
