// SPDX-License-Identifier: MIT
/*
 * What the kernel has in use for this process and its children.
 *
 * Trap: much is given back by workers, some time after the client has gone, so
 * whoever compares lets it settle.  KASAN keeps freed memory in a quarantine
 * for a while, charged all the same; kernel memory has to be compared without.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include "vk_account.h"
#include "vk_test.h"

#define CGROUPS		"/sys/fs/cgroup"
#define GROUP		CGROUPS "/vk_account"

/* How long workers may take, in steps of STEP_US */
#define SETTLE_STEPS	100
#define STEP_US		100000

/* The number behind @key at the start of a line of @path, or 0 */
static u64 get(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	size_t length = strlen(key);
	unsigned long long value = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, length) &&
		    sscanf(line + length, "%llu", &value) == 1)
			break;
	fclose(file);
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

void vk_account_read(struct vk_account *account)
{
	account->refs = get("/sys/module/msm/refcnt", "");
	account->kernel = get(GROUP "/memory.stat", "kernel ");
	account->files = open_files();
}

/* Read until it is at most as before, or does not become so. */
void vk_account_settle(struct vk_account *account,
		       const struct vk_account *before, u64 slack)
{
	for (int i = 0; i < SETTLE_STEPS; i++) {
		vk_account_read(account);
		if (account->refs <= before->refs &&
		    account->kernel <= before->kernel + slack)
			break;
		usleep(STEP_US);
	}
}
