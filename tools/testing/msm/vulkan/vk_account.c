// SPDX-License-Identifier: MIT
/*
 * What the kernel has in use for this process and its children.
 *
 * Trap: much is given back by workers, some time after the client has gone, so
 * whoever compares lets it settle.  What slab caches and KASAN keep for a while
 * is charged all the same, so they are shrunk before each look.  Slab memory is
 * that of the whole machine.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include "vk_account.h"
#include "vk_test.h"
#include "vm_log.h"

#define CGROUPS		"/sys/fs/cgroup"
#define GROUP		CGROUPS "/vk_account"
#define SLABS		"/sys/kernel/slab"

/* Seconds that workers may take; to shrink all slab caches takes one, too */
#define SETTLE		20

/* Bytes by which the slab memory of an idle machine differs */
#define SLAB_NOISE	(128 << 10)

/* The number behind @key at the start of a line of @path */
static u64 get(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	size_t length = strlen(key);
	unsigned long long value;
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, key, length) &&
			sscanf(line + length, "%llu", &value) == 1;
	if (file)
		fclose(file);
	if (!found)
		vk_fail("%s has no number behind \"%s\"", path, key);
	return value;
}

/* Memory that is allowed beyond what is in use; 0: no limit */
void vk_account_limit(u64 bytes)
{
	char text[32] = "max";

	if (bytes)
		snprintf(text, sizeof(text), "%llu",
			 vk_llu(get(GROUP "/memory.current", "") + bytes));
	if (!vk_write(GROUP "/memory.max", text))
		vk_fail("cannot limit memory: %s", strerror(errno));
}

/*
 * From now on this process and its children are in a control group.  It may be
 * that of a test that failed: its limit goes.
 */
void vk_account_enter(void)
{
	if (access(CGROUPS "/cgroup.controllers", F_OK) &&
	    mount("cgroup2", CGROUPS, "cgroup2", 0, NULL))
		vk_fail("no control groups: %s", strerror(errno));
	if (!vk_write(CGROUPS "/cgroup.subtree_control", "+memory"))
		vk_fail("no memory controller: %s", strerror(errno));
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		vk_fail("no control group: %s", strerror(errno));
	vk_account_limit(0);
	if (!vk_write(GROUP "/cgroup.procs", "0"))
		vk_fail("cannot enter a control group: %s", strerror(errno));
}

static u64 open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	u64 count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Give back what slab caches keep at hand, and KASAN's quarantine. */
static void shrink_slabs(void)
{
	DIR *dir = opendir(SLABS);
	struct dirent *entry;
	char path[320];

	if (!dir)
		vk_fail("no " SLABS ": %s", strerror(errno));
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), SLABS "/%s/shrink", entry->d_name);
		/* Aliases of a cache are links to it; "." and ".." have none. */
		if (entry->d_type != DT_LNK)
			vk_write(path, "1");
	}
	closedir(dir);
}

/* The caller is in the control group, see vk_account_enter(). */
void vk_account_read(struct vk_account *account)
{
	shrink_slabs();
	account->refs = get("/sys/module/msm/refcnt", "");
	account->files = open_files();
	account->vms = vm_log_vms();
	account->kernel = get(GROUP "/memory.stat", "kernel ") -
		get(GROUP "/memory.stat", "slab_reclaimable ");
	account->shmem = get(GROUP "/memory.stat", "shmem ");
	account->slab = get("/proc/meminfo", "SUnreclaim:") * 1024;
}

/* Return: what is in use more than before, or NULL */
static const char *grown(const struct vk_account *now,
			 const struct vk_account *before, u64 slack)
{
	if (now->refs > before->refs)
		return "references to msm";
	if (now->files > before->files)
		return "open files";
	if (now->vms > before->vms)
		return "address spaces";
	if (now->shmem > before->shmem)
		return "pages of BOs";
	if (now->kernel > before->kernel + slack)
		return "kernel memory of the control group";
	if (now->slab > before->slab + SLAB_NOISE + slack)
		return "slab memory";
	return NULL;
}

static void show(const char *when, const struct vk_account *account)
{
	printf("# %s: refs %llu, files %llu, VMs %llu, KiB: BOs %llu, kernel %llu, slab %llu\n",
	       when, vk_llu(account->refs), vk_llu(account->files),
	       vk_llu(account->vms), vk_llu(account->shmem >> 10),
	       vk_llu(account->kernel >> 10), vk_llu(account->slab >> 10));
}

/* No more may be in use than before, after a while; memory: than @slack more. */
void vk_account_settle(const struct vk_account *before, u64 slack)
{
	time_t end = time(NULL) + SETTLE;
	struct vk_account now;
	const char *what;

	do {
		usleep(100000);
		vk_account_read(&now);
		what = grown(&now, before, slack);
	} while (what && time(NULL) < end);
	show("before", before);
	show("after", &now);
	if (what)
		vk_fail("what is left: %s", what);
}
